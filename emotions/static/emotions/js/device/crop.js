// A face as the network wants it: docs/on-device.md defines the crop, ml/preprocess.py makes the same.

export const SIDE = 48;
const TAPS = 3;
const SIDE_PER_BOX = 1.057;
const DOWN_PER_BOX = -0.041;
const LARGEST_ROLL = Math.PI / 4;

/** SIDE x SIDE grey levels, 0..255 in whole numbers. `picture`: { width, height, pixels }, pixels: RGBA bytes. */
export function crop(picture, face) {
  const { x, y, step, roll } = square(face);
  const [across, down] = [step * Math.cos(roll), step * Math.sin(roll)];
  const middle = (SIDE * TAPS - 1) / 2;
  const sums = new Float32Array(SIDE * SIDE);
  for (let v = 0; v < SIDE * TAPS; v += 1) {
    const row = Math.floor(v / TAPS) * SIDE;
    for (let u = 0; u < SIDE * TAPS; u += 1) {
      const [right, below] = [u - middle, v - middle];
      sums[row + Math.floor(u / TAPS)] += grey(picture, x + across * right - down * below, y + down * right + across * below);
    }
  }
  return sums.map((sum) => Math.round(sum / TAPS ** 2));
}

/** Centre, roll, and how far two taps lie apart, in pixels of the picture. */
function square({ box: [left, top, width, height], landmarks }) {
  const size = Math.sqrt(width * height);
  const mean = (axis) => landmarks.filter((_, index) => index % 2 === axis).reduce((sum, value) => sum + value) / 5;
  const leans = Math.atan2(landmarks[3] - landmarks[1], landmarks[2] - landmarks[0]);
  return {
    x: (left + width / 2 + mean(0)) / 2,
    y: (top + height / 2 + mean(1)) / 2 + DOWN_PER_BOX * size,
    step: (SIDE_PER_BOX * size) / (SIDE * TAPS),
    roll: Math.abs(leans) <= LARGEST_ROLL ? leans : 0,
  };
}

/** Between the four pixels around; what lies outside of the picture repeats its edge. */
function grey({ width, height, pixels }, x, y) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, low] = [x - left, y - top];
  const column = (value) => Math.min(width - 1, Math.max(0, value)) * 4;
  const row = (value) => Math.min(height - 1, Math.max(0, value)) * width * 4;
  const [a, b, c, d] = [column(left), column(left + 1), row(top), row(top + 1)];
  const above = luminance(pixels, c + a) * (1 - right) + luminance(pixels, c + b) * right;
  const below = luminance(pixels, d + a) * (1 - right) + luminance(pixels, d + b) * right;
  return above * (1 - low) + below * low;
}

export function luminance(pixels, at) {
  return 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
}

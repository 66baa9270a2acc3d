// A face as the network wants it: docs/on-device.md defines the crop, ml/serving/preprocess.py makes the same. In whole numbers
// throughout, as OpenCV computes them: the quantised network would turn a difference of one grey level into percents.

export const SIDE = 48;
const TAPS = 3;
const SIDE_PER_BOX = 1.057;
const DOWN_PER_BOX = -0.041;
const LARGEST_ROLL = Math.PI / 4;
const FINE = 1024; // Steps of a pixel in which the map is computed; the picture is looked up in 32nds.

/** SIDE x SIDE grey levels, 0..255. `picture`: { width, height, pixels }, pixels: RGBA bytes. */
export function crop(picture, face) {
  const { x, y, step, roll } = square(face);
  const [across, down] = [step * Math.cos(roll), step * Math.sin(roll)];
  const count = SIDE * TAPS;
  const middle = (count - 1) / 2;
  const [left, top] = [x - (across - down) * middle, y - (down + across) * middle];
  const fine = (length, value) => Int32Array.from({ length }, (_, n) => Math.round(value(n) * FINE));
  const [rowX, rowY] = [fine(count, (v) => left - down * v), fine(count, (v) => top + across * v)];
  const [stepX, stepY] = [fine(count, (u) => across * u), fine(count, (u) => down * u)];
  const sums = new Float32Array(SIDE * SIDE);
  for (let v = 0; v < count; v += 1) {
    const row = Math.floor(v / TAPS) * SIDE;
    for (let u = 0; u < count; u += 1) {
      sums[row + Math.floor(u / TAPS)] += grey(picture, (rowX[v] + stepX[u] + 16) >> 5, (rowY[v] + stepY[u] + 16) >> 5);
    }
  }
  return sums.map((sum) => Math.floor((sum + 4) / 9));
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

/** At a place in 32nds of a pixel, between the four around; what lies outside of the picture repeats its edge. */
function grey({ width, height, pixels }, x, y) {
  const [right, low] = [x & 31, y & 31];
  const column = (value) => Math.min(width - 1, Math.max(0, value)) * 4;
  const row = (value) => Math.min(height - 1, Math.max(0, value)) * width * 4;
  const [near, far, above, below] = [column(x >> 5), column((x >> 5) + 1), row(y >> 5), row((y >> 5) + 1)];
  const mixed = (channel) => {
    const upper = pixels[above + near + channel] * (32 - right) + pixels[above + far + channel] * right;
    const lower = pixels[below + near + channel] * (32 - right) + pixels[below + far + channel] * right;
    return (upper * (32 - low) + lower * low + 512) >> 10;
  };
  return (mixed(0) * 4899 + mixed(1) * 9617 + mixed(2) * 1868 + 8192) >> 14;
}

export function luminance(pixels, at) {
  return 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
}

// YuNet in a browser: the same faces as ml/serving/yunet.py finds (the network: ml/serving/yunet_model.py). A picture is { width, height, pixels }, pixels: RGBA bytes.

const STRIDES = [8, 16, 32];
const CHANNELS = 16;
const SIZE_STEP = 32;
const SCORE = 0.6;
const OVERLAP = 0.3;
/** As ml.serving.faces.SCALES: sizes, as fractions of the picture's own, at which faces are looked for until some are found. */
export const SCALES = { quick: [0.5, 1], thorough: [1, 0.5, 2] };

/** The faces, the largest first: { box: [x, y, width, height], landmarks: [x, y] five times, score }, in pixels.
 *  `run(planes, height, width)`: the network's outputs, one for each stride. */
export async function detect(run, picture, scales) {
  for (const scale of scales) {
    const small = resized(picture, scale);
    const faces = await facesIn(run, small);
    if (faces.length) return faces.map((face) => enlarged(face, picture.width / small.width, picture.height / small.height)).sort(bySize);
  }
  return [];
}

async function facesIn(run, picture) {
  const [height, width] = [picture.height, picture.width].map((side) => Math.ceil(side / SIZE_STEP) * SIZE_STEP);
  const outputs = await run(planes(picture, height, width), height, width);
  return suppressed(STRIDES.flatMap((stride, level) => decoded(outputs[level], stride, width)));
}

/** Blue, green, red one after the other, the picture in the corner of a black canvas. */
function planes({ width, height, pixels }, high, wide) {
  const area = high * wide;
  const canvas = new Float32Array(3 * area);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0, at = y * width * 4, to = y * wide; x < width; x += 1, at += 4, to += 1) {
      canvas[to] = pixels[at + 2];
      canvas[area + to] = pixels[at + 1];
      canvas[2 * area + to] = pixels[at];
    }
  }
  return canvas;
}

const sigmoid = (value) => 1 / (1 + Math.exp(-value));

/** One stride's output as faces. Its channels, each with a number for every cell: logits of a face and of an object, four
 *  of the box, ten of the landmarks. */
function decoded(output, stride, width) {
  const [columns, cells] = [width / stride, output.length / CHANNELS];
  const faces = [];
  for (let cell = 0; cell < cells; cell += 1) {
    const score = Math.sqrt(sigmoid(output[cell]) * sigmoid(output[cells + cell]));
    if (score < SCORE) continue;
    const said = (number) => output[(2 + number) * cells + cell];
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    const [wide, high] = [Math.exp(said(2)) * stride, Math.exp(said(3)) * stride];
    const corner = [(column + said(0)) * stride - wide / 2, (row + said(1)) * stride - high / 2];
    const landmarks = Array.from({ length: 10 }, (_, k) => (said(4 + k) + (k % 2 ? row : column)) * stride);
    faces.push({ box: [...corner, wide, high], landmarks, score });
  }
  return faces;
}

/** The best of those that overlap, on boxes cut to whole pixels, as OpenCV does it. */
function suppressed(faces) {
  const kept = [];
  for (const face of faces.sort((one, other) => other.score - one.score)) {
    if (kept.every((better) => overlap(better.box, face.box) <= OVERLAP)) kept.push(face);
  }
  return kept;
}

function overlap(one, other) {
  const [[x, y, w, h], [a, b, c, d]] = [one.map(Math.trunc), other.map(Math.trunc)];
  const common = Math.max(0, Math.min(x + w, a + c) - Math.max(x, a)) * Math.max(0, Math.min(y + h, b + d) - Math.max(y, b));
  return common / (w * h + c * d - common);
}

function enlarged({ box, landmarks, score }, x, y) {
  const stretch = (value, index) => value * (index % 2 ? y : x);
  return { box: box.map(stretch), landmarks: landmarks.map(stretch), score };
}

const area = ({ box }) => box[2] * box[3];
const bySize = (one, other) => area(other) - area(one);

// -- The picture at another size

/** At half size each pixel is the mean of four, at double size it lies between its neighbours: as OpenCV does it. */
function resized(picture, scale) {
  if (scale === 1) return picture;
  return scale < 1 ? halved(picture) : doubled(picture);
}

function halved({ width, height, pixels }) {
  const [wide, high] = [width >> 1, height >> 1];
  const small = new Uint8ClampedArray(wide * high * 4);
  for (let y = 0, to = 0; y < high; y += 1) {
    for (let x = 0; x < wide * 4; x += 1, to += 1) {
      const at = 2 * y * width * 4 + (x >> 2) * 8 + (x & 3);
      small[to] = (pixels[at] + pixels[at + 4] + pixels[at + width * 4] + pixels[at + width * 4 + 4] + 2) >> 2;
    }
  }
  return { width: wide, height: high, pixels: small };
}

function doubled({ width, height, pixels }) {
  const large = new Uint8ClampedArray(width * height * 16);
  for (let y = 0, to = 0; y < 2 * height; y += 1) {
    const [up, near] = neighbours(y, height);
    for (let x = 0; x < 2 * width; x += 1) {
      const [left, close] = neighbours(x, width);
      for (let channel = 0; channel < 4; channel += 1, to += 1) {
        const value = (row, column) => pixels[(row * width + column) * 4 + channel];
        const sum = 9 * value(near, close) + 3 * (value(near, left) + value(up, close)) + value(up, left);
        large[to] = (sum + 8) >> 4;
      }
    }
  }
  return { width: 2 * width, height: 2 * height, pixels: large };
}

/** Of a line of the double size: the farther and the nearer line of the picture. */
function neighbours(line, count) {
  const near = line >> 1;
  return [Math.min(count - 1, Math.max(0, near + (line % 2 ? 1 : -1))), near];
}

// A picture in, what it shows out: detector, crop, network, as ml/serving/analyser.py does it. Nothing here sends anything.

import { SIDE, crop, luminance } from "./crop.js";
import { SCALES, detect } from "./detector.js";

const TOO_FAR = 0.12; // As ml.serving.analyser: shares of the frame's width, and of full brightness.
const TOO_DARK = 0.16;
const OPTIONS = { executionProviders: ["wasm"], graphOptimizationLevel: "all", intraOpNumThreads: 1 };

/** `urls`: { runtime, glue, wasm, detector, network }. Throws where one of them can't be had. */
export async function openReader(urls) {
  const ort = await import(urls.runtime);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { mjs: urls.glue, wasm: urls.wasm };
  const open = async (url) => ort.InferenceSession.create(await bytes(url), OPTIONS);
  return new Reader(ort, await open(urls.detector), await open(urls.network));
}

async function bytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  return new Uint8Array(await response.arrayBuffer());
}

class Reader {
  #ort;
  #detector;
  #network;

  constructor(ort, detector, network) {
    [this.#ort, this.#detector, this.#network] = [ort, detector, network];
  }

  /** { faces, count, help, dark }; each face: { box: fractions of the picture, probabilities: seven }.
   *  Of several faces the largest alone is read, unless `every` one is asked for. */
  async read(picture, every = false) {
    const found = await this.find(picture, every);
    const chosen = every ? found : found.slice(0, 1);
    const faces = [];
    for (const face of chosen) faces.push({ box: fractions(face.box, picture), probabilities: await this.classify(crop(picture, face)) });
    const dark = brightness(picture) < TOO_DARK;
    return { faces, count: found.length, dark, help: help(dark, found[0], picture) };
  }

  /** The faces as detector.js gives them. */
  find(picture, every = false) {
    return detect((...input) => this.#detect(...input), picture, every ? SCALES.thorough : SCALES.quick);
  }

  /** Seven calibrated probabilities of a cropped face. */
  async classify(face) {
    const { [this.#network.outputNames[0]]: output } = await this.#run(this.#network, face, [1, 1, SIDE, SIDE]);
    return [...output.data];
  }

  async #detect(planes, height, width) {
    const outputs = await this.#run(this.#detector, planes, [1, 3, height, width]);
    return this.#detector.outputNames.map((name) => outputs[name].data);
  }

  #run(session, values, shape) {
    return session.run({ [session.inputNames[0]]: new this.#ort.Tensor("float32", values, shape) });
  }
}

function fractions([x, y, width, height], picture) {
  return [x / picture.width, y / picture.height, width / picture.width, height / picture.height];
}

/** The mean of every fourth row, 0..1. */
function brightness({ width, height, pixels }) {
  let [sum, count] = [0, 0];
  for (let y = 0; y < height; y += 4) {
    for (let at = y * width * 4; at < (y + 1) * width * 4; at += 4, count += 1) sum += luminance(pixels, at);
  }
  return sum / count / 255;
}

/** The one thing that the student should change first. */
function help(dark, face, picture) {
  if (dark) return "too_dark";
  if (!face) return "no_face";
  return face.box[2] < TOO_FAR * picture.width ? "too_far" : null;
}

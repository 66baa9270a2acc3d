// The worker in which faces are read. Its own response allows WebAssembly; the page's policy stays as strict as it was.
//
// In:  { urls } open; { id, width, height, pixels, every } read (pixels: an ArrayBuffer of RGBA bytes)
// Out: { ready: true, ms } or { failed: why }; { id, reading }, or { id, failed }   ms: how long one reading takes

import { openReader } from "./reader.js";

const WARM_UP = [3, 3]; // Pictures read before the first one counts, and pictures timed.
const PICTURE = { width: 320, height: 240 };
let reader = null;

async function open(urls) {
  try {
    reader = await openReader(urls);
    self.postMessage({ ready: true, ms: await measured() });
  } catch (error) {
    self.postMessage({ failed: String(error) });
  }
}

/** A reading's time on this device: the search at both sizes and the network, on a picture of nothing. */
async function measured() {
  const picture = { ...PICTURE, pixels: new Uint8ClampedArray(PICTURE.width * PICTURE.height * 4) };
  const nothing = new Float32Array(48 * 48);
  let began = 0;
  for (let round = -WARM_UP[0]; round < WARM_UP[1]; round += 1) {
    if (round === 0) began = performance.now();
    await reader.find(picture);
    await reader.classify(nothing);
  }
  return (performance.now() - began) / WARM_UP[1];
}

async function read({ id, width, height, pixels, every }) {
  try {
    const reading = await reader.read({ width, height, pixels: new Uint8ClampedArray(pixels) }, every);
    self.postMessage({ id, reading });
  } catch (error) {
    self.postMessage({ id, failed: String(error) });
  }
}

self.onmessage = ({ data }) => (data.urls ? open(data.urls) : read(data));

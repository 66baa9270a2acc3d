// A worker that takes pictures from the camera and encodes them. On a hidden page both must happen here: the page's own
// video may stand still, and the browser encodes for a hidden page only when it has nothing else to do.
//
// In:  { size: { width, height } } other pictures than of one face; { readable } another camera, from now on: the frames
//      of its track, or null where bitmaps come; { id, bitmap?, raw } take the bitmap, if it shows something new, or the
//      next frame
// Out: { id, jpeg, captured_ms, still_ms } jpeg: ArrayBuffer, or null when no frame came, or it could not be encoded;
//      still_ms: for how long none came
//      with `raw` no JPEG: { id, pixels, width, height, captured_ms, still_ms } pixels: ArrayBuffer of RGBA bytes

const QUALITY = 0.7;
const PATIENCE_MS = 1000;

const canvas = new OffscreenCanvas(320, 240);
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
let reader = null;
let wanted = null;
let raw = false;
let giveUp = 0;
let arrived = performance.now();
let shown = 0; // The sum of the last bitmap's pixels.

function begin(readable) {
  reader?.cancel();
  reader = readable?.getReader() ?? null;
  arrived = performance.now();
  if (reader) follow(reader);
}

// No frame is held: a camera has few buffers, and stands still when they are all taken.
async function follow(mine) {
  for (;;) {
    const { value: frame, done } = await mine.read();
    if (done) return;
    arrived = performance.now();
    if (wanted !== null && mine === reader) take(frame);
    frame.close();
  }
}

// The middle of the picture, as `object-fit: cover` shows it in the page: what you see is what is read.
function draw(picture, width, height) {
  const scale = Math.max(canvas.width / width, canvas.height / height);
  const [w, h] = [width * scale, height * scale];
  context.drawImage(picture, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
}

/** Whether the canvas shows something else than the last time: a camera's noise never comes twice. */
function changed() {
  const before = shown;
  shown = 0;
  for (const pixel of new Uint32Array(pixels().buffer)) shown = (Math.imul(shown, 31) + pixel) | 0;
  return shown !== before;
}

const pixels = () => context.getImageData(0, 0, canvas.width, canvas.height).data;

function take(frame) {
  clearTimeout(giveUp);
  return answered(() => {
    draw(frame, frame.displayWidth, frame.displayHeight);
    return handOver();
  });
}

function takeBitmap(bitmap) {
  return answered(() => {
    draw(bitmap, bitmap.width, bitmap.height);
    bitmap.close();
    if (!changed()) return nothing();
    arrived = performance.now();
    return handOver();
  });
}

/** Whoever asked for a picture waits: also what goes wrong is answered, and the next picture may do. */
async function answered(work) {
  const id = wanted;
  try {
    await work();
  } catch (error) {
    console.warn("A picture could not be taken:", error);
    if (wanted === id) wanted = null;
    self.postMessage({ id, jpeg: null, captured_ms: 0, still_ms: 0 });
  }
}

/** What the canvas shows. */
async function handOver() {
  const [id, captured_ms] = [wanted, Date.now()];
  wanted = null;
  if (raw) {
    const [{ width, height }, { buffer }] = [canvas, pixels()];
    return self.postMessage({ id, pixels: buffer, width, height, captured_ms, still_ms: 0 }, [buffer]);
  }
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  const jpeg = await blob.arrayBuffer();
  return self.postMessage({ id, jpeg, captured_ms, still_ms: 0 }, [jpeg]);
}

function nothing() {
  const id = wanted;
  wanted = null;
  self.postMessage({ id, jpeg: null, captured_ms: 0, still_ms: performance.now() - arrived });
}

function grab({ id, bitmap, raw: asPixels }) {
  clearTimeout(giveUp); // Of a camera before this one.
  wanted = id;
  raw = Boolean(asPixels);
  if (bitmap) takeBitmap(bitmap);
  else giveUp = setTimeout(nothing, PATIENCE_MS);
}

self.onmessage = ({ data }) => {
  if (data.size) Object.assign(canvas, data.size);
  else if ("readable" in data) begin(data.readable);
  else grab(data);
};

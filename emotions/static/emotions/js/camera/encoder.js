// A worker that holds the camera's newest picture and encodes it when asked. On a hidden page both must happen here:
// the page's own video may stand still, and the browser encodes for a hidden page only when it has nothing else to do.
//
// In:  { readable } the frames of a track, from now on; { id, bitmap? } encode (the bitmap, or the newest frame)
// Out: { id, jpeg, captured_ms, age_ms } jpeg: ArrayBuffer, or null when there is no picture newer than the last one

const WIDTH = 320;
const HEIGHT = 240;
const QUALITY = 0.7;

const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
const context = canvas.getContext("2d", { alpha: false });
let reader = null;
let newest = null;
let arrived = performance.now();
let taken = false;

async function follow(readable) {
  const mine = readable.getReader();
  reader?.cancel();
  reader = mine;
  arrived = performance.now();
  for (;;) {
    const { value, done } = await mine.read();
    if (done || mine !== reader) return value?.close();
    newest?.close();
    newest = value;
    arrived = performance.now();
    taken = false;
  }
}

// The middle 4:3 of the picture, as `object-fit: cover` shows it in the page: what you see is what is read.
function draw(picture, width, height) {
  const scale = Math.max(WIDTH / width, HEIGHT / height);
  const [w, h] = [width * scale, height * scale];
  context.drawImage(picture, (WIDTH - w) / 2, (HEIGHT - h) / 2, w, h);
}

async function encode() {
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  return blob.arrayBuffer();
}

async function grab(id, bitmap) {
  const age_ms = bitmap ? 0 : performance.now() - arrived;
  const picture = bitmap ?? (taken ? null : newest);
  if (!picture) return self.postMessage({ id, jpeg: null, captured_ms: 0, age_ms });
  const captured_ms = Date.now() - age_ms;
  draw(picture, bitmap ? bitmap.width : picture.displayWidth, bitmap ? bitmap.height : picture.displayHeight);
  taken = !bitmap;
  bitmap?.close();
  const jpeg = await encode();
  return self.postMessage({ id, jpeg, captured_ms, age_ms }, [jpeg]);
}

self.onmessage = ({ data }) => (data.readable ? follow(data.readable) : grab(data.id, data.bitmap));

// One frame on the wire: sequence (uint32), captured_ms (float64), consent epoch (uint32), big-endian; then the JPEG.

const HEADER_BYTES = 16;
const READING_BYTES = HEADER_BYTES + 46;
const HELPS = [null, "too_far", "too_dark"];

/** A reading instead of a frame: the same header, seven probabilities and the box (float32), faces, help (a byte each). */
export function packReading(sequence, capturedMs, consentEpoch, { faces: [face], count, help }) {
  const message = new ArrayBuffer(READING_BYTES);
  new Uint8Array(message).set(new Uint8Array(packFrame(sequence, capturedMs, consentEpoch, new ArrayBuffer(0))));
  const body = new DataView(message, HEADER_BYTES);
  [...face.probabilities, ...face.box].forEach((value, index) => body.setFloat32(4 * index, value));
  body.setUint8(44, Math.min(255, count));
  body.setUint8(45, Math.max(0, HELPS.indexOf(help)));
  return message;
}

/** The whole message, as an ArrayBuffer. `capturedMs`: this browser's clock, Unix milliseconds. */
export function packFrame(sequence, capturedMs, consentEpoch, jpeg) {
  const message = new Uint8Array(HEADER_BYTES + jpeg.byteLength);
  const header = new DataView(message.buffer);
  header.setUint32(0, sequence);
  header.setFloat64(4, capturedMs);
  header.setUint32(12, consentEpoch);
  message.set(new Uint8Array(jpeg), HEADER_BYTES);
  return message.buffer;
}

// One frame on the wire: sequence (uint32), captured_ms (float64), consent epoch (uint32), big-endian; then the JPEG.

export const HEADER_BYTES = 16;

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

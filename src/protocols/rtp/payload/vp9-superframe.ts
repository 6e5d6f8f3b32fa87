import { badPayload } from './malformed.ts';

/** frames_in_superframe_minus_1 has three bits (VP9 bitstream specification, annex B). */
export const SUPERFRAME_FRAMES_MAX = 8;
const MARKER = 0xc0;
const MARKER_MASK = 0xe0;

/**
 * Frames that are decoded together as one chunk with a superframe index (annex B), newly made; a single frame is given back as it is.
 * Frames that are superframes themselves are taken apart first. Throws `rtp.bad-vp9-payload` above 8 frames.
 */
export function joinSuperframe(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return first;
  const frames = chunks.flatMap(framesOf);
  if (frames.length > SUPERFRAME_FRAMES_MAX) {
    throw badPayload('vp9', `${frames.length} frames in one picture; at most ${SUPERFRAME_FRAMES_MAX} fit into a superframe`);
  }
  const largest = Math.max(...frames.map((frame) => frame.length));
  const sizeBytes = largest < 0x100 ? 1 : largest < 0x1_0000 ? 2 : largest < 0x100_0000 ? 3 : 4;
  const contentBytes = frames.reduce((size, frame) => size + frame.length, 0);
  const whole = new Uint8Array(contentBytes + 2 + sizeBytes * frames.length);
  const marker = MARKER | ((sizeBytes - 1) << 3) | (frames.length - 1);
  let frameAt = 0;
  let indexAt = contentBytes + 1;
  for (const frame of frames) {
    whole.set(frame, frameAt);
    frameAt += frame.length;
    // Sizes are little-endian.
    for (let byte = 0; byte < sizeBytes; byte += 1) whole[indexAt + byte] = frame.length >>> (8 * byte);
    indexAt += sizeBytes;
  }
  whole[contentBytes] = marker;
  whole[indexAt] = marker;
  return whole;
}

/** The frames of a superframe, without its index; the chunk itself when it has no valid index. */
function framesOf(chunk: Uint8Array): Uint8Array[] {
  const marker = chunk.at(-1) ?? 0;
  const sizeBytes = ((marker >> 3) & 3) + 1;
  const count = (marker & 7) + 1;
  const indexAt = chunk.length - 2 - sizeBytes * count;
  if ((marker & MARKER_MASK) !== MARKER || indexAt < 0 || chunk[indexAt] !== marker) return [chunk];
  const frames: Uint8Array[] = [];
  let frameAt = 0;
  for (let index = 0; index < count; index += 1) {
    let size = 0;
    for (let byte = 0; byte < sizeBytes; byte += 1) size += (chunk[indexAt + 1 + index * sizeBytes + byte] ?? 0) * 2 ** (8 * byte);
    if (size === 0 || frameAt + size > indexAt) return [chunk];
    frames.push(chunk.subarray(frameAt, frameAt + size));
    frameAt += size;
  }
  return frames;
}

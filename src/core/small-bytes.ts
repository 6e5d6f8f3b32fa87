/** A buffer for small arrays, until it is full: one of its own for each costs four times as much, and work for the garbage collector. */
const SHARED_BYTES = 8_192;
/** Longer arrays get a buffer of their own. */
const SMALL_BYTES_MAX = 4_096;

let shared = new Uint8Array(SHARED_BYTES);
let used = 0;

/** An array of zeroes, newly made; where it is small, its `buffer` has others in it. */
export function smallBytes(length: number): Uint8Array {
  if (length > SMALL_BYTES_MAX) return new Uint8Array(length);
  if (used + length > SHARED_BYTES) {
    shared = new Uint8Array(SHARED_BYTES);
    used = 0;
  }
  used += length;
  return shared.subarray(used - length, used);
}

/** The first `length` bytes of what {@link smallBytes} has just given; the rest, in which nothing was written, may be given to others. */
export function shortened(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.buffer === shared.buffer && bytes.byteOffset + bytes.length === used) used -= bytes.length - length;
  return bytes.subarray(0, length);
}

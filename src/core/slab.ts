const SLAB_BYTES = 65_536;
/** What is left of a slab when a piece does not fit goes to waste, and a piece that is kept keeps all of its slab: both stay small against it. */
const PIECE_BYTES_MAX = SLAB_BYTES / 4;

/**
 * Gives bytes for messages, short ones out of buffers that they share. A buffer of its own costs a message more than the copy into it, and the garbage
 * collector frees each by itself, thousands in one pause.
 */
export class Slab {
  private bytes: Uint8Array = new Uint8Array(0);
  private used = 0;

  /** Bytes that are zero and nobody else's. */
  take(length: number): Uint8Array {
    if (length > PIECE_BYTES_MAX) return new Uint8Array(length);
    if (this.used + length > this.bytes.length) {
      this.bytes = new Uint8Array(SLAB_BYTES);
      this.used = 0;
    }
    this.used += length;
    return this.bytes.subarray(this.used - length, this.used);
  }
}

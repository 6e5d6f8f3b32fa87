import { ProtocolError } from '../../../core/mod.ts';
import type { RtpPayloads } from './payload-format.ts';

const FRAME_TOO_LARGE = 'rtp.frame-too-large';
/** The most that the payloads of one frame may take together. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;
/** The most payloads of one frame: half of the sequence numbers that can be told apart. */
const FRAME_PAYLOADS_MAX = 16_384;
const INITIAL_BYTES = 16 * 1024;
const INITIAL_PAYLOADS = 64;

/** The payloads of one frame, in memory that is kept from frame to frame and grows within bounds. */
export class PayloadBuffer implements RtpPayloads {
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  lengths: Uint16Array = new Uint16Array(INITIAL_PAYLOADS);
  count = 0;
  private end = 0;

  reset(): void {
    this.count = 0;
    this.end = 0;
  }

  /** Appends a payload of `length` bytes and returns where in `bytes` it begins; the caller writes all of it. Throws `rtp.frame-too-large`. */
  add(length: number): number {
    const start = this.end;
    const end = start + length;
    if (end > FRAME_BYTES_MAX || this.count >= FRAME_PAYLOADS_MAX) {
      throw new ProtocolError(
        FRAME_TOO_LARGE,
        `a frame of more than ${Math.min(end, FRAME_BYTES_MAX)} bytes or ${this.count} payloads; at most ${FRAME_BYTES_MAX} bytes in ${FRAME_PAYLOADS_MAX} payloads are sent`,
      );
    }
    if (end > this.bytes.length) this.growBytes(end);
    if (this.count === this.lengths.length) this.growLengths();
    this.lengths[this.count] = length;
    this.count += 1;
    this.end = end;
    return start;
  }

  /** Appends a payload that is a copy of `content`. Throws `rtp.frame-too-large`. */
  put(content: Uint8Array): void {
    // First the place, which may be in other memory than before.
    const start = this.add(content.length);
    this.bytes.set(content, start);
  }

  private growBytes(needed: number): void {
    const larger = new Uint8Array(Math.min(FRAME_BYTES_MAX, Math.max(needed, this.bytes.length * 2)));
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }

  private growLengths(): void {
    const larger = new Uint16Array(this.lengths.length * 2);
    larger.set(this.lengths);
    this.lengths = larger;
  }
}

/** The size of the pieces into which `size` bytes go in as few pieces as `sizeMax` allows: all equal, only the last may be smaller. */
export function equalPieceSize(size: number, sizeMax: number): number {
  return Math.ceil(size / Math.ceil(size / sizeMax));
}

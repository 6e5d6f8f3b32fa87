import { ProtocolError } from './errors.ts';

/**
 * Reads bit fields, most significant bit first, from borrowed bytes.
 * Reading past the end throws `ProtocolError` with code `core.truncated`.
 */
export class BitReader {
  private readonly bytes: Uint8Array;
  /** The next bit's position from the start. */
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get offsetBits(): number {
    return this.at;
  }

  get remainingBits(): number {
    return this.bytes.length * 8 - this.at;
  }

  /** An unsigned integer of `length` bits, 0 to 32. */
  bits(length: number): number {
    this.need(length);
    let value = 0;
    let left = length;
    while (left > 0) {
      const byte = this.bytes[this.at >> 3] ?? 0;
      const available = 8 - (this.at & 7);
      const taken = Math.min(available, left);
      const chunk = (byte >> (available - taken)) & ((1 << taken) - 1);
      // Not a shift: 32-bit values must stay unsigned.
      value = value * 2 ** taken + chunk;
      this.at += taken;
      left -= taken;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  skip(length: number): void {
    this.need(length);
    this.at += length;
  }

  /** Goes on to the next whole byte; stays where it is when already there. */
  align(): void {
    this.at = (this.at + 7) & ~7;
  }

  /**
   * An unsigned Exp-Golomb number, ue(v) of ITU-T H.264 9.1, up to 2^32 - 2.
   * More leading zeros than that allows throw `core.bad-exp-golomb`.
   */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > 31)
        throw new ProtocolError('core.bad-exp-golomb', `an Exp-Golomb number has more than 31 leading zero bits at bit ${this.at}`);
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** A signed Exp-Golomb number, se(v) of ITU-T H.264 9.1.1. */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : 0 - code / 2;
  }

  private need(length: number): void {
    if (length < 0 || length > this.remainingBits) {
      throw new ProtocolError('core.truncated', `needed ${length} bits at bit ${this.at}, but only ${this.remainingBits} are left`);
    }
  }
}

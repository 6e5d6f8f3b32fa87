import { ProtocolError } from './errors.ts';

/**
 * Reads big-endian fields from borrowed bytes. Slices share memory with the input.
 * Reading past the end throws `ProtocolError` with code `core.truncated`.
 */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.at;
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  private take(length: number): number {
    if (length < 0 || length > this.remaining) {
      throw new ProtocolError('core.truncated', `needed ${length} bytes at offset ${this.at}, but only ${this.remaining} are left`);
    }
    const start = this.at;
    this.at += length;
    return start;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }
  i8(): number {
    return this.view.getInt8(this.take(1));
  }
  u16(): number {
    return this.view.getUint16(this.take(2));
  }
  i16(): number {
    return this.view.getInt16(this.take(2));
  }
  u24(): number {
    const start = this.take(3);
    return (this.view.getUint16(start) << 8) | this.view.getUint8(start + 2);
  }
  i24(): number {
    return (this.u24() << 8) >> 8;
  }
  u32(): number {
    return this.view.getUint32(this.take(4));
  }
  i32(): number {
    return this.view.getInt32(this.take(4));
  }
  /** An unsigned 64-bit integer; `core.integer-too-large` above 2^53 - 1. */
  u64(): number {
    const value = this.view.getBigUint64(this.take(8));
    if (value > 9007199254740991n) throw new ProtocolError('core.integer-too-large', `64-bit value ${value} is above 2^53 - 1`);
    return Number(value);
  }
  f64(): number {
    return this.view.getFloat64(this.take(8));
  }
  u32le(): number {
    return this.view.getUint32(this.take(4), true);
  }

  /** A view of the next `length` bytes, sharing memory. */
  slice(length: number): Uint8Array {
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }
  /** A view of everything left, sharing memory. */
  rest(): Uint8Array {
    return this.slice(this.remaining);
  }
  skip(length: number): void {
    this.take(length);
  }
}

/** Appends big-endian fields to a buffer that grows. `finish` returns a view of what was written and gives it away. */
export class ByteWriter {
  private bytes: Uint8Array;
  private view: DataView;
  private at = 0;

  constructor(initialSizeBytes = 256) {
    this.bytes = new Uint8Array(initialSizeBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  get length(): number {
    return this.at;
  }

  private grow(length: number): number {
    const start = this.at;
    const end = start + length;
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, start));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.at = end;
    return start;
  }

  u8(value: number): this {
    const start = this.grow(1);
    this.view.setUint8(start, value);
    return this;
  }
  u16(value: number): this {
    const start = this.grow(2);
    this.view.setUint16(start, value);
    return this;
  }
  u24(value: number): this {
    const start = this.grow(3);
    this.view.setUint8(start, value >>> 16);
    this.view.setUint16(start + 1, value & 0xffff);
    return this;
  }
  u32(value: number): this {
    const start = this.grow(4);
    this.view.setUint32(start, value);
    return this;
  }
  u32le(value: number): this {
    const start = this.grow(4);
    this.view.setUint32(start, value, true);
    return this;
  }
  u64(value: number): this {
    const start = this.grow(8);
    this.view.setBigUint64(start, BigInt(value));
    return this;
  }
  f64(value: number): this {
    const start = this.grow(8);
    this.view.setFloat64(start, value);
    return this;
  }
  put(bytes: Uint8Array): this {
    const start = this.grow(bytes.length);
    this.bytes.set(bytes, start);
    return this;
  }
  zeros(length: number): this {
    this.grow(length);
    return this;
  }
  /** Overwrites four bytes written before, e.g. a box size known only at its end. */
  patchU32(offset: number, value: number): this {
    this.view.setUint32(offset, value);
    return this;
  }

  /** The bytes written, given to the caller; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }
}

import { ProtocolError, Slab } from '../../core/mod.ts';

const LENGTH_BYTES = 4;

/** Cuts a byte stream into messages. Each is copied once, so that a frame that is kept does not keep a large read in memory, only its slab. */
export class MessageSplitter {
  /** The longest message taken; more of it is `relay.message-too-large`. */
  bytesMax: number;
  private readonly head: Uint8Array = new Uint8Array(LENGTH_BYTES);
  private headBytes = 0;
  private body: Uint8Array | undefined = undefined;
  private bodyBytes = 0;
  private readonly slab = new Slab();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** `bytes` are borrowed; what `take` gets is given, and without its length. */
  push(bytes: Uint8Array, take: (message: Uint8Array) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.body === undefined) {
        const missing = Math.min(LENGTH_BYTES - this.headBytes, bytes.length - at);
        this.head.set(bytes.subarray(at, at + missing), this.headBytes);
        this.headBytes += missing;
        at += missing;
        if (this.headBytes === LENGTH_BYTES) this.begin();
        continue;
      }
      const count = Math.min(this.body.length - this.bodyBytes, bytes.length - at);
      this.body.set(bytes.subarray(at, at + count), this.bodyBytes);
      this.bodyBytes += count;
      at += count;
      if (this.bodyBytes === this.body.length) {
        const { body } = this;
        this.body = undefined;
        this.headBytes = 0;
        take(body);
      }
    }
  }

  private begin(): void {
    const [a = 0, b = 0, c = 0, d = 0] = this.head;
    const length = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    if (length === 0 || length > this.bytesMax) {
      throw new ProtocolError('relay.message-too-large', `a relay message of ${length} bytes; 1 to ${this.bytesMax} are taken`);
    }
    this.body = this.slab.take(length);
    this.bodyBytes = 0;
  }
}

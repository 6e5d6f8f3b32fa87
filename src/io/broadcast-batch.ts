import { WEBSOCKET_HEADER_BYTES_MAX, websocketHeader } from './viewer-socket.ts';

/** Units sealed together: the same buffer is written to every viewer. */
export interface Batch {
  readonly number: number;
  readonly startsGop: boolean;
  /** When its first unit came in, for measuring latency. */
  readonly sinceMs: number;
  readonly raw: Buffer;
  /** The same memory with a WebSocket frame header in front. */
  readonly framed: Buffer;
}

/** Units waiting to be sent together. */
export class PendingBatch {
  private units: Uint8Array[] = [];
  private bytes = 0;
  private sinceMs = 0;
  private startsGop = false;
  private number = 0;

  get isEmpty(): boolean {
    return this.units.length === 0;
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  add(unit: Uint8Array, startsGop: boolean, now: number): void {
    if (this.isEmpty) {
      this.sinceMs = now;
      this.startsGop = startsGop;
    }
    this.units.push(unit);
    this.bytes += unit.length;
  }

  /** Copies the units into one buffer, with room in front for a WebSocket header, and starts anew. */
  seal(): Batch {
    const bytes = Buffer.allocUnsafe(WEBSOCKET_HEADER_BYTES_MAX + this.bytes);
    let at = WEBSOCKET_HEADER_BYTES_MAX;
    for (const unit of this.units) {
      bytes.set(unit, at);
      at += unit.length;
    }
    const header = websocketHeader(this.bytes);
    const start = WEBSOCKET_HEADER_BYTES_MAX - header.length;
    bytes.set(header, start);
    const { startsGop, sinceMs } = this;
    this.units = [];
    this.bytes = 0;
    return { number: this.number++, startsGop, sinceMs, raw: bytes.subarray(WEBSOCKET_HEADER_BYTES_MAX), framed: bytes.subarray(start) };
  }

  /** The number that the batch now open will get. */
  get nextNumber(): number {
    return this.number;
  }
}

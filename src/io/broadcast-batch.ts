import { SharedFile } from './shared-file.ts';
import { WEBSOCKET_HEADER_BYTES_MAX, websocketHeader } from './viewer-socket.ts';

/** Units sealed together: the same buffer is written to every viewer. */
export interface Batch {
  readonly number: number;
  readonly startsGop: boolean;
  /** The packager's headers that were in force for its first unit. */
  readonly headers: Uint8Array;
  /** When its first unit came in, for measuring latency. */
  readonly sinceMs: number;
  readonly raw: Buffer;
  /** The same memory with a WebSocket frame header in front. */
  readonly framed: Buffer;
  /** The framed bytes again, for sockets that the kernel can send them to by itself; to be closed when all have them. */
  readonly file: SharedFile | undefined;
}

/** Units waiting to be sent together. */
export class PendingBatch {
  private units: Uint8Array[] = [];
  private bytes = 0;
  private sinceMs = 0;
  private startsGop = false;
  private headers: Uint8Array = new Uint8Array(0);
  private number = 0;

  get isEmpty(): boolean {
    return this.units.length === 0;
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  /** How long its first unit has waited. */
  ageMs(now: number): number {
    return now - this.sinceMs;
  }

  /** Notes what its first unit, which has to be added next, says of the batch. */
  open(startsGop: boolean, headers: Uint8Array, now: number): void {
    this.startsGop = startsGop;
    this.headers = headers;
    this.sinceMs = now;
  }

  add(unit: Uint8Array): void {
    this.units.push(unit);
    this.bytes += unit.length;
  }

  /** Copies the units into one buffer, with room in front for a WebSocket header, and starts anew. `isForMany`: a file is worth it. */
  seal(isForMany: boolean): Batch {
    const bytes = Buffer.allocUnsafe(WEBSOCKET_HEADER_BYTES_MAX + this.bytes);
    let at = WEBSOCKET_HEADER_BYTES_MAX;
    for (const unit of this.units) {
      bytes.set(unit, at);
      at += unit.length;
    }
    const header = websocketHeader(this.bytes);
    const start = WEBSOCKET_HEADER_BYTES_MAX - header.length;
    bytes.set(header, start);
    const { startsGop, headers, sinceMs } = this;
    this.units = [];
    this.bytes = 0;
    const raw = bytes.subarray(WEBSOCKET_HEADER_BYTES_MAX);
    const framed = bytes.subarray(start);
    const file = isForMany ? SharedFile.make([framed]) : undefined;
    return { number: this.number++, startsGop, headers, sinceMs, raw, framed, file };
  }

  /** The number that the batch now open will get. */
  get nextNumber(): number {
    return this.number;
  }
}

import { MESSAGE } from './rtmp-wire.ts';

/** How much of each message is kept: enough for small commands and a video frame's sent-time SEI. */
const HEAD_SIZE = 256;
const HEADER_SIZE_MAX = 3 + 11 + 4;
// By the six low bits of the first byte; everything above 1 is the chunk stream's number itself.
const BASIC_HEADER_SIZES = [2, 3] as const;
const MESSAGE_HEADER_SIZES = [11, 7, 3, 0] as const;

export interface RtmpScannerListener {
  /** A message is complete. `head` holds its first bytes (at most 256), borrowed. `timestamp` in ms. */
  message(type: number, timestamp: number, head: Buffer): void;
}

class ChunkStream {
  timestamp = 0;
  delta = 0;
  length = 0;
  type = 0;
  isExtended = false;
  read = 0;
  readonly head: Buffer = Buffer.alloc(HEAD_SIZE);
}

/** Walks over an RTMP chunk stream from chunk to chunk; payloads beyond each message's first bytes are skipped, not copied. */
export class RtmpScanner {
  private readonly listener: RtmpScannerListener;
  private readonly streams = new Map<number, ChunkStream>();
  private chunkSize = 128;
  private readonly header = Buffer.alloc(HEADER_SIZE_MAX);
  private headerSize = 0;
  private current: ChunkStream | undefined;
  private left = 0;

  constructor(listener: RtmpScannerListener) {
    this.listener = listener;
  }

  /** Takes borrowed bytes. */
  receive(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) at = this.current === undefined ? this.readHeader(bytes, at) : this.readPayload(this.current, bytes, at);
  }

  private readHeader(bytes: Buffer, at: number): number {
    this.header[this.headerSize++] = bytes[at] ?? 0;
    const basicSize = BASIC_HEADER_SIZES[(this.header[0] ?? 0) & 0x3f] ?? 1;
    if (this.headerSize < basicSize) return at + 1;
    const format = (this.header[0] ?? 0) >> 6;
    const fieldsSize = MESSAGE_HEADER_SIZES[format as 0 | 1 | 2 | 3];
    if (this.headerSize < basicSize + fieldsSize) return at + 1;
    const id =
      basicSize === 1 ? (this.header[0] ?? 0) & 0x3f : 64 + (this.header[1] ?? 0) + (basicSize === 3 ? (this.header[2] ?? 0) * 256 : 0);
    const stream = this.streams.get(id) ?? new ChunkStream();
    this.streams.set(id, stream);
    const isExtended = format === 3 ? stream.isExtended : this.header.readUIntBE(basicSize, 3) === 0xffffff;
    if (isExtended && this.headerSize < basicSize + fieldsSize + 4) return at + 1;
    this.begin(stream, format, basicSize, isExtended ? this.header.readUInt32BE(basicSize + fieldsSize) : undefined);
    return at + 1;
  }

  private begin(stream: ChunkStream, format: number, basicSize: number, extended: number | undefined): void {
    const { header } = this;
    stream.isExtended = extended !== undefined;
    if (format < 2) {
      stream.length = header.readUIntBE(basicSize + 3, 3);
      stream.type = header[basicSize + 6] ?? 0;
    }
    if (stream.read === 0) {
      const time = format < 3 ? (extended ?? header.readUIntBE(basicSize, 3)) : stream.delta;
      stream.timestamp = format === 0 ? time : (stream.timestamp + time) % 2 ** 32;
      stream.delta = format === 0 ? 0 : time;
    }
    this.headerSize = 0;
    this.current = stream;
    this.left = Math.min(this.chunkSize, stream.length - stream.read);
    if (this.left === 0) this.complete(stream);
  }

  private readPayload(stream: ChunkStream, bytes: Buffer, at: number): number {
    const step = Math.min(this.left, bytes.length - at);
    if (stream.read < HEAD_SIZE) bytes.copy(stream.head, stream.read, at, at + Math.min(step, HEAD_SIZE - stream.read));
    stream.read += step;
    this.left -= step;
    if (this.left === 0) {
      if (stream.read === stream.length) this.complete(stream);
      else this.current = undefined;
    }
    return at + step;
  }

  private complete(stream: ChunkStream): void {
    this.current = undefined;
    const size = Math.min(HEAD_SIZE, stream.read);
    stream.read = 0;
    if (stream.type === MESSAGE.setChunkSize && size >= 4) this.chunkSize = stream.head.readUInt32BE(0) & 0x7fffffff;
    else this.listener.message(stream.type, stream.timestamp, stream.head.subarray(0, size));
  }
}

import { ProtocolError, Slab } from '../../core/mod.ts';
import { EXTENDED_TIMESTAMP, MessageType } from './message.ts';

/** Takes complete messages. `body` is given: a fresh array of exactly the message's length. */
export interface ChunkReaderOutput {
  /** `timestamp` is the absolute 32-bit value in milliseconds; it wraps. Called for every type but Set Chunk Size and Abort. */
  message(typeId: number, timestamp: number, messageStreamId: number, body: Uint8Array): void;
}

/** Bounds on what a peer may make the reader hold. */
export interface ChunkReaderLimits {
  /** The largest chunk size a peer may set. Chunks are copied straight into their message, so a large one costs no memory. */
  readonly chunkSizeMax: number;
  /** The longest message, in bytes. May be raised while the connection goes on. */
  messageSizeMax: number;
  /** How many chunk streams a peer may open. */
  readonly chunkStreamsMax: number;
  /** The bytes of all incomplete messages together. */
  readonly partialBytesMax: number;
}

/** Limits that fit every publisher seen in the field. */
export const defaultChunkReaderLimits: ChunkReaderLimits = {
  chunkSizeMax: 0x7fffffff,
  messageSizeMax: 8 * 1024 * 1024,
  chunkStreamsMax: 64,
  partialBytesMax: 16 * 1024 * 1024,
};

const INITIAL_CHUNK_SIZE = 128;
const MESSAGE_HEADER_BYTES = [11, 7, 3, 0] as const;
// Basic header 3, message header 11, extended timestamp 4.
const HEADER_BYTES_MAX = 18;

/** What the headers of one chunk stream say so far, and its incomplete message. */
class ChunkStream {
  timestamp = 0;
  /** What a fmt 3 chunk that starts a message adds: the last delta, or after fmt 0 the timestamp (5.3.1.2.4). */
  delta = 0;
  /** The value of the last extended timestamp field, or -1 where the last header had none. */
  extended = -1;
  length = 0;
  typeId = 0;
  messageStreamId = 0;
  hasHeader = false;
  /** The message being assembled, and how much of it has come. */
  body: Uint8Array | undefined = undefined;
  filled = 0;
}

/** Demultiplexes a chunk stream (RTMP 1.0, 5.3) into messages; each message's bytes are copied once at the most. */
export class ChunkReader {
  private readonly out: ChunkReaderOutput;
  private readonly limits: ChunkReaderLimits;
  private readonly streams = new Map<number, ChunkStream>();
  private chunkSize = INITIAL_CHUNK_SIZE;
  private partialBytes = 0;
  /** An incomplete header at the end of the last input. */
  private readonly carry = new Uint8Array(HEADER_BYTES_MAX);
  private carried = 0;
  /** The chunk whose payload is being read, and how much of its payload is to come. */
  private current: ChunkStream | undefined = undefined;
  private chunkLeft = 0;
  /** Where messages are put together. */
  private readonly slab = new Slab();

  constructor(out: ChunkReaderOutput, limits: ChunkReaderLimits = defaultChunkReaderLimits) {
    this.out = out;
    this.limits = limits;
  }

  /** Bytes held for incomplete messages. */
  get heldBytes(): number {
    return this.partialBytes + this.carried;
  }

  /** Reads borrowed bytes, split anywhere. Throws `ProtocolError` with codes `rtmp.chunk-…` and `rtmp.message-too-long`; the reader is then unusable. */
  receive(input: Uint8Array): void {
    // A plain view: subarray and slice of a Node Buffer are several times slower.
    let bytes = new Uint8Array(input.buffer, input.byteOffset, input.length);
    let at = 0;
    if (this.carried > 0) {
      const before = this.carried;
      const resumed = this.resumeHeader(bytes);
      if (resumed === undefined) return;
      // Negative: what looked like a repeated extended timestamp was payload, so the carry holds payload too.
      if (resumed < 0) bytes = join(this.carry.subarray(before + resumed, before), bytes);
      at = this.readPayload(bytes, Math.max(resumed, 0), bytes.length);
    }
    this.readChunks(bytes, at);
  }

  private readChunks(bytes: Uint8Array, start: number): void {
    const end = bytes.length;
    let at = start;
    while (at < end) {
      if (this.current === undefined) {
        const length = this.readHeader(bytes, at, end);
        if (length === 0) {
          this.carry.set(bytes.subarray(at, end));
          this.carried = end - at;
          return;
        }
        at += length;
      }
      at = this.readPayload(bytes, at, end);
    }
  }

  /** Completes the carried header with the first bytes of `bytes`; returns how many of them it took, undefined while it is still incomplete. */
  private resumeHeader(bytes: Uint8Array): number | undefined {
    const before = this.carried;
    const added = Math.min(HEADER_BYTES_MAX - before, bytes.length);
    this.carry.set(bytes.subarray(0, added), before);
    const length = this.readHeader(this.carry, 0, before + added);
    if (length === 0) {
      this.carried = before + added;
      return undefined;
    }
    this.carried = 0;
    return length - before;
  }

  /** Parses a chunk's headers and makes it the current chunk; returns their length, or 0 when more bytes are needed. */
  private readHeader(bytes: Uint8Array, start: number, end: number): number {
    const first = bytes[start] as number;
    const format = first >> 6;
    let at = start + 1;
    let chunkStreamId = first & 0x3f;
    if (chunkStreamId < 2) {
      const idBytes = chunkStreamId + 1;
      if (end - at < idBytes) return 0;
      const low = bytes[at] as number;
      chunkStreamId = 64 + low + (idBytes === 2 ? (bytes[at + 1] as number) * 256 : 0);
      at += idBytes;
    }
    const headerBytes = MESSAGE_HEADER_BYTES[format] as number;
    if (end - at < headerBytes) return 0;
    if (format === 3) return this.readContinuation(bytes, start, at, end, chunkStreamId);
    return this.readMessageHeader(bytes, start, at, end, chunkStreamId, format);
  }

  /** A chunk of fmt 0, 1 or 2, whose message header starts at `at` and lies in the input. */
  private readMessageHeader(bytes: Uint8Array, start: number, at: number, end: number, chunkStreamId: number, format: number): number {
    const headerBytes = MESSAGE_HEADER_BYTES[format] as number;
    const field = readU24(bytes, at);
    const isExtended = field === EXTENDED_TIMESTAMP;
    const after = at + headerBytes + (isExtended ? 4 : 0);
    if (after > end) return 0;
    const stream = this.chunkStream(chunkStreamId);
    // Neither a length nor a type is known; fmt 1 is let pass since librtmp opens chunk stream 2 with it.
    if (format === 2 && !stream.hasHeader) throw withoutHeader(format, chunkStreamId);
    const value = isExtended ? readU32(bytes, at + headerBytes) : field;
    if (stream.body !== undefined) this.discard(stream);
    stream.extended = isExtended ? value : -1;
    stream.delta = value;
    stream.timestamp = format === 0 ? value : (stream.timestamp + value) >>> 0;
    if (format < 2) {
      stream.length = readU24(bytes, at + 3);
      stream.typeId = bytes[at + 6] as number;
    }
    // The one little-endian field of the protocol (5.3.1.2.1).
    if (format === 0) stream.messageStreamId = readU32LittleEndian(bytes, at + 7);
    stream.hasHeader = true;
    this.startMessage(stream);
    return after - start;
  }

  /** A chunk of fmt 3: it goes on with a message or starts one like the last. */
  private readContinuation(bytes: Uint8Array, start: number, at: number, end: number, chunkStreamId: number): number {
    const stream = this.chunkStream(chunkStreamId);
    if (!stream.hasHeader) throw withoutHeader(3, chunkStreamId);
    let after = at;
    if (stream.extended >= 0) {
      // The field is repeated (5.3.1.3), but some encoders leave it out: payload that happens to equal it is a 1 in 4 billion case.
      if (end - at < 4) return 0;
      const value = readU32(bytes, at);
      if (value === stream.extended || (stream.body !== undefined && value === stream.timestamp)) after += 4;
    }
    if (stream.body === undefined) {
      stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
      this.startMessage(stream);
    } else {
      this.startChunk(stream);
    }
    return after - start;
  }

  private startMessage(stream: ChunkStream): void {
    if (stream.length > this.limits.messageSizeMax) {
      throw new ProtocolError(
        'rtmp.message-too-long',
        `message of type ${stream.typeId} announces ${stream.length} bytes, limit ${this.limits.messageSizeMax}: lower the bitrate or raise the limit`,
      );
    }
    stream.filled = 0;
    this.startChunk(stream);
  }

  private startChunk(stream: ChunkStream): void {
    this.current = stream;
    this.chunkLeft = Math.min(this.chunkSize, stream.length - stream.filled);
  }

  /** Takes payload of the current chunk from `at` on; returns where it stopped. */
  private readPayload(bytes: Uint8Array, at: number, end: number): number {
    const stream = this.current as ChunkStream;
    const taken = Math.min(this.chunkLeft, end - at);
    const stop = at + taken;
    if (stream.body === undefined && taken === stream.length) {
      this.current = undefined;
      this.complete(stream, bytes.subarray(at, stop));
      return stop;
    }
    const body = stream.body ?? this.allocate(stream);
    if (taken > 0) body.set(bytes.subarray(at, stop), stream.filled);
    stream.filled += taken;
    this.chunkLeft -= taken;
    if (this.chunkLeft > 0) return stop;
    this.current = undefined;
    if (stream.filled === stream.length) {
      this.release(stream);
      this.complete(stream, body);
    }
    return stop;
  }

  private allocate(stream: ChunkStream): Uint8Array {
    if (this.partialBytes + stream.length > this.limits.partialBytesMax) {
      throw new ProtocolError(
        'rtmp.chunk-partial-bytes',
        `incomplete messages would hold ${this.partialBytes + stream.length} bytes, limit ${this.limits.partialBytesMax}: finish one before starting the next`,
      );
    }
    this.partialBytes += stream.length;
    const body = this.slab.take(stream.length);
    stream.body = body;
    return body;
  }

  private release(stream: ChunkStream): void {
    this.partialBytes -= stream.length;
    stream.body = undefined;
    stream.filled = 0;
  }

  /** Drops an incomplete message, e.g. after Abort or when its encoder starts another in its place. */
  private discard(stream: ChunkStream): void {
    this.release(stream);
    if (this.current === stream) this.current = undefined;
  }

  private complete(stream: ChunkStream, body: Uint8Array): void {
    stream.filled = 0;
    if (stream.typeId === MessageType.setChunkSize) this.setChunkSize(body);
    else if (stream.typeId === MessageType.abort) this.abort(body);
    else this.out.message(stream.typeId, stream.timestamp, stream.messageStreamId, body);
  }

  private setChunkSize(body: Uint8Array): void {
    const size = body.length >= 4 ? readU32(body, 0) : 0;
    // 5.4.1: the first bit is zero and the size at least 1.
    if (size < 1 || size > this.limits.chunkSizeMax) {
      throw new ProtocolError('rtmp.chunk-size', `Set Chunk Size of ${size} bytes is outside 1 to ${this.limits.chunkSizeMax}`);
    }
    this.chunkSize = size;
  }

  private abort(body: Uint8Array): void {
    if (body.length < 4) throw new ProtocolError('rtmp.chunk-abort', `Abort Message has ${body.length} bytes, needs 4`);
    const stream = this.streams.get(readU32(body, 0));
    if (stream?.body !== undefined) this.discard(stream);
  }

  private chunkStream(id: number): ChunkStream {
    const known = this.streams.get(id);
    if (known !== undefined) return known;
    if (this.streams.size >= this.limits.chunkStreamsMax) {
      throw new ProtocolError(
        'rtmp.chunk-streams',
        `chunk stream ${id} would be one more than the limit of ${this.limits.chunkStreamsMax}`,
      );
    }
    const stream = new ChunkStream();
    this.streams.set(id, stream);
    return stream;
  }
}

function withoutHeader(format: number, chunkStreamId: number): ProtocolError {
  return new ProtocolError(
    'rtmp.chunk-without-header',
    `chunk of fmt ${format} on chunk stream ${chunkStreamId}, which had no message header yet`,
  );
}

function join(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}

const readU24 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);

const readU32 = (bytes: Uint8Array, at: number): number => (((bytes[at] as number) << 24) | readU24(bytes, at + 1)) >>> 0;

const readU32LittleEndian = (bytes: Uint8Array, at: number): number =>
  (((bytes[at + 3] as number) << 24) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at] as number)) >>> 0;

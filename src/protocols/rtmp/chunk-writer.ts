import { EXTENDED_TIMESTAMP, FIRST_HEADER_BYTES_MAX } from './message.ts';

/** The chunk size of a connection until Set Chunk Size says otherwise (RTMP 1.0, 5.4.1). */
export const INITIAL_CHUNK_SIZE = 128;

/**
 * One message as chunks, newly made: a fmt 0 header, then fmt 3 for what exceeds `chunkSize`. Depends on nothing sent
 * before, so the same bytes fit every connection that was told `chunkSize`. `timestamp` is in milliseconds and taken
 * modulo 2^32; `chunkStreamId` is 2 to 63.
 */
export function chunkMessage(
  chunkSize: number,
  chunkStreamId: number,
  typeId: number,
  timestamp: number,
  messageStreamId: number,
  body: Uint8Array,
): Uint8Array {
  return chunkMessageParts(chunkSize, chunkStreamId, typeId, timestamp, messageStreamId, [body]);
}

/** Like {@link chunkMessage} for a body that lies in several pieces, e.g. a codec header and a frame: joined while they are copied. */
export function chunkMessageParts(
  chunkSize: number,
  chunkStreamId: number,
  typeId: number,
  timestamp: number,
  messageStreamId: number,
  body: readonly Uint8Array[],
): Uint8Array {
  const length = body.reduce((sum, piece) => sum + piece.length, 0);
  const time = timestamp >>> 0;
  const extended = time >= EXTENDED_TIMESTAMP;
  const continuations = length > chunkSize ? Math.ceil(length / chunkSize) - 1 : 0;
  const continuationBytes = extended ? 5 : 1;
  const bytes = new Uint8Array((extended ? FIRST_HEADER_BYTES_MAX : 12) + length + continuations * continuationBytes);
  let at = writeFirstHeader(bytes, chunkStreamId, typeId, time, messageStreamId, length);
  let chunkLeft = chunkSize;
  for (const piece of body) {
    for (let from = 0; from < piece.length; ) {
      if (chunkLeft === 0) {
        bytes[at++] = 0xc0 | chunkStreamId;
        // 5.3.1.3: present in fmt 3 chunks too.
        if (extended) at = writeU32(bytes, at, time);
        chunkLeft = chunkSize;
      }
      const taken = Math.min(chunkLeft, piece.length - from);
      bytes.set(taken === piece.length ? piece : piece.subarray(from, from + taken), at);
      from += taken;
      at += taken;
      chunkLeft -= taken;
    }
  }
  return bytes;
}

function writeFirstHeader(
  bytes: Uint8Array,
  chunkStreamId: number,
  typeId: number,
  time: number,
  messageStreamId: number,
  length: number,
): number {
  const extended = time >= EXTENDED_TIMESTAMP;
  bytes[0] = chunkStreamId;
  writeU24(bytes, 1, extended ? EXTENDED_TIMESTAMP : time);
  writeU24(bytes, 4, length);
  bytes[7] = typeId;
  // Little-endian (5.3.1.2.1).
  bytes[8] = messageStreamId;
  bytes[9] = messageStreamId >>> 8;
  bytes[10] = messageStreamId >>> 16;
  bytes[11] = messageStreamId >>> 24;
  return extended ? writeU32(bytes, 12, time) : 12;
}

function writeU24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value;
}

function writeU32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  writeU24(bytes, at + 1, value & 0xffffff);
  return at + 4;
}

/** Makes chunks for one connection and remembers its chunk size. */
export class ChunkWriter {
  private chunkSize = INITIAL_CHUNK_SIZE;

  /** Holds from the next message on; the caller sends Set Chunk Size before it. */
  setChunkSize(chunkSize: number): void {
    this.chunkSize = chunkSize;
  }

  /** See {@link chunkMessage}. */
  message(chunkStreamId: number, typeId: number, timestamp: number, messageStreamId: number, body: Uint8Array): Uint8Array {
    return chunkMessage(this.chunkSize, chunkStreamId, typeId, timestamp, messageStreamId, body);
  }
}

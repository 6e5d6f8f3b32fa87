// The little of RTMP that a load needs: commands are written by hand, and chunks are read without copying their payload.
// It is separate from src/protocols/rtmp on purpose: a generator must cost much less than the server it loads, and a
// reader of its own also meets the server as a stranger would.

const HANDSHAKE_SIZE = 1536;
const COMMAND_CHUNK_STREAM = 3;
const CONTROL_CHUNK_STREAM = 2;
const OWN_CHUNK_SIZE = 65_536;

export const MESSAGE = { setChunkSize: 1, acknowledgement: 3, userControl: 4, windowSize: 5, audio: 8, video: 9, command: 20 } as const;

/** C0 and C1 of the simple handshake. */
export function clientHello(): Buffer {
  const hello = Buffer.alloc(1 + HANDSHAKE_SIZE);
  hello[0] = 3;
  return hello;
}
/** How many bytes S0, S1 and S2 have together. */
export const SERVER_HELLO_SIZE: number = 1 + 2 * HANDSHAKE_SIZE;

type Amf = string | number | null | { readonly [key: string]: string | number };

/** A command message as one chunk. */
export function commandMessage(streamId: number, ...values: readonly Amf[]): Buffer {
  return message(COMMAND_CHUNK_STREAM, MESSAGE.command, streamId, Buffer.concat(values.map(amf)));
}

/** A protocol control message with one 32-bit value. */
export function controlMessage(type: number, value: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(value);
  return message(CONTROL_CHUNK_STREAM, type, 0, body);
}

/** Tells the peer that its next chunks are answered by chunks of 64 KiB. */
export const ownChunkSize = (): Buffer => controlMessage(MESSAGE.setChunkSize, OWN_CHUNK_SIZE);

/** The answer to a ping request. */
export function pong(stamp: number): Buffer {
  const body = Buffer.alloc(6);
  body.writeUInt16BE(7, 0);
  body.writeUInt32BE(stamp, 2);
  return message(CONTROL_CHUNK_STREAM, MESSAGE.userControl, 0, body);
}

/** One message with a type 0 header, cut into chunks of 64 KiB. `timestamp` in ms, below 0xffffff. */
export function message(chunkStreamId: number, type: number, streamId: number, body: Buffer, timestamp = 0): Buffer {
  const head = Buffer.alloc(12);
  head[0] = chunkStreamId;
  head.writeUIntBE(timestamp, 1, 3);
  head.writeUIntBE(body.length, 4, 3);
  head[7] = type;
  head.writeUInt32LE(streamId, 8);
  const pieces: Buffer[] = [head];
  for (let at = 0; at < body.length; at += OWN_CHUNK_SIZE) {
    if (at > 0) pieces.push(Buffer.from([0xc0 | chunkStreamId]));
    pieces.push(body.subarray(at, at + OWN_CHUNK_SIZE));
  }
  return Buffer.concat(pieces);
}

function amf(value: Amf): Buffer {
  if (value === null) return Buffer.from([5]);
  if (typeof value === 'number') {
    const number = Buffer.alloc(9);
    number.writeDoubleBE(value, 1);
    return number;
  }
  if (typeof value === 'string') return Buffer.concat([Buffer.from([2]), shortString(value)]);
  const fields = Object.entries(value).flatMap(([key, field]) => [shortString(key), amf(field)]);
  return Buffer.concat([Buffer.from([3]), ...fields, Buffer.from([0, 0, 9])]);
}

function shortString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

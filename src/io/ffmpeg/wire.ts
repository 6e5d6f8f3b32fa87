import type { Writable } from 'node:stream';
import { ProtocolError } from '../../core/mod.ts';

// What goes over the pipe between the server and a child process with FFmpeg, the same both ways. Numbers are big-endian.
//
//   u32  length of what follows
//   u8   kind: 1 control, 2 frame
//   control:  UTF-8 JSON: a message as the two halves of the child's owner define it
//   frame:    u8   flags: bit 0 keyframe
//             u16  channel: what it means is up to the child's owner
//             f64  dts, f64 pts in ticks of the track's timescale
//             f64  captureMs, NaN where unknown
//             the payload in the format of its codec, see media's Track

const KIND_CONTROL = 1;
const KIND_FRAME = 2;
const FLAG_KEYFRAME = 1;
const LENGTH_BYTES = 4;
const FRAME_HEADER_BYTES = 1 + 1 + 2 + 3 * 8;
/** No frame of a stream comes near it: an all-intra 8K picture has a few megabytes. */
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
const BAD_MESSAGE = 'transcode.bad-message';

/** A frame on the pipe, either way. */
export interface PipedFrame {
  /** What it means is up to the child's owner: a kind of track, a rung, a stream of the input. */
  readonly channel: number;
  readonly isKeyframe: boolean;
  readonly dts: number;
  readonly pts: number;
  readonly captureMs: number | undefined;
  /** Given. */
  readonly payload: Uint8Array;
}

const HEADER_BYTES = LENGTH_BYTES + FRAME_HEADER_BYTES;
/** A message up to this size is put together in one piece: cheaper than two. */
const JOINED_BYTES_MAX = 64 * 1024;

/** Where messages are put together. A pipe that takes one at once, as nearly always, leaves it free for the next. */
let joined = Buffer.allocUnsafeSlow(JOINED_BYTES_MAX);

/** Writes a frame at once; its payload must not change any more. The pipe must have done with what it writes when it calls back. */
export function writeFrame(pipe: Writable, frame: PipedFrame): void {
  const { payload } = frame;
  const sizeBytes = HEADER_BYTES + payload.length;
  if (sizeBytes > JOINED_BYTES_MAX || pipe.writableLength > 0) {
    pipe.cork();
    pipe.write(writeHeader(Buffer.allocUnsafe(HEADER_BYTES), frame));
    pipe.write(payload);
    pipe.uncork();
    return;
  }
  writeHeader(joined, frame).set(payload, HEADER_BYTES);
  pipe.write(joined.subarray(0, sizeBytes));
  if (pipe.writableLength > 0) joined = Buffer.allocUnsafeSlow(JOINED_BYTES_MAX);
}

function writeHeader(bytes: Buffer, { channel, isKeyframe, dts, pts, captureMs, payload }: PipedFrame): Buffer {
  bytes.writeUInt32BE(FRAME_HEADER_BYTES + payload.length, 0);
  bytes[4] = KIND_FRAME;
  bytes[5] = isKeyframe ? FLAG_KEYFRAME : 0;
  bytes.writeUInt16BE(channel, 6);
  bytes.writeDoubleBE(dts, 8);
  bytes.writeDoubleBE(pts, 16);
  bytes.writeDoubleBE(captureMs ?? Number.NaN, 24);
  return bytes;
}

/** A whole control message, newly made. */
export function controlMessage(message: object): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(LENGTH_BYTES + 1 + json.length);
  new DataView(bytes.buffer).setUint32(0, 1 + json.length);
  bytes[LENGTH_BYTES] = KIND_CONTROL;
  bytes.set(json, LENGTH_BYTES + 1);
  return bytes;
}

export interface WireOutput {
  control(message: unknown): void;
  frame(frame: PipedFrame): void;
}

/** Cuts the pipe's bytes into messages. Only those that come in several pieces are copied, once; the others are views of what was read. */
export class WireReader {
  private readonly out: WireOutput;
  private readonly length = new Uint8Array(LENGTH_BYTES);
  private lengthFill = 0;
  private body: Uint8Array | undefined = undefined;
  private bodyFill = 0;

  constructor(out: WireOutput) {
    this.out = out;
  }

  /** Takes the next bytes (given). Throws `ProtocolError` with code `transcode.bad-message`, after which the pipe is of no use any more. */
  receive(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.body !== undefined) offset += this.takeBody(this.body, chunk, offset);
      else offset += this.takeWhole(chunk, offset) || this.takeLength(chunk, offset);
    }
  }

  /** Delivers a message that is here from its first byte to its last; returns its size with its length, or 0. */
  private takeWhole(chunk: Uint8Array, offset: number): number {
    if (this.lengthFill > 0 || chunk.length - offset <= LENGTH_BYTES) return 0;
    const size = sizeAt(chunk, offset);
    const end = offset + LENGTH_BYTES + size;
    if (size < 1 || end > chunk.length) return 0;
    this.deliver(chunk.subarray(offset + LENGTH_BYTES, end));
    return end - offset;
  }

  private takeLength(chunk: Uint8Array, offset: number): number {
    const taken = Math.min(LENGTH_BYTES - this.lengthFill, chunk.length - offset);
    this.length.set(chunk.subarray(offset, offset + taken), this.lengthFill);
    this.lengthFill += taken;
    if (this.lengthFill < LENGTH_BYTES) return taken;
    const size = sizeAt(this.length, 0);
    if (size < 1 || size > MESSAGE_BYTES_MAX) {
      throw new ProtocolError(BAD_MESSAGE, `a message of ${size} bytes; 1 to ${MESSAGE_BYTES_MAX} is allowed`);
    }
    this.lengthFill = 0;
    this.bodyFill = 0;
    this.body = new Uint8Array(size);
    return taken;
  }

  private takeBody(body: Uint8Array, chunk: Uint8Array, offset: number): number {
    const taken = Math.min(body.length - this.bodyFill, chunk.length - offset);
    body.set(chunk.subarray(offset, offset + taken), this.bodyFill);
    this.bodyFill += taken;
    if (this.bodyFill === body.length) {
      this.body = undefined;
      this.deliver(body);
    }
    return taken;
  }

  private deliver(body: Uint8Array): void {
    if (body[0] === KIND_CONTROL) this.out.control(parseControl(body.subarray(1)));
    else if (body[0] === KIND_FRAME) this.out.frame(parseFrame(body));
    else throw new ProtocolError(BAD_MESSAGE, `a message of kind ${body[0]}; ${KIND_CONTROL} and ${KIND_FRAME} are known`);
  }
}

/** The u32 there. */
function sizeAt(bytes: Uint8Array, offset: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]];
  return a * 0x100_0000 + ((b << 16) | (c << 8) | d);
}

function parseControl(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (cause) {
    throw new ProtocolError(BAD_MESSAGE, `a control message of ${bytes.length} bytes that is no JSON`, { cause });
  }
}

function parseFrame(body: Uint8Array): PipedFrame {
  if (body.length < FRAME_HEADER_BYTES) {
    throw new ProtocolError(BAD_MESSAGE, `a frame message of ${body.length} bytes; its header alone has ${FRAME_HEADER_BYTES}`);
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const captureMs = view.getFloat64(20);
  return {
    channel: view.getUint16(2),
    isKeyframe: (view.getUint8(1) & FLAG_KEYFRAME) !== 0,
    dts: view.getFloat64(4),
    pts: view.getFloat64(12),
    captureMs: Number.isNaN(captureMs) ? undefined : captureMs,
    payload: new Uint8Array(body.buffer, body.byteOffset + FRAME_HEADER_BYTES, body.byteLength - FRAME_HEADER_BYTES),
  };
}

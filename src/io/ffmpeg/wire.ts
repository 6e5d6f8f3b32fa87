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
  /** Of its own memory; given. */
  readonly payload: Uint8Array;
}

/** A payload up to this size is copied behind its header: cheaper than two pieces. */
const COPIED_BYTES_MAX = 4096;

/** Writes a frame at once; its payload must not change any more. */
export function writeFrame(pipe: Writable, frame: PipedFrame): void {
  const { payload } = frame;
  const headerBytes = LENGTH_BYTES + FRAME_HEADER_BYTES;
  const isCopied = payload.length <= COPIED_BYTES_MAX;
  const bytes = Buffer.allocUnsafe(headerBytes + (isCopied ? payload.length : 0));
  bytes.writeUInt32BE(FRAME_HEADER_BYTES + payload.length, 0);
  bytes[4] = KIND_FRAME;
  bytes[5] = frame.isKeyframe ? FLAG_KEYFRAME : 0;
  bytes.writeUInt16BE(frame.channel, 6);
  bytes.writeDoubleBE(frame.dts, 8);
  bytes.writeDoubleBE(frame.pts, 16);
  bytes.writeDoubleBE(frame.captureMs ?? Number.NaN, 24);
  if (isCopied) {
    bytes.set(payload, headerBytes);
    pipe.write(bytes);
    return;
  }
  pipe.cork();
  pipe.write(bytes);
  pipe.write(payload);
  pipe.uncork();
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

/** Cuts the pipe's bytes into messages. Each message is copied once, into memory of its own. */
export class WireReader {
  private readonly out: WireOutput;
  private readonly length = new Uint8Array(LENGTH_BYTES);
  private lengthFill = 0;
  private body: Uint8Array | undefined = undefined;
  private bodyFill = 0;

  constructor(out: WireOutput) {
    this.out = out;
  }

  /** Takes the next bytes (borrowed). Throws `ProtocolError` with code `transcode.bad-message`, after which the pipe is of no use any more. */
  receive(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      offset += this.body === undefined ? this.takeLength(chunk, offset) : this.takeBody(this.body, chunk, offset);
    }
  }

  private takeLength(chunk: Uint8Array, offset: number): number {
    const taken = Math.min(LENGTH_BYTES - this.lengthFill, chunk.length - offset);
    this.length.set(chunk.subarray(offset, offset + taken), this.lengthFill);
    this.lengthFill += taken;
    if (this.lengthFill < LENGTH_BYTES) return taken;
    const size = new DataView(this.length.buffer).getUint32(0);
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
  const view = new DataView(body.buffer);
  const captureMs = view.getFloat64(20);
  return {
    channel: view.getUint16(2),
    isKeyframe: (view.getUint8(1) & FLAG_KEYFRAME) !== 0,
    dts: view.getFloat64(4),
    pts: view.getFloat64(12),
    captureMs: Number.isNaN(captureMs) ? undefined : captureMs,
    payload: body.subarray(FRAME_HEADER_BYTES),
  };
}

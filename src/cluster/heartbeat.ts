import { Slab, utf8Decode, utf8Encode } from '../core/mod.ts';
import { decodeVersioned, encodeVersioned, readAmount, readCount, readText } from './versioned-json.ts';

/** How busy a node is. What is not known or not limited is 0. */
export interface NodeLoad {
  /** 0 to 1, of what the process may use of the machine. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly memoryMaxBytes: number;
  /** Of the machine's network interfaces, whatever it was that went over them. */
  readonly networkInBps: number;
  readonly networkOutBps: number;
  readonly networkMaxBps: number;
  /** How long the event loop was late at the 99th percentile. */
  readonly loopLagMs: number;
  readonly viewers: { readonly flv: number; readonly rtmp: number; readonly hls: number; readonly webrtc: number };
  readonly viewersMax: number;
  readonly streams: number;
  /** Transcoding tasks. */
  readonly tasks: number;
  readonly tasksMax: number;
  /** Free in the data folder. */
  readonly diskFreeBytes: number;
  /** Of streams: from publishers and other nodes, and to viewers and other nodes. */
  readonly mediaInBps: number;
  readonly mediaOutBps: number;
  /** From a frame's coming in to the last viewer who keeps up having it, by FLV, RTMP and WebRTC. */
  readonly latencyP50Ms: number;
  readonly latencyP95Ms: number;
}

/** What a node says of itself each second under `heartbeat/REGION/ID`. */
export interface Heartbeat extends NodeLoad {
  readonly v: 1;
  readonly id: string;
  readonly incarnation: number;
  /** By the sender's wall clock, which may be off: never used to judge whether it lives. */
  readonly sentMs: number;
}

/** All heartbeats of all regions. */
export const HEARTBEATS = 'heartbeat/**';
/** Those of one region. */
export const heartbeatsOf = (region: string): string => `heartbeat/${region}/*`;
export const heartbeatSubject = (region: string, id: string): string => `heartbeat/${region}/${id}`;

const ID_LENGTH_MAX = 64;

/** As JSON, for members that do not read {@link HeartbeatWriter}'s. */
export const encodeHeartbeat = ({ id, incarnation, sentMs, ...load }: Heartbeat): Uint8Array =>
  encodeVersioned({ v: JSON_VERSION, id, incarnation, sentMs, load: figuresOf(load) });

/** The least version of a reader that understands it. */
const JSON_VERSION = 2;

/** The first byte of what {@link HeartbeatWriter} writes; a JSON text begins with another one. */
const BINARY_VERSION = 3;
const TIME_BYTES = 6;
/** As LEB128: an integer of JavaScript. */
const VARINT_BYTES_MAX = 8;
/** Up to here, operators on bits do. */
const INT32_MAX = 0x7fff_ffff;
/** Of all writers: where they write, and from where they take what they give. */
const draft = new Uint8Array(512);
const slab = new Slab();

/**
 * In little more than a third of the bytes: one for the version and one for the length of the id, the id, the incarnation, 6 bytes of milliseconds since 1970 (big-endian),
 * and the figures in the order of {@link figuresOf}, in {@link PARTS}. Integers of no said length are in LEB128. Not for members that
 * `readsJsonOnly` names.
 */
export class HeartbeatWriter {
  private readonly id: Uint8Array;
  private incarnation = 0;
  private load: NodeLoad | undefined = undefined;
  /** One with the same but for the time, and where that is in it. */
  private like: Uint8Array = new Uint8Array();
  private timeAt = 0;

  constructor(id: string) {
    this.id = utf8Encode(id.slice(0, ID_LENGTH_MAX));
  }

  /** A load that is the same object as the last time is not looked at again. */
  write(incarnation: number, sentMs: number, load: NodeLoad): Uint8Array {
    if (load !== this.load || incarnation !== this.incarnation) this.writeLike(incarnation, load);
    const bytes = slab.take(this.like.length);
    bytes.set(this.like);
    for (let at = this.timeAt + TIME_BYTES - 1, left = sentMs; at >= this.timeAt; at--) {
      bytes[at] = left % 256;
      left = Math.floor(left / 256);
    }
    return bytes;
  }

  private writeLike(incarnation: number, load: NodeLoad): void {
    const { id } = this;
    const figures = figuresOf(load);
    draft[0] = BINARY_VERSION;
    draft[1] = id.length;
    draft.set(id, 2);
    this.timeAt = writeVarint(draft, 2 + id.length, incarnation);
    let at = this.timeAt + TIME_BYTES;
    for (let place = 0; place < PARTS.length; place++) at = writeVarint(draft, at, (figures[place] ?? 0) * (PARTS[place] ?? 1));
    this.like = draft.slice(0, at);
    this.incarnation = incarnation;
    this.load = load;
  }
}

/** Reads borrowed bytes; undefined for what is no heartbeat, or one that needs a newer reader. Figures that are missing are 0. */
export const decodeHeartbeat = (bytes: Uint8Array): Heartbeat | undefined =>
  bytes[0] === BINARY_VERSION ? decodeBinary(bytes) : decodeJson(bytes);

function decodeBinary(bytes: Uint8Array): Heartbeat | undefined {
  const idEnd = 2 + (bytes[1] ?? 0);
  const cursor: Cursor = { bytes, at: idEnd };
  const incarnation = readVarint(cursor);
  let sentMs = 0;
  for (const end = cursor.at + TIME_BYTES; cursor.at < end; cursor.at++) sentMs = sentMs * 256 + (bytes[cursor.at] ?? 0);
  if (incarnation === undefined || cursor.at > bytes.length) return undefined;
  const id = readText(utf8Decode(bytes.subarray(2, idEnd)), ID_LENGTH_MAX);
  read.fill(0);
  for (let place = 0; place < PARTS.length && cursor.at < bytes.length; place++) {
    const figure = readVarint(cursor);
    if (figure === undefined) return undefined;
    read[place] = figure / (PARTS[place] ?? 1);
  }
  return id === undefined ? undefined : new ReadHeartbeat(id, incarnation, sentMs, read);
}

function decodeJson(bytes: Uint8Array): Heartbeat | undefined {
  const fields = decodeVersioned(bytes, JSON_VERSION);
  if (fields === undefined) return undefined;
  const id = readText(fields['id'], ID_LENGTH_MAX);
  const incarnation = readCount(fields['incarnation']);
  const sentMs = readAmount(fields['sentMs']);
  const { load } = fields;
  if (id === undefined || incarnation === undefined || sentMs === undefined || !Array.isArray(load)) return undefined;
  for (let place = 0; place < PARTS.length; place++) read[place] = readAmount(load[place]) ?? 0;
  return new ReadHeartbeat(id, incarnation, sentMs, read);
}

/** Where in an array it is read on. */
interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** Undefined for what has no end, or is too great. */
function readVarint(cursor: Cursor): number | undefined {
  const { bytes, at } = cursor;
  let value = 0;
  let weight = 1;
  for (let place = at; place < at + VARINT_BYTES_MAX; place++, weight *= 128) {
    const byte = bytes[place];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * weight;
    if (byte < 0x80) {
      cursor.at = place + 1;
      return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
    }
  }
  return undefined;
}

/** Rounds; what is no amount is 0. Returns where it ends. */
function writeVarint(bytes: Uint8Array, from: number, value: number): number {
  let left = Math.min(Math.max(0, Math.round(value)) || 0, Number.MAX_SAFE_INTEGER);
  let at = from;
  for (; left > INT32_MAX; left = Math.floor(left / 128)) bytes[at++] = (left % 128) | 0x80;
  for (; left >= 128; left >>= 7) bytes[at++] = (left & 0x7f) | 0x80;
  bytes[at++] = left;
  return at;
}

/** Figures in the order in which {@link ReadHeartbeat} reads them. New ones are added at the end. */
const figuresOf = (load: NodeLoad): readonly number[] => [
  load.cpu,
  load.memoryBytes,
  load.memoryMaxBytes,
  load.networkInBps,
  load.networkOutBps,
  load.networkMaxBps,
  load.loopLagMs,
  load.viewers.flv,
  load.viewers.rtmp,
  load.viewers.hls,
  load.viewers.webrtc,
  load.viewersMax,
  load.streams,
  load.tasks,
  load.tasksMax,
  load.diskFreeBytes,
  load.mediaInBps,
  load.mediaOutBps,
  load.latencyP50Ms,
  load.latencyP95Ms,
];

/** By place, in how many parts of one a figure is told: as finely as it is measured. */
const PARTS: readonly number[] = [1000, 1, 1, 1, 1, 1, 10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 10, 10];
/** Where figures are read to, in the same order. */
const read = new Float64Array(PARTS.length);

/**
 * As it was read. Not a literal: V8 makes objects of a literal that often outlive a collection of the young straight in the old generation, and of heartbeats
 * there comes one from each node each second.
 */
class ReadHeartbeat implements Heartbeat {
  readonly v = 1;
  readonly id: string;
  readonly incarnation: number;
  readonly sentMs: number;
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly memoryMaxBytes: number;
  readonly networkInBps: number;
  readonly networkOutBps: number;
  readonly networkMaxBps: number;
  readonly loopLagMs: number;
  readonly viewers: Heartbeat['viewers'];
  readonly viewersMax: number;
  readonly streams: number;
  readonly tasks: number;
  readonly tasksMax: number;
  readonly diskFreeBytes: number;
  readonly mediaInBps: number;
  readonly mediaOutBps: number;
  readonly latencyP50Ms: number;
  readonly latencyP95Ms: number;

  constructor(id: string, incarnation: number, sentMs: number, figures: Float64Array) {
    this.id = id;
    this.incarnation = incarnation;
    this.sentMs = sentMs;
    this.cpu = Math.min(1, figureAt(figures, 0));
    this.memoryBytes = figureAt(figures, 1);
    this.memoryMaxBytes = figureAt(figures, 2);
    this.networkInBps = figureAt(figures, 3);
    this.networkOutBps = figureAt(figures, 4);
    this.networkMaxBps = figureAt(figures, 5);
    this.loopLagMs = figureAt(figures, 6);
    this.viewers = new ReadViewers(figures);
    this.viewersMax = figureAt(figures, 11);
    this.streams = figureAt(figures, 12);
    this.tasks = figureAt(figures, 13);
    this.tasksMax = figureAt(figures, 14);
    this.diskFreeBytes = figureAt(figures, 15);
    this.mediaInBps = figureAt(figures, 16);
    this.mediaOutBps = figureAt(figures, 17);
    this.latencyP50Ms = figureAt(figures, 18);
    this.latencyP95Ms = figureAt(figures, 19);
  }
}

class ReadViewers {
  readonly flv: number;
  readonly rtmp: number;
  readonly hls: number;
  readonly webrtc: number;

  constructor(figures: Float64Array) {
    this.flv = figureAt(figures, 7);
    this.rtmp = figureAt(figures, 8);
    this.hls = figureAt(figures, 9);
    this.webrtc = figureAt(figures, 10);
  }
}

const figureAt = (figures: Float64Array, place: number): number => figures[place] ?? 0;

import { smallBytes, utf8Encode } from '../core/mod.ts';
import { decodeVersioned, encodeVersioned, readAmount, readCount, readText, type UnknownFields } from './versioned-json.ts';

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

/** Named figures, for nodes of any version. */
export const encodeHeartbeat = (heartbeat: Heartbeat): Uint8Array => encodeVersioned(heartbeat);

/** The least version of a reader that understands figures without names. */
const LISTED_VERSION = 2;

/** The same in less than half of the bytes: figures as a list. For nodes of protocol `LISTED_HEARTBEATS_SINCE` and later alone. */
export class HeartbeatWriter {
  private readonly id: string;
  private incarnation = 0;
  private load: NodeLoad | undefined = undefined;
  /** One with the same but for the time, and where that is in it. */
  private like: Uint8Array = new Uint8Array();
  private timeAt = 0;

  constructor(id: string) {
    this.id = JSON.stringify(id);
  }

  /** A load that is the same object as the last time is not looked at again. */
  write(incarnation: number, sentMs: number, load: NodeLoad): Uint8Array {
    const { like, timeAt } = this;
    if (load !== this.load || incarnation !== this.incarnation || !hasUsualDigits(sentMs)) return this.writeAnew(incarnation, sentMs, load);
    const bytes = smallBytes(like.length);
    bytes.set(like);
    for (let at = timeAt + TIME_DIGITS - 1, left = sentMs; at >= timeAt; at--) {
      const tenth = Math.floor(left / 10);
      bytes[at] = DIGIT_0 + left - tenth * 10;
      left = tenth;
    }
    return bytes;
  }

  private writeAnew(incarnation: number, sentMs: number, load: NodeLoad): Uint8Array {
    const head = `{"v":${LISTED_VERSION},"id":${this.id},"incarnation":${incarnation},"sentMs":`;
    const bytes = utf8Encode(`${head}${sentMs},"load":${JSON.stringify(listOf(load, load.viewers))}}`);
    this.incarnation = incarnation;
    this.load = hasUsualDigits(sentMs) ? load : undefined;
    this.like = bytes;
    this.timeAt = head.length;
    return bytes;
  }
}

const DIGIT_0 = 0x30;
const TIME_DIGITS = 13;
/** So it is from 2001 to 2286. */
const hasUsualDigits = (sentMs: number): boolean => sentMs >= 1e12 && sentMs < 1e13 && Number.isInteger(sentMs);

/** Reads borrowed bytes; undefined for what is no heartbeat, or one that needs a newer reader. Figures that are missing are 0. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | undefined {
  const fields = decodeVersioned(bytes, LISTED_VERSION);
  if (fields === undefined) return undefined;
  const id = readText(fields['id'], ID_LENGTH_MAX);
  const incarnation = readCount(fields['incarnation']);
  const sentMs = readAmount(fields['sentMs']);
  if (id === undefined || incarnation === undefined || sentMs === undefined) return undefined;
  const { load, viewers } = fields;
  const figures = Array.isArray(load) ? load : listOf(fields, (typeof viewers === 'object' ? (viewers ?? {}) : {}) as UnknownFields);
  return new ReadHeartbeat(id, incarnation, sentMs, figures);
}

type Named<Names extends string> = Readonly<Partial<Record<Names, unknown>>>;

/** Figures in the order in which {@link ReadHeartbeat} reads them. New ones are added at the end. */
const listOf = (load: Named<keyof NodeLoad>, viewers: Named<keyof NodeLoad['viewers']>): readonly unknown[] => [
  load.cpu,
  load.memoryBytes,
  load.memoryMaxBytes,
  load.networkInBps,
  load.networkOutBps,
  load.networkMaxBps,
  load.loopLagMs,
  viewers.flv,
  viewers.rtmp,
  viewers.hls,
  viewers.webrtc,
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

  constructor(id: string, incarnation: number, sentMs: number, figures: readonly unknown[]) {
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

  constructor(figures: readonly unknown[]) {
    this.flv = figureAt(figures, 7);
    this.rtmp = figureAt(figures, 8);
    this.hls = figureAt(figures, 9);
    this.webrtc = figureAt(figures, 10);
  }
}

const figureAt = (figures: readonly unknown[], place: number): number => readAmount(figures[place]) ?? 0;

import { isName, utf8Encode } from '../core/mod.ts';
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
  private load: NodeLoad | undefined = undefined;
  private figures = '';

  constructor(id: string) {
    this.id = JSON.stringify(id);
  }

  /** A load that is the same object as the last time is not looked at again. */
  write(incarnation: number, sentMs: number, load: NodeLoad): Uint8Array {
    if (load !== this.load) {
      this.load = load;
      this.figures = JSON.stringify(listOf(load, load.viewers));
    }
    return utf8Encode(`{"v":${LISTED_VERSION},"id":${this.id},"incarnation":${incarnation},"sentMs":${sentMs},"load":${this.figures}}`);
  }
}

/** Reads borrowed bytes; undefined for what is no heartbeat, or one that needs a newer reader. Figures that are missing are 0. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | undefined {
  const fields = decodeVersioned(bytes, LISTED_VERSION);
  if (fields === undefined) return undefined;
  const id = readText(fields['id'], ID_LENGTH_MAX);
  const incarnation = readCount(fields['incarnation']);
  const sentMs = readAmount(fields['sentMs']);
  if (id === undefined || !isName(id) || incarnation === undefined || sentMs === undefined) return undefined;
  const { load, viewers } = fields;
  const figures = Array.isArray(load) ? load : listOf(fields, (typeof viewers === 'object' ? (viewers ?? {}) : {}) as UnknownFields);
  return heartbeatOf(id, incarnation, sentMs, figures);
}

type Named<Names extends string> = Readonly<Partial<Record<Names, unknown>>>;

/** Figures in the order in which {@link heartbeatOf} reads them. New ones are added at the end. */
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

function heartbeatOf(id: string, incarnation: number, sentMs: number, figures: readonly unknown[]): Heartbeat {
  return {
    v: 1,
    id,
    incarnation,
    sentMs,
    cpu: Math.min(1, figureAt(figures, 0)),
    memoryBytes: figureAt(figures, 1),
    memoryMaxBytes: figureAt(figures, 2),
    networkInBps: figureAt(figures, 3),
    networkOutBps: figureAt(figures, 4),
    networkMaxBps: figureAt(figures, 5),
    loopLagMs: figureAt(figures, 6),
    viewers: { flv: figureAt(figures, 7), rtmp: figureAt(figures, 8), hls: figureAt(figures, 9), webrtc: figureAt(figures, 10) },
    viewersMax: figureAt(figures, 11),
    streams: figureAt(figures, 12),
    tasks: figureAt(figures, 13),
    tasksMax: figureAt(figures, 14),
    diskFreeBytes: figureAt(figures, 15),
    mediaInBps: figureAt(figures, 16),
    mediaOutBps: figureAt(figures, 17),
    latencyP50Ms: figureAt(figures, 18),
    latencyP95Ms: figureAt(figures, 19),
  };
}

const figureAt = (figures: readonly unknown[], place: number): number => readAmount(figures[place]) ?? 0;

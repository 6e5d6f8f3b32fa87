import { isName } from '../core/mod.ts';
import { decodeVersioned, encodeVersioned, readAmount, readCount, readText, type UnknownFields } from './versioned-json.ts';

/** How busy a node is. What is not known or not limited is 0. */
export interface NodeLoad {
  /** 0 to 1, of what the process may use of the machine. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly memoryMaxBytes: number;
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
export const encodeListedHeartbeat = (heartbeat: Heartbeat): Uint8Array => {
  const { id, incarnation, sentMs, viewers } = heartbeat;
  return encodeVersioned({ v: LISTED_VERSION, id, incarnation, sentMs, load: listOf(heartbeat, viewers) });
};

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
  return { v: 1, id, incarnation, sentMs, ...loadOf(figures) };
}

type Named<Names extends string> = Readonly<Partial<Record<Names, unknown>>>;

/** Figures in the order in which {@link loadOf} reads them. New ones are added at the end. */
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
];

function loadOf(figures: readonly unknown[]): NodeLoad {
  const at = (place: number): number => readAmount(figures[place]) ?? 0;
  return {
    cpu: Math.min(1, at(0)),
    memoryBytes: at(1),
    memoryMaxBytes: at(2),
    networkInBps: at(3),
    networkOutBps: at(4),
    networkMaxBps: at(5),
    loopLagMs: at(6),
    viewers: { flv: at(7), rtmp: at(8), hls: at(9), webrtc: at(10) },
    viewersMax: at(11),
    streams: at(12),
    tasks: at(13),
    tasksMax: at(14),
    diskFreeBytes: at(15),
  };
}

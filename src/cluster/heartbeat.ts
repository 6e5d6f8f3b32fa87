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

export const encodeHeartbeat = (heartbeat: Heartbeat): Uint8Array => encodeVersioned(heartbeat);

/** Reads borrowed bytes; undefined for what is no heartbeat, or one that needs a newer reader. Figures that are missing are 0. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | undefined {
  const fields = decodeVersioned(bytes);
  if (fields === undefined) return undefined;
  const id = readText(fields['id'], ID_LENGTH_MAX);
  const incarnation = readCount(fields['incarnation']);
  const sentMs = readAmount(fields['sentMs']);
  if (id === undefined || !isName(id) || incarnation === undefined || sentMs === undefined) return undefined;
  const viewers = (typeof fields['viewers'] === 'object' ? (fields['viewers'] ?? {}) : {}) as UnknownFields;
  return {
    v: 1,
    id,
    incarnation,
    sentMs,
    cpu: Math.min(1, readAmount(fields['cpu']) ?? 0),
    memoryBytes: readAmount(fields['memoryBytes']) ?? 0,
    memoryMaxBytes: readAmount(fields['memoryMaxBytes']) ?? 0,
    networkInBps: readAmount(fields['networkInBps']) ?? 0,
    networkOutBps: readAmount(fields['networkOutBps']) ?? 0,
    networkMaxBps: readAmount(fields['networkMaxBps']) ?? 0,
    loopLagMs: readAmount(fields['loopLagMs']) ?? 0,
    viewers: {
      flv: readAmount(viewers['flv']) ?? 0,
      rtmp: readAmount(viewers['rtmp']) ?? 0,
      hls: readAmount(viewers['hls']) ?? 0,
      webrtc: readAmount(viewers['webrtc']) ?? 0,
    },
    viewersMax: readAmount(fields['viewersMax']) ?? 0,
    streams: readAmount(fields['streams']) ?? 0,
    tasks: readAmount(fields['tasks']) ?? 0,
    tasksMax: readAmount(fields['tasksMax']) ?? 0,
    diskFreeBytes: readAmount(fields['diskFreeBytes']) ?? 0,
  };
}

import { isName } from '../core/mod.ts';
import { decodeVersioned, encodeVersioned, readAmount, readCount, readText } from './versioned-json.ts';

/** What one node of a region says of all of them each two seconds, and soon after a change, under `digest/REGION`, for those who do not hear their heartbeats. */
export interface RegionDigest {
  readonly v: 1;
  readonly region: string;
  /** Who says it. */
  readonly node: string;
  readonly incarnation: number;
  /** Grows with each digest of this run of the node. */
  readonly count: number;
  /** By the sender's wall clock. */
  readonly sentMs: number;
  /** Of which nodes it speaks: see {@link memberMark}. What follows goes by their order, that of their ids. */
  readonly roster: number;
  /** Places of those that are stale. */
  readonly stale: readonly number[];
  /** One character a node: what is left of its capacity, in thirty-fifths (base 36); `-` where that is not known. */
  readonly levels: string;
}

/** All digests of all regions. */
export const DIGESTS = 'digest/*';
export const digestSubject = (region: string): string => `digest/${region}`;

const TEXT_LENGTH_MAX = 256;
const NODES_MAX = 10_000;
const LEVELS = 35;
export const LEVEL_UNKNOWN = '-';

export const encodeDigest = (digest: RegionDigest): Uint8Array => encodeVersioned(digest);

/** Reads borrowed bytes; undefined for what is no digest, or one that needs a newer reader. */
export function decodeDigest(bytes: Uint8Array): RegionDigest | undefined {
  const fields = decodeVersioned(bytes);
  if (fields === undefined) return undefined;
  const region = readText(fields['region'], TEXT_LENGTH_MAX);
  const node = readText(fields['node'], TEXT_LENGTH_MAX);
  const levels = readText(fields['levels'], NODES_MAX);
  const [incarnation, count, roster] = [readCount(fields['incarnation']), readCount(fields['count']), readCount(fields['roster'])];
  const sentMs = readAmount(fields['sentMs']);
  const { stale } = fields;
  if (region === undefined || node === undefined || !isName(node) || levels === undefined || !Array.isArray(stale)) return undefined;
  if (incarnation === undefined || count === undefined || roster === undefined || sentMs === undefined) return undefined;
  const places = stale.slice(0, NODES_MAX).filter((place): place is number => readCount(place) !== undefined);
  return { v: 1, region, node, incarnation, count, sentMs, roster, stale: places, levels };
}

/** A node and the run of its process as a number of 32 bits; a roster is the exclusive or of them all, so that two who know the same know it. */
export function memberMark(id: string, incarnation: number): number {
  // FNV-1a.
  let mark = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) mark = Math.imul(mark ^ id.charCodeAt(at), 0x01000193);
  mark = Math.imul(mark ^ (incarnation & 0xffff), 0x01000193);
  return (mark ^ (mark >>> 15)) >>> 0;
}

/** `headroom` from 0 to 1. */
export const levelOf = (headroom: number): string => Math.round(Math.max(0, Math.min(1, headroom)) * LEVELS).toString(36);

const HEADROOMS: ReadonlyMap<string, number> = new Map(
  Array.from({ length: LEVELS + 1 }, (_, level) => [level.toString(36), level / LEVELS]),
);

/** Less says nothing that matters to those who choose among nodes. */
const MOVED_MIN = 1.5 / LEVELS;

/** Whether some node has clearly more or less left than was told of the same nodes, or that was not known. */
export function haveMoved(levels: string, told: string): boolean {
  for (let at = 0; at < levels.length; at++) {
    if (levels[at] === told[at]) continue;
    const [headroom, before] = [headroomOfLevel(levels[at]), headroomOfLevel(told[at])];
    if (headroom === undefined || before === undefined || Math.abs(headroom - before) > MOVED_MIN) return true;
  }
  return false;
}

/** Undefined where it is not known. */
export const headroomOfLevel = (level: string | undefined): number | undefined => (level === undefined ? undefined : HEADROOMS.get(level));

import type { NodeLoad } from './heartbeat.ts';
import type { NodeRecord } from './node-record.ts';
import { drawTwo } from './routing.ts';

/** A node as placement looks at it. */
export interface MakerCandidate {
  readonly record: NodeRecord;
  /** Undefined before its first heartbeat, and where its heartbeats are not heard. */
  readonly load: NodeLoad | undefined;
  /** 0 to 1, for nodes whose heartbeats are not heard. */
  readonly headroom?: number | undefined;
  readonly isStale: boolean;
}

/** A rung that is to be made. */
export interface PlacementWish {
  /** Of the stream's origin, from where the maker pulls. */
  readonly region: string;
  /** Nodes that make other rungs of the same stream: they decode it already. */
  readonly present: ReadonlySet<string>;
  /** Nodes that failed or refused a moment ago; the origin itself. */
  readonly exclude: ReadonlySet<string>;
}

/** Why a node does not make it. `idle`: it has not said anything yet. `off`: nothing is transcoded there. `unreachable`: it has no relay. Stable. */
export type PlacementRefusal = 'role' | 'unreachable' | 'stale' | 'draining' | 'disabled' | 'idle' | 'off' | 'full' | 'excluded';

/** One node's part in a decision. */
export interface PlacementOpinion {
  readonly node: string;
  readonly isNear: boolean;
  readonly isPresent: boolean;
  /** 0 to 1: what is left of tasks and processor, whichever is less. */
  readonly headroom: number;
  readonly refusal?: PlacementRefusal;
}

export interface PlacementDecision {
  /** Undefined: no node can make it. */
  readonly node: string | undefined;
  /** Of all nodes, in the order in which they were given. */
  readonly opinions: readonly PlacementOpinion[];
}

/**
 * Chooses the node that makes a rung: one that makes others of the same stream, so that it is decoded once; else, in the origin's region if there is any,
 * the better of two that are drawn, so that origins with the same heartbeats do not all take the same one. `random` gives numbers from 0 to below 1.
 */
export function placeRung(candidates: readonly MakerCandidate[], wish: PlacementWish, random: () => number): PlacementDecision {
  const opinions = candidates.map((candidate) => opinionOf(candidate, wish));
  const usable = opinions.filter(({ refusal }) => refusal === undefined);
  const present = usable.filter(({ isPresent }) => isPresent);
  const near = usable.filter(({ isNear }) => isNear);
  const [first, second] = drawTwo(present.length > 0 ? present : near.length > 0 ? near : usable, random);
  const best = second !== undefined && first !== undefined && second.headroom > first.headroom ? second : first;
  return { node: best?.node, opinions };
}

function opinionOf(candidate: MakerCandidate, { region, present, exclude }: PlacementWish): PlacementOpinion {
  const { record, load } = candidate;
  const headroom = load === undefined ? (candidate.headroom ?? 0) : tasksLeft(load);
  const opinion = { node: record.id, isNear: record.region === region, isPresent: present.has(record.id), headroom };
  const refusal = exclude.has(record.id) ? 'excluded' : refusalOf(candidate);
  return refusal === undefined ? opinion : { ...opinion, refusal };
}

const tasksLeft = ({ cpu, tasks, tasksMax }: NodeLoad): number => Math.max(0, Math.min(1 - cpu, 1 - tasks / Math.max(1, tasksMax)));

function refusalOf({ record, load, headroom, isStale }: MakerCandidate): PlacementRefusal | undefined {
  if (!record.roles.includes('transcode') && !record.roles.includes('mono')) return 'role';
  if (record.endpoints.relay === undefined) return 'unreachable';
  if (record.status !== 'active') return record.status;
  if (isStale) return 'stale';
  if (load === undefined) return headroom === undefined ? 'idle' : undefined;
  if (load.tasksMax <= 0) return 'off';
  return load.tasks >= load.tasksMax ? 'full' : undefined;
}

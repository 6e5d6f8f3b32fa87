import type { NodeLoad } from './heartbeat.ts';
import type { NodeRecord } from './node-record.ts';
import { ROUTE_WEIGHTS, type RouteWeights } from './routing-rules.ts';

/** A node as routing looks at it. */
export interface RouteCandidate {
  readonly record: NodeRecord;
  /** Undefined before its first heartbeat, and for nodes whose heartbeats are not heard here. A node of which nothing is known has just started. */
  readonly load: NodeLoad | undefined;
  /** What is left of its capacity, 0 to 1, where its load is not known. */
  readonly headroom?: number | undefined;
  readonly isStale: boolean;
  /** Whether it has the stream that is asked for already. */
  readonly hasStream: boolean;
}

/** What a client wants. */
export interface RouteWish {
  readonly kind: 'play' | 'publish';
  /** Where the client is, as far as that is known. */
  readonly region: string | undefined;
  /** Nodes that the client comes from, and is not to be sent back to. */
  readonly exclude?: ReadonlySet<string>;
  /** Whether a node that is full will do: for clients who would have none otherwise. */
  readonly isFullAccepted?: boolean;
  /** Whether an origin will do for a viewer. */
  readonly isOriginAccepted?: boolean;
}

/** Why a node is not for this client. Stable. */
export type RouteRefusal = 'role' | 'stale' | 'draining' | 'disabled' | 'full' | 'excluded';

/** One node's part in a decision. */
export interface RouteOpinion {
  readonly node: string;
  readonly region: string;
  /** 0 to 1: what is left of processor, network and viewers, whichever is least. */
  readonly headroom: number;
  readonly isNear: boolean;
  readonly hasStream: boolean;
  /** Greater is better; 0 where it is refused. */
  readonly score: number;
  readonly refusal?: RouteRefusal;
}

export interface RouteDecision {
  /** Undefined: nobody can take the client. */
  readonly node: string | undefined;
  /** Of all nodes, the best first. */
  readonly opinions: readonly RouteOpinion[];
}

/** A node in the client's region is worth more than any other. */
const NEAR_SCORE = 100;
/** Less is as good as nothing: heartbeats are a second old, and many clients may come in a second. */
const HEADROOM_MIN = 0.05;

/**
 * Chooses a node for a client. Of the nodes that are as near as can be had, two are drawn and the better one is taken, so that many clients who ask at the
 * same time with the same heartbeats are not all sent to one node. `random` gives numbers from 0 to below 1.
 */
export function routeTo(
  candidates: readonly RouteCandidate[],
  wish: RouteWish,
  random: () => number,
  weights: RouteWeights = ROUTE_WEIGHTS,
): RouteDecision {
  const opinions = candidates.map((candidate) => opinionOf(candidate, wish, weights));
  const usable = opinions.filter(({ refusal }) => refusal === undefined);
  const near = usable.filter(({ isNear }) => isNear);
  const drawn = drawTwo(near.length > 0 ? near : usable, random);
  const [first, second] = drawn;
  const best = second !== undefined && first !== undefined && second.score > first.score ? second : first;
  return new Decision(best?.node, opinions);
}

/** Opinions are put in order for those who ask for them: most want the node alone. */
class Decision implements RouteDecision {
  readonly node: string | undefined;
  private readonly unsorted: readonly RouteOpinion[];

  constructor(node: string | undefined, opinions: readonly RouteOpinion[]) {
    this.node = node;
    this.unsorted = opinions;
  }

  get opinions(): readonly RouteOpinion[] {
    return this.unsorted.toSorted((left, right) => right.score - left.score);
  }
}

function opinionOf(candidate: RouteCandidate, wish: RouteWish, weights: RouteWeights): RouteOpinion {
  const { record, load, hasStream } = candidate;
  const headroom = load === undefined ? (candidate.headroom ?? 1) : headroomOf(load);
  const isNear = wish.region !== undefined && record.region === wish.region;
  const refusal = refusalOf(candidate, wish, headroom);
  const score = (isNear ? NEAR_SCORE : 0) + (hasStream ? weights.hasStream : 0) + headroom * weights.headroom;
  const { id: node, region } = record;
  return refusal === undefined
    ? { node, region, headroom, isNear, hasStream, score }
    : { node, region, headroom, isNear, hasStream, score: 0, refusal };
}

function refusalOf(
  { record, isStale }: RouteCandidate,
  { kind, exclude, isFullAccepted, isOriginAccepted }: RouteWish,
  headroom: number,
): RouteRefusal | undefined {
  if (exclude?.has(record.id) === true) return 'excluded';
  const role = kind === 'play' && isOriginAccepted !== true ? 'edge' : 'origin';
  if (!record.roles.includes(role) && !record.roles.includes('mono')) return 'role';
  if (record.status !== 'active') return record.status;
  if (isStale) return 'stale';
  return headroom < HEADROOM_MIN && isFullAccepted !== true ? 'full' : undefined;
}

/** What is left of processor, network and viewers, whichever is least: 0 to 1. */
export function headroomOf(load: NodeLoad): number {
  const viewers = load.viewers.flv + load.viewers.rtmp + load.viewers.hls + load.viewers.webrtc;
  const left = (used: number, max: number): number => (max > 0 ? 1 - used / max : 1);
  const least = Math.min(1 - load.cpu, left(load.networkOutBps, load.networkMaxBps), left(viewers, load.viewersMax));
  return Math.max(0, Math.min(1, least));
}

/** Two of many, or those that there are. */
export function drawTwo<Opinion>(opinions: readonly Opinion[], random: () => number): readonly Opinion[] {
  if (opinions.length <= 2) return opinions;
  const first = Math.floor(random() * opinions.length);
  const other = Math.floor(random() * (opinions.length - 1));
  const second = other >= first ? other + 1 : other;
  return [opinions[first], opinions[second]].filter((opinion) => opinion !== undefined);
}

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
  const [first, second] = drawUsable(candidates, wish, random);
  const isSecondBetter = first !== undefined && second !== undefined && scoreOf(second, wish, weights) > scoreOf(first, wish, weights);
  const best = isSecondBetter ? second : first;
  return {
    node: best?.record.id,
    // Most want the node alone.
    get opinions() {
      return routeOpinions(candidates, wish, weights);
    },
  };
}

/** What is to be said of each node, the best first. */
export const routeOpinions = (candidates: readonly RouteCandidate[], wish: RouteWish, weights: RouteWeights): readonly RouteOpinion[] =>
  candidates.map((candidate) => opinionOf(candidate, wish, weights)).sort((left, right) => right.score - left.score);

/** Two of those that can be used and are as near as can be had, or as many as there are. Of many nodes it looks at few: at one after the other, as they are drawn. */
function drawUsable(candidates: readonly RouteCandidate[], wish: RouteWish, random: () => number): readonly RouteCandidate[] {
  const left = [...candidates];
  const near: RouteCandidate[] = [];
  const far: RouteCandidate[] = [];
  for (let count = left.length; count > 0 && near.length < 2; count--) {
    const at = Math.floor(random() * count);
    const drawn = left[at];
    left[at] = left[count - 1] as RouteCandidate;
    if (drawn === undefined || refusalOf(drawn, wish) !== undefined) continue;
    if (isNear(drawn, wish)) near.push(drawn);
    else if (far.length < 2) far.push(drawn);
  }
  return near.length > 0 ? near : far;
}

function opinionOf(candidate: RouteCandidate, wish: RouteWish, weights: RouteWeights): RouteOpinion {
  const { record, hasStream } = candidate;
  const { id: node, region } = record;
  const refusal = refusalOf(candidate, wish);
  const about = { node, region, headroom: headroomLeft(candidate), isNear: isNear(candidate, wish), hasStream };
  return refusal === undefined ? { ...about, score: scoreOf(candidate, wish, weights) } : { ...about, score: 0, refusal };
}

/** Whether a node is in the client's region. */
export const isNear = ({ record }: RouteCandidate, { region }: RouteWish): boolean => region !== undefined && record.region === region;

const headroomLeft = ({ load, headroom }: RouteCandidate): number => (load === undefined ? (headroom ?? 1) : headroomOf(load));

const scoreOf = (candidate: RouteCandidate, wish: RouteWish, weights: RouteWeights): number =>
  (isNear(candidate, wish) ? NEAR_SCORE : 0) + (candidate.hasStream ? weights.hasStream : 0) + headroomLeft(candidate) * weights.headroom;

/** Why a node is not for this client; undefined: it is. */
export function refusalOf(
  candidate: RouteCandidate,
  { kind, exclude, isFullAccepted, isOriginAccepted }: RouteWish,
): RouteRefusal | undefined {
  const { record, isStale } = candidate;
  if (exclude?.has(record.id) === true) return 'excluded';
  const role = kind === 'play' && isOriginAccepted !== true ? 'edge' : 'origin';
  if (!record.roles.includes(role) && !record.roles.includes('mono')) return 'role';
  if (record.status !== 'active') return record.status;
  if (isStale) return 'stale';
  return isFullAccepted !== true && headroomLeft(candidate) < HEADROOM_MIN ? 'full' : undefined;
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

import type { NodeLoad } from './heartbeat.ts';
import type { NodeRecord } from './node-record.ts';
import type { NodeView } from './node-view.ts';
import { ROUTE_WEIGHTS, type RouteWeights } from './routing-rules.ts';

/** The nodes that clients can be sent to. */
export interface RoutedNodes {
  /** Of one region, or of all nodes; not to be changed. */
  recordsOf(region: string | undefined): readonly NodeRecord[];
  node(id: string): NodeView | undefined;
}

/** What a decision goes by beside the wish. */
export interface RouteBasis {
  /** Whether a node has the stream that is asked for already. */
  readonly hasStream: (node: string) => boolean;
  /** Numbers from 0 to below 1. */
  readonly random: () => number;
  readonly weights?: RouteWeights;
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
 * same time with the same heartbeats are not all sent to one node.
 */
export function routeTo(nodes: RoutedNodes, wish: RouteWish, { hasStream, random, weights = ROUTE_WEIGHTS }: RouteBasis): RouteDecision {
  const [first, second] = nearFirst(nodes, wish, (records) => drawUsable(nodes, records, wish, random));
  const score = (view: NodeView): number => scoreOf(view, wish, hasStream(view.record.id), weights);
  const isSecondBetter = first !== undefined && second !== undefined && score(second) > score(first);
  const best = isSecondBetter ? second : first;
  return {
    node: best?.record.id,
    // Most want the node alone.
    get opinions() {
      return routeOpinions(nodes, wish, hasStream, weights);
    },
  };
}

/** What is to be said of each node, the best first. */
export function routeOpinions(
  nodes: RoutedNodes,
  wish: RouteWish,
  hasStream: (node: string) => boolean,
  weights: RouteWeights,
): readonly RouteOpinion[] {
  const views = viewsOf(nodes, nodes.recordsOf(undefined));
  return views.map((view) => opinionOf(view, wish, hasStream(view.record.id), weights)).sort((left, right) => right.score - left.score);
}

/** What `find` finds among the nodes of the client's region, or, where that is nothing, among all. */
export function nearFirst<Found>(
  nodes: RoutedNodes,
  { region }: RouteWish,
  find: (records: readonly NodeRecord[]) => readonly Found[],
): readonly Found[] {
  const near = region === undefined ? [] : find(nodes.recordsOf(region));
  return near.length > 0 ? near : find(nodes.recordsOf(undefined));
}

export const viewsOf = (nodes: RoutedNodes, records: readonly NodeRecord[]): readonly NodeView[] =>
  records.map(({ id }) => nodes.node(id)).filter((view) => view !== undefined);

/** Two of those that can be used, or as many as there are. Of many nodes it looks at few: at one after the other, as they are drawn. */
function drawUsable(nodes: RoutedNodes, records: readonly NodeRecord[], wish: RouteWish, random: () => number): readonly NodeView[] {
  const left = [...records];
  const usable: NodeView[] = [];
  for (let count = left.length; count > 0 && usable.length < 2; count--) {
    const at = Math.floor(random() * count);
    const view = nodes.node(left[at]?.id ?? '');
    left[at] = left[count - 1] as NodeRecord;
    if (view !== undefined && refusalOf(view, wish) === undefined) usable.push(view);
  }
  return usable;
}

function opinionOf(view: NodeView, wish: RouteWish, hasStream: boolean, weights: RouteWeights): RouteOpinion {
  const { id: node, region } = view.record;
  const refusal = refusalOf(view, wish);
  const about = { node, region, headroom: toBeRead(headroomLeft(view)), isNear: isNear(view, wish), hasStream };
  return refusal === undefined ? { ...about, score: toBeRead(scoreOf(view, wish, hasStream, weights)) } : { ...about, score: 0, refusal };
}

/** 0.455, and not 0.45499999999999996. */
const toBeRead = (value: number): number => Math.round(value * 1_000) / 1_000;

/** Whether a node is in the client's region. */
const isNear = ({ record }: NodeView, { region }: RouteWish): boolean => region !== undefined && record.region === region;

/** A node of which nothing is known has just started. */
const headroomLeft = ({ headroom }: NodeView): number => headroom ?? 1;

const scoreOf = (view: NodeView, wish: RouteWish, hasStream: boolean, weights: RouteWeights): number =>
  (isNear(view, wish) ? NEAR_SCORE : 0) + (hasStream ? weights.hasStream : 0) + headroomLeft(view) * weights.headroom;

/** Why a node is not for this client; undefined: it is. */
export function refusalOf(view: NodeView, { kind, exclude, isFullAccepted, isOriginAccepted }: RouteWish): RouteRefusal | undefined {
  const { record, isStale } = view;
  if (exclude?.has(record.id) === true) return 'excluded';
  const role = kind === 'play' && isOriginAccepted !== true ? 'edge' : 'origin';
  if (!record.roles.includes(role) && !record.roles.includes('mono')) return 'role';
  if (record.status !== 'active') return record.status;
  if (isStale) return 'stale';
  return isFullAccepted !== true && headroomLeft(view) < HEADROOM_MIN ? 'full' : undefined;
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

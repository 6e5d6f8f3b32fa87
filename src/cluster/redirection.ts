import type { NodeRole } from './node-record.ts';
import type { OwnState } from './own-record.ts';
import type { RouteDecision, RouteWish } from './routing.ts';

/** What this node is, as far as it decides whom it serves. */
export interface OwnStanding {
  readonly node: string;
  readonly roles: readonly NodeRole[];
  readonly state: OwnState;
}

/**
 * What a client asks a node for. `publish`: to put a stream in; `play`: to be a viewer from now on; `playlist`: an HLS playlist, which may be one more for
 * somebody who watches already; `file`: a segment or part, of a playlist that this node gave out.
 */
export type ClientWish = 'publish' | 'play' | 'playlist' | 'file';

/** What becomes of a client: served here, sent to another node, or refused as nobody can take it. */
export type Placement = { readonly kind: 'serve' } | { readonly kind: 'redirect'; readonly node: string } | { readonly kind: 'refuse' };

/** `fit`: with the right role and head-room; `full`: without head-room, too; `origin`: an origin for a viewer, with head-room or without. */
export type RouteExtent = 'fit' | 'full' | 'origin';

/** What a wish accepts that goes so far. */
export const acceptedBy = (extent: RouteExtent): Pick<RouteWish, 'isFullAccepted' | 'isOriginAccepted'> => ({
  isFullAccepted: extent !== 'fit',
  isOriginAccepted: extent === 'origin',
});

/** A decision, and how far it had to go. */
export interface FarthestRoute extends RouteDecision {
  readonly extent: RouteExtent;
}

/**
 * The node for a client who has to go to one: one with head-room, else one that is full, else for viewers an origin. Nobody is sent away while any node could
 * serve them. The opinions are those of the first look, so that they tell why the chosen one was not there already.
 */
export function routeSomewhere(kind: RouteWish['kind'], route: (extent: RouteExtent) => RouteDecision): FarthestRoute {
  const fit = route('fit');
  const extents: readonly RouteExtent[] = kind === 'publish' ? ['full'] : ['full', 'origin'];
  let found: { readonly node: string | undefined; readonly extent: RouteExtent } = { node: fit.node, extent: 'fit' };
  for (const extent of extents) if (found.node === undefined) found = { node: route(extent).node, extent };
  return {
    ...found,
    get opinions() {
      return fit.opinions;
    },
  };
}

export interface PlacementOptions {
  /** Asks routing for a node; `extent` says which ones will do. */
  readonly route: (extent: RouteExtent) => RouteDecision;
  /** Whether this node, or as many as may, sent the client on already: it is sent nowhere else, so that it does not go round. */
  readonly isSettled: boolean;
}

const SERVE: Placement = { kind: 'serve' };
const REFUSE: Placement = { kind: 'refuse' };

const isOneOf = ({ roles }: OwnStanding, ...wanted: readonly NodeRole[]): boolean => wanted.some((role) => roles.includes(role));
/** A node that is out of its cluster is one on its own. */
const isAlone = ({ state }: OwnStanding): boolean => state === 'removed' || state === 'superseded' || state === 'foreign';
const isLeaving = ({ state }: OwnStanding): boolean => state === 'draining' || state === 'disabled';

/** Whether this node serves such a client without a look at the others. The same until its roles or its state are others. */
export function servesAtOnce(own: OwnStanding, wish: ClientWish): boolean {
  if (isAlone(own)) return true;
  if (wish === 'file') return own.state !== 'disabled' && isOneOf(own, 'edge', 'mono', 'origin');
  if (isLeaving(own)) return false;
  return wish === 'publish' ? isOneOf(own, 'origin', 'mono') : isOneOf(own, 'edge', 'mono');
}

/**
 * Decides where a client is served. Viewers belong to edges and publishers to origins. An origin serves viewers itself while no edge of any region can be
 * used; a node that drains goes on with those who may be watching already while nobody else can take them, and takes nobody new. A node that is full is
 * better than none.
 */
export function placeClient(own: OwnStanding, wish: ClientWish, { route, isSettled }: PlacementOptions): Placement {
  if (servesAtOnce(own, wish)) return SERVE;
  const isFallback = servesAsLast(own, wish);
  if (!isSettled) {
    // An origin that is well rather serves itself than that it sends more to edges that are full.
    const { node } = isFallback && !isLeaving(own) ? route('fit') : routeSomewhere(wish === 'publish' ? 'publish' : 'play', route);
    if (node !== undefined && node !== own.node) return { kind: 'redirect', node };
  }
  return isFallback ? SERVE : REFUSE;
}

/** Whether this node serves such a client when nobody else does. */
function servesAsLast(own: OwnStanding, wish: ClientWish): boolean {
  if (own.state === 'disabled') return false;
  if (wish === 'playlist') return isOneOf(own, 'edge', 'mono', 'origin');
  return wish === 'play' && !isLeaving(own) && isOneOf(own, 'origin');
}

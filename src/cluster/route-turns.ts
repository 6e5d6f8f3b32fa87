import { isNear, type RouteCandidate, type RouteDecision, type RouteWish, refusalOf, routeOpinions } from './routing.ts';
import { ROUTE_WEIGHTS, type RouteWeights } from './routing-rules.ts';

/** Kinds of clients and regions whose turns are kept; beyond it they begin anew. */
const TURNS_MAX = 1_000;

/**
 * Chooses nodes for clients who want no stream in particular: one after the other, so that each gets as many. It goes round the nodes of the client's region as
 * long as one of them can take it, else round all.
 */
export class RouteTurns {
  /** The node that was chosen last, by kind of client and the region that it goes round in. */
  private readonly last = new Map<string, string>();

  next(candidates: readonly RouteCandidate[], wish: RouteWish, weights: RouteWeights = ROUTE_WEIGHTS): RouteDecision {
    const usable = candidates.filter((candidate) => refusalOf(candidate, wish) === undefined);
    const near = usable.filter((candidate) => isNear(candidate, wish));
    const round = near.length > 0 ? near : usable;
    const key = `${wish.kind} ${near.length > 0 ? wish.region : ''}`;
    const node = following(round, this.last.get(key) ?? '');
    if (node !== undefined) {
      if (this.last.size >= TURNS_MAX) this.last.clear();
      this.last.set(key, node);
    }
    return {
      node,
      get opinions() {
        return routeOpinions(candidates, wish, weights);
      },
    };
  }
}

/** The next id behind `last`, and behind the greatest one the least. */
function following(round: readonly RouteCandidate[], last: string): string | undefined {
  let first: string | undefined;
  let next: string | undefined;
  for (const { record } of round) {
    const { id } = record;
    if (first === undefined || id < first) first = id;
    if (id > last && (next === undefined || id < next)) next = id;
  }
  return next ?? first;
}

import type { NodeView } from './node-view.ts';
import { nearFirst, type RouteDecision, type RoutedNodes, type RouteWish, refusalOf, routeOpinions, viewsOf } from './routing.ts';
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

  next(nodes: RoutedNodes, wish: RouteWish, weights: RouteWeights = ROUTE_WEIGHTS): RouteDecision {
    const round = nearFirst(nodes, wish, (records) => viewsOf(nodes, records).filter((view) => refusalOf(view, wish) === undefined));
    const isOfRegion = round.some(({ record }) => record.region === wish.region);
    const key = `${wish.kind} ${isOfRegion ? wish.region : ''}`;
    const node = following(round, this.last.get(key) ?? '');
    if (node !== undefined) {
      if (this.last.size >= TURNS_MAX) this.last.clear();
      this.last.set(key, node);
    }
    return {
      node,
      get opinions() {
        return routeOpinions(nodes, wish, () => false, weights);
      },
    };
  }
}

/** The next id behind `last`, and behind the greatest one the least. */
function following(round: readonly NodeView[], last: string): string | undefined {
  let first: string | undefined;
  let next: string | undefined;
  for (const { record } of round) {
    const { id } = record;
    if (first === undefined || id < first) first = id;
    if (id > last && (next === undefined || id < next)) next = id;
  }
  return next ?? first;
}

import {
  type NodeEndpoints,
  type NodeView,
  type RouteDecision,
  RouteTurns,
  type RouteWeights,
  type RouteWish,
  routeTo,
} from '../../cluster/mod.ts';
import type { ClusterRouting } from './cluster-route.ts';

export interface NodeRoutingOptions {
  readonly nodes: () => Iterable<NodeView>;
  readonly node: (id: string) => NodeView | undefined;
  /** Whether a node is known to have a stream (`app/name`) already. */
  readonly hasStream: (node: string, stream: string) => boolean;
  readonly weights: () => RouteWeights;
}

/** Chooses nodes for clients by this node's own replica of records and heartbeats: asks nobody. */
export class NodeRouting implements ClusterRouting {
  private readonly options: NodeRoutingOptions;
  private readonly turns = new RouteTurns();

  constructor(options: NodeRoutingOptions) {
    this.options = options;
  }

  route(wish: RouteWish, stream: string | undefined): RouteDecision {
    const { nodes, hasStream } = this.options;
    const candidates = Array.from(nodes(), ({ record, heartbeat, headroom, isStale }) => ({
      record,
      load: heartbeat,
      headroom,
      isStale,
      hasStream: stream !== undefined && hasStream(record.id, stream),
    }));
    const weights = this.options.weights();
    return stream === undefined ? this.turns.next(candidates, wish, weights) : routeTo(candidates, wish, Math.random, weights);
  }

  endpointsOf(node: string): NodeEndpoints | undefined {
    return this.options.node(node)?.record.endpoints;
  }
}

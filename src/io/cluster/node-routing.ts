import {
  type NodeEndpoints,
  type RouteDecision,
  type RoutedNodes,
  RouteTurns,
  type RouteWeights,
  type RouteWish,
  routeTo,
} from '../../cluster/mod.ts';
import type { ClusterRouting } from './cluster-route.ts';

export interface NodeRoutingOptions {
  readonly nodes: RoutedNodes;
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
    const { nodes } = this.options;
    const weights = this.options.weights();
    if (stream === undefined) return this.turns.next(nodes, wish, weights);
    return routeTo(nodes, wish, { hasStream: (node) => this.options.hasStream(node, stream), random: Math.random, weights });
  }

  endpointsOf(node: string): NodeEndpoints | undefined {
    return this.options.nodes.node(node)?.record.endpoints;
  }
}

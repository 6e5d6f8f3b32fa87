import type { NodeView } from '../../cluster/mod.ts';

/** The replica of the cluster's nodes; the cluster's `Membership` is one. */
export interface StreamNodes {
  nodes(): Iterable<NodeView>;
  node(id: string): NodeView | undefined;
  isAlive(id: string, incarnation: number): boolean;
  readonly isJudging: boolean;
  readonly isFirstOfRegion: boolean;
}

import { ApiError, joinRefused, joinTokenOperations, type Operation } from '../api/mod.ts';
import type { NodeView, Store } from '../cluster/mod.ts';
import { caSha256, StoreCalls, TokenStore } from '../io/mod.ts';

export interface JoinElsewhereOptions {
  readonly store: Store;
  /** The certificate of the cluster's authority, PEM. */
  readonly ca: string;
  readonly nodes: () => Iterable<NodeView>;
  readonly wall: () => number;
}

/**
 * What a node of a cluster that is no manager answers about joining. Tokens are in the store, which every node reaches; only managers have the authority that
 * signs certificates.
 */
export function joinElsewhere({ store, ca, nodes, wall }: JoinElsewhereOptions): readonly Operation[] {
  return [
    ...joinRefused(() => new ApiError('cluster.not-manager', `nodes join at a manager of the cluster: ${managersOf(nodes())}`)),
    ...joinTokenOperations(new TokenStore(new StoreCalls(store), caSha256(ca), wall)),
  ];
}

/** The URLs of some managers that are alive, in words. */
export function managersOf(nodes: Iterable<NodeView>): string {
  const urls = [...nodes]
    .filter(({ record: { roles }, isStale }) => !isStale && (roles.includes('manager') || roles.includes('mono')))
    .map(({ record }) => record.endpoints.http);
  return urls.length === 0 ? 'none is known here now, GET /api/v1/nodes lists the nodes' : urls.sort().slice(0, MANAGERS_MAX).join(', ');
}

/** More would help nobody. */
const MANAGERS_MAX = 5;

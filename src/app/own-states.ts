import type { OwnState } from '../cluster/mod.ts';

/** How a node stands in its cluster, for its log. */
export const OWN_STATES: Readonly<Record<OwnState, string>> = {
  joining: 'registering in the cluster',
  active: 'this node is active in its cluster',
  draining: 'this node is draining: it takes nothing new',
  disabled: 'this node is disabled: it takes nothing',
  removed: 'this node was removed from its cluster by an operator: it ends',
  superseded: 'another process runs with the identity of this node: it is out of the cluster',
  foreign: 'the store that this node reaches is that of another cluster: it is out of it',
};

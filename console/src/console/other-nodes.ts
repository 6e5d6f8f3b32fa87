import type { NodeResource } from '../../../src/api/console-contract.ts';

/**
 * Where the console is, too: the nodes besides `own`, those first that were alive, and of these those of its region. The others may be back by now.
 * Addresses that are none are left out.
 */
export function otherNodes<Node extends Pick<NodeResource, 'id' | 'region' | 'stale' | 'endpoints'>>(
  nodes: readonly Node[],
  own: string,
): readonly Node[] {
  const region = nodes.find(({ id }) => id === own)?.region;
  const others = nodes.filter(({ id, endpoints }) => id !== own && /^https?:\/\//.test(endpoints.http) && URL.canParse(endpoints.http));
  const rank = (node: Node): number => (node.stale ? 2 : 0) + (node.region === region ? 0 : 1);
  return others.toSorted((left, right) => rank(left) - rank(right));
}

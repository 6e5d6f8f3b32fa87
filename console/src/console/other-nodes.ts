import type { NodeResource } from '../../../src/api/console-contract.ts';

/** Where the console is, too: the nodes that were alive besides `own`, those of its region first. Addresses that are none are left out. */
export function otherNodes<Node extends Pick<NodeResource, 'id' | 'region' | 'stale' | 'endpoints'>>(
  nodes: readonly Node[],
  own: string,
): readonly Node[] {
  const region = nodes.find(({ id }) => id === own)?.region;
  const others = nodes.filter(
    ({ id, stale, endpoints }) => id !== own && !stale && /^https?:\/\//.test(endpoints.http) && URL.canParse(endpoints.http),
  );
  return [...others.filter((node) => node.region === region), ...others.filter((node) => node.region !== region)];
}

import type { NodeView } from '../../cluster/mod.ts';
import type { RelayUpstream } from '../relay/mod.ts';

/** Where the node gives its streams, and answers other nodes; undefined when it has not said so. */
export function relayAddressOf(node: NodeView | undefined): RelayUpstream | undefined {
  const relay = node?.record.endpoints.relay;
  const colon = relay?.lastIndexOf(':') ?? -1;
  if (node === undefined || relay === undefined || colon < 0) return undefined;
  const host = relay.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { node: node.record.id, host, port: Number(relay.slice(colon + 1)) };
}

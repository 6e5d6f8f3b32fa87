import { createPublicKey } from 'node:crypto';
import { hostname } from 'node:os';
import { CLUSTER_PROTOCOL, NODE_NAME_LENGTH_MAX, type OwnNode } from '../../cluster/mod.ts';
import { certificateOf, type NodeIdentity } from './node-identity.ts';
import { sha256Hex, spkiOf } from './node-key.ts';

/** What a node is called: as it is configured, or else as its machine is. */
export const nodeNameOf = (configured: string): string => (configured === '' ? hostname() : configured).slice(0, NODE_NAME_LENGTH_MAX);

/** What a node with this identity registers itself as; `name`: as it is configured. */
export function ownNodeOf(identity: NodeIdentity, version: string, name = ''): OwnNode {
  const { nodeId, region, roles, endpoints, joinedAtMs, privateKey } = identity;
  return {
    id: nodeId,
    name: nodeNameOf(name),
    region,
    roles,
    endpoints,
    version,
    protocol: CLUSTER_PROTOCOL,
    joinedAtMs,
    certificateSerial: certificateOf(identity).serial,
    keySha256: sha256Hex(spkiOf(createPublicKey(privateKey))),
  };
}

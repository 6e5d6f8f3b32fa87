import { createPublicKey } from 'node:crypto';
import { CLUSTER_PROTOCOL, type OwnNode } from '../../cluster/mod.ts';
import { certificateOf, type NodeIdentity } from './node-identity.ts';
import { sha256Hex, spkiOf } from './node-key.ts';

/** What a node with this identity registers itself as. */
export function ownNodeOf(identity: NodeIdentity, version: string): OwnNode {
  const { nodeId, region, roles, endpoints, joinedAtMs, privateKey } = identity;
  return {
    id: nodeId,
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

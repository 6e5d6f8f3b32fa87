import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { CoordinationResource, EndpointsResource, JoinAnswer } from '../../api/mod.ts';
import { NODE_ROLES, type NodeRole } from '../../cluster/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { endpointHosts } from './endpoint-hosts.ts';
import { createNodeKey, createRequest, nodeIdOfPrivateKey, readRequest } from './node-key.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

/** What makes a node a member of its cluster; in the data folder's `cluster/identity.json`. */
export interface NodeIdentity {
  readonly version: 1;
  readonly nodeId: string;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly roles: readonly NodeRole[];
  readonly region: string;
  readonly endpoints: EndpointsResource;
  /** PKCS #8, PEM. Never leaves the node. */
  readonly privateKey: string;
  /** PEM. */
  readonly certificate: string;
  /** The certificate of the cluster's authority, PEM. */
  readonly ca: string;
  /** The authority's private key, PEM; on managers. */
  readonly caPrivateKey?: string;
  readonly coordination: CoordinationResource;
  readonly joinedAtMs: number;
  /** When this node learnt that it was removed; absent: it is in, as far as it knows. */
  readonly removedAtMs?: number;
}

export const identityFile = (dataFolder: string): string => join(dataFolder, 'cluster', 'identity.json');

/**
 * Undefined when the node has not joined; throws `SluiceError` with `cluster.identity-unreadable` for a file that is damaged, and with `cluster.node-removed`
 * for that of a node that was removed.
 */
export function loadIdentity(dataFolder: string): NodeIdentity | undefined {
  const file = identityFile(dataFolder);
  const text = readPrivateFile(file);
  if (text === undefined) return undefined;
  const identity = parse(text);
  if (identity?.removedAtMs !== undefined) throw nodeRemoved(dataFolder, identity);
  if (identity !== undefined) return identity;
  throw new SluiceError(
    'cluster.identity-unreadable',
    `${file} is damaged. It is left as it is: restore it from a backup, or move it away, remove the node from the cluster, and join again`,
  );
}

export function saveIdentity(dataFolder: string, identity: NodeIdentity): void {
  writePrivateFile(identityFile(dataFolder), `${JSON.stringify(identity, null, 2)}\n`);
}

/** Keeps that a node was removed, as the store says, so that each later start says so, too, without asking. */
export const noteRemoval = (dataFolder: string, identity: NodeIdentity): void =>
  saveIdentity(dataFolder, { ...identity, removedAtMs: Date.now() });

/** What is said of a node that was removed. */
export const nodeRemoved = (dataFolder: string, { nodeId, clusterName }: NodeIdentity): SluiceError =>
  new SluiceError(
    'cluster.node-removed',
    `this node (${nodeId}) was removed from the cluster ${clusterName} by an operator. To bring it back as a new node, move ${join(dataFolder, 'cluster')} away and join again with a token`,
  );

/** Serial (lower-case hexadecimal) and end of the node's certificate. */
export function certificateOf(identity: NodeIdentity): { readonly serial: string; readonly notAfterMs: number } {
  const { serialNumber, validTo } = new X509Certificate(identity.certificate);
  return { serial: serialNumber.toLowerCase(), notAfterMs: Date.parse(validTo) };
}

/** Makes the identity of a node from the answer to its join; throws `SluiceError` with `cluster.answer-wrong`. */
export function identityOf(
  answer: Omit<JoinAnswer, 'protocol'>,
  node: { privateKey: string; roles: readonly NodeRole[]; region: string; endpoints: EndpointsResource; joinedAtMs: number },
): NodeIdentity {
  const { nodeId, clusterId, clusterName, certificate, ca, caPrivateKey, coordination } = answer;
  const identity: NodeIdentity = {
    version: 1,
    nodeId,
    clusterId,
    clusterName,
    ...node,
    certificate,
    ca,
    ...(caPrivateKey === undefined ? {} : { caPrivateKey }),
    coordination,
  };
  const fault = faultOf(identity);
  if (fault !== undefined) throw new SluiceError('cluster.answer-wrong', `the manager's answer cannot be used: ${fault}`);
  return identity;
}

export interface FoundingNode {
  readonly clusterName: string;
  readonly roles: readonly NodeRole[];
  readonly region: string;
  readonly endpoints: EndpointsResource;
  readonly coordination: CoordinationResource;
}

/** The identity of a cluster's first manager, with a new authority. Not written yet. */
export async function foundCluster(node: FoundingNode, now: Date): Promise<NodeIdentity> {
  const authority = await CertificateAuthority.create(node.clusterName, now);
  const privateKey = createNodeKey();
  const { spki, nodeId } = await readRequest(await createRequest(privateKey));
  const { certificate } = await authority.issue({ nodeId, spki, hosts: endpointHosts(node.endpoints) }, now);
  return {
    version: 1,
    nodeId,
    clusterId: `c${randomBytes(10).toString('hex')}`,
    ...node,
    privateKey,
    certificate,
    ca: authority.certificate,
    caPrivateKey: authority.privateKey,
    joinedAtMs: now.getTime(),
  };
}

function parse(text: string): NodeIdentity | undefined {
  try {
    const value = JSON.parse(text) as NodeIdentity | null;
    return value !== null && value.version === 1 && faultOf(value) === undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong with an identity that came from a file or from a manager. */
function faultOf(identity: NodeIdentity): string | undefined {
  const { nodeId, clusterId, roles, region, endpoints, privateKey, certificate, ca, coordination } = identity;
  const texts = [nodeId, clusterId, region, privateKey, certificate, ca, endpoints?.http, coordination?.kind];
  if (texts.some((text) => typeof text !== 'string' || text === '')) return 'something is missing in it';
  if (!Array.isArray(roles) || roles.some((role) => !NODE_ROLES.includes(role))) return 'its roles are not known';
  const own = new X509Certificate(certificate);
  const authority = new X509Certificate(ca);
  if (!own.checkPrivateKey(createPrivateKey(privateKey))) return 'the certificate is for another key';
  if (nodeIdOfPrivateKey(privateKey) !== nodeId) return 'the node id is not that of the key';
  if (!own.checkIssued(authority) || !own.verify(authority.publicKey))
    return 'the certificate is not signed by the authority that comes with it';
  return undefined;
}

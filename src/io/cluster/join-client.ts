import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type EndpointsResource, JOIN_TOKEN_HEADER, type JoinAnswer, type JoinRequest } from '../../api/mod.ts';
import { CLUSTER_PROTOCOL, type NodeRole, parseJoinToken } from '../../cluster/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { isLoopback } from '../remote-address.ts';
import { type ApiCall, apiRequest } from './api-request.ts';
import { caSha256 } from './certificate-authority.ts';
import { identityOf, loadIdentity, type NodeIdentity, saveIdentity } from './node-identity.ts';
import { createNodeKey, createRequest } from './node-key.ts';
import { fetchPinnedAuthority } from './pinned-authority.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';
import { checkSharedFile } from './store-owner.ts';

export interface JoinOptions {
  /** Of a manager: `https://HOST:PORT`. */
  readonly url: string;
  readonly token: string;
  readonly dataFolder: string;
  readonly roles: readonly NodeRole[];
  readonly region: string;
  readonly endpoints: EndpointsResource;
  /** Of the software. */
  readonly version: string;
  /** PEM of whoever vouches for the manager's certificate; undefined: the system's authorities, or else the one that the token names. */
  readonly ca: string | undefined;
  /** Allows plain http to other machines: token and credentials can be read on the way. */
  readonly allowInsecure: boolean;
  readonly now: Date;
}

/**
 * Joins a cluster and keeps the identity in the data folder; returns the one that is there when the node has joined before. The key is made and kept before
 * it is asked with, so that a node whose answer was lost stays the same one. Throws `SluiceError` with the manager's code, or as {@link apiRequest} does.
 */
export async function joinCluster(options: JoinOptions): Promise<NodeIdentity> {
  const { dataFolder, roles, region, endpoints, now } = options;
  const known = loadIdentity(dataFolder);
  if (known !== undefined) return known;
  const base = managerUrl(options);
  const token = parseJoinToken(options.token);
  if (token === undefined)
    throw new SluiceError(
      'cluster.token-wrong',
      'the join token is not whole: it has the form clt_ID.SECRET.PIN; copy it as "sluice tokens create" printed it',
    );
  const pin = Buffer.from(token.caPin, 'base64url').toString('hex');
  const keyFile = join(dataFolder, 'cluster', 'joining.pem');
  const privateKey = pendingKey(keyFile);
  const body: JoinRequest = {
    csr: await createRequest(privateKey),
    roles: [...roles],
    region,
    endpoints,
    version: options.version,
    protocol: CLUSTER_PROTOCOL,
  };
  const url = new URL('/api/v1/cluster/join', base);
  const call: ApiCall = { method: 'POST', url, headers: { [JOIN_TOKEN_HEADER]: options.token }, body, ca: options.ca };
  const answer = (await requestTrusted(call, pin)) as JoinAnswer;
  const identity = identityOf(answer, { privateKey, roles, region, endpoints, joinedAtMs: now.getTime() });
  if (caSha256(identity.ca) !== pin)
    throw new SluiceError(
      'cluster.ca-not-pinned',
      "the manager's answer names another certificate authority than the join token: somebody is in between, or the token is of another cluster",
    );
  await checkReach(identity, base);
  saveIdentity(dataFolder, identity);
  rmSync(keyFile, { force: true });
  return identity;
}

/** Whether the store can be reached at all from this machine as the manager says it is. */
async function checkReach(identity: NodeIdentity, manager: URL): Promise<void> {
  const { coordination } = identity;
  if (coordination.kind === 'embedded') return checkSharedFile(coordination.folder, identity);
  if (isOnThisMachine(manager) || coordination.servers.some((server) => !isOnThisMachine(new URL(server)))) return;
  throw new SluiceError(
    'cluster.store-elsewhere',
    `the manager says that NATS is at ${coordination.servers.join(', ')}, which is this machine, not the manager's: set cluster.advertise there to an address that other machines reach, start it again, and join again`,
  );
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');
const isOnThisMachine = (url: URL): boolean => hostOf(url) === 'localhost' || isLoopback(hostOf(url));

/** Trusts the authority that the token names if nobody else vouches for the server. The connection that finds it carries nothing. */
async function requestTrusted(call: ApiCall, pin: string): Promise<unknown> {
  try {
    return await apiRequest(call);
  } catch (error) {
    if (call.ca !== undefined || !(error instanceof SluiceError) || error.code !== 'cluster.server-untrusted') throw error;
    const ca = await fetchPinnedAuthority(call.url, pin);
    if (ca === undefined) throw error;
    return apiRequest({ ...call, ca });
  }
}

function managerUrl({ url, allowInsecure }: JoinOptions): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:'))
    throw new SluiceError('cluster.bad-url', `${JSON.stringify(url.slice(0, 200))} is no manager's address: give https://HOST:PORT`);
  if (parsed.protocol === 'https:' || allowInsecure || isOnThisMachine(parsed)) return parsed;
  throw new SluiceError(
    'cluster.insecure-url',
    `over plain http to ${hostOf(parsed)}, the token and the node's credentials could be read on the way: give an https address, or --insecure for a network that is trusted`,
  );
}

function pendingKey(file: string): string {
  const kept = readPrivateFile(file);
  if (kept !== undefined) return kept;
  const key = createNodeKey();
  writePrivateFile(file, key);
  return key;
}

/** The address of this machine that a manager's server sees it by: what a node without a better one advertises. */
export function ownAddressTowards(url: string): Promise<string> {
  const { hostname, port, protocol, origin } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      timeout: 10_000,
    });
    const fail = (why: string): void => {
      socket.destroy();
      reject(new SluiceError('cluster.server-unreachable', `${origin} cannot be reached: ${why}`));
    };
    socket.once('connect', () => {
      const { localAddress = '127.0.0.1' } = socket;
      socket.destroy();
      resolve(localAddress);
    });
    socket.once('timeout', () => fail('no answer in time'));
    socket.once('error', (error) => fail(error.message));
  });
}

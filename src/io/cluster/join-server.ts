import type pino from 'pino';
import { AttemptLimit } from '../../access/mod.ts';
import {
  type ApiCaller,
  ApiError,
  type CoordinationResource,
  type JoinAnswer,
  type JoinRequest,
  type NodeJoiner,
  type ProblemCode,
} from '../../api/mod.ts';
import {
  CLUSTER_PROTOCOL,
  decodeNodeRecord,
  decodeRevocation,
  encodeNodeRecord,
  NODES_MAX,
  NODES_PREFIX,
  type NodeRecord,
  nodeKey,
  REVOKED_PREFIX,
} from '../../cluster/mod.ts';
import { durationMs, SluiceError } from '../../core/mod.ts';
import type { Clock } from '../clock.ts';
import type { CertificateAuthority, IssuedCertificate } from './certificate-authority.ts';
import { endpointHosts } from './endpoint-hosts.ts';
import { type RequestedKey, readRequest } from './node-key.ts';
import type { StoreCalls } from './store-calls.ts';
import type { TokenStore } from './token-store.ts';

export interface JoinServerOptions {
  readonly store: StoreCalls;
  readonly tokens: TokenStore;
  readonly authority: CertificateAuthority;
  readonly clusterId: string;
  readonly clusterName: string;
  /** What a node needs to reach store and bus. */
  readonly coordination: (nodeId: string) => CoordinationResource;
  readonly clock: Clock;
  readonly log: pino.Logger;
  readonly nodesMax?: number;
}

const ATTEMPTS = { attemptsMax: 10, refillMs: durationMs(6000), addressesMax: 10_000 };
/** The least version of the protocol between nodes that may join. */
const PROTOCOL_MIN = CLUSTER_PROTOCOL - 1;

/** Lets nodes into the cluster: checks token, key and wish, signs the certificate, writes the node's record. On managers. */
export class JoinServer implements NodeJoiner {
  private readonly options: JoinServerOptions;
  private readonly attempts = new AttemptLimit(ATTEMPTS);

  constructor(options: JoinServerOptions) {
    this.options = options;
  }

  async check(token: string | undefined, { address }: ApiCaller): Promise<void> {
    const { clock, tokens } = this.options;
    if (this.attempts.isExhausted(address, clock.monotonic()))
      throw new ApiError('cluster.too-many-attempts', 'too many wrong join tokens came from this address: wait a minute', {
        'retry-after': '60',
      });
    if (token === undefined || token === '')
      throw new ApiError(
        'cluster.token-missing',
        'send a join token in the header X-Cluster-Token; "sluice tokens create" on a manager makes one',
      );
    await this.logged(address, () => tokens.check(token));
  }

  async join(request: JoinRequest, token: string, caller: ApiCaller): Promise<JoinAnswer> {
    const { address } = caller;
    const { roles, region } = request;
    const answer = await this.logged(address, () => this.admit(request, token, caller));
    this.options.log.info({ code: 'cluster.node-joined', node: answer.nodeId, region, roles, address }, 'a node joined');
    return answer;
  }

  private async logged<Value>(address: string, step: () => Promise<Value>): Promise<Value> {
    const { clock, log } = this.options;
    try {
      return await step();
    } catch (error) {
      const code = error instanceof SluiceError ? error.code : undefined;
      if (code === 'cluster.token-wrong') this.attempts.noteWrong(address, clock.monotonic());
      log.warn({ code: code ?? 'cluster.join-failed', address, detail: (error as Error).message }, 'a node was not let in');
      throw error;
    }
  }

  private async admit(request: JoinRequest, token: string, caller: ApiCaller): Promise<JoinAnswer> {
    const { tokens, authority, clusterId, clusterName, coordination, clock } = this.options;
    const { roles, region } = request;
    const isManager = roles.includes('manager') || roles.includes('mono');
    if (isManager && !caller.isPrivate)
      throw new ApiError('cluster.tls-needed', "a manager gets the authority's private key: join over https");
    this.checkProtocol(request);
    const key = await asProblem(() => readRequest(request.csr));
    const hosts = await asProblem(() => endpointHosts(request.endpoints));
    await tokens.use(token, { nodeId: key.nodeId, roles, region });
    await this.checkRoom(key.nodeId);
    const issued = await authority.issue({ nodeId: key.nodeId, spki: key.spki, hosts }, new Date(clock.wall()));
    await this.writeRecord(request, key, issued);
    return {
      nodeId: key.nodeId,
      clusterId,
      clusterName,
      certificate: issued.certificate,
      ca: authority.certificate,
      ...(isManager ? { caPrivateKey: authority.privateKey } : {}),
      coordination: coordination(key.nodeId),
      protocol: CLUSTER_PROTOCOL,
    };
  }

  private checkProtocol({ protocol, version }: JoinRequest): void {
    if (protocol >= PROTOCOL_MIN && protocol <= CLUSTER_PROTOCOL + 1) return;
    throw new ApiError(
      'cluster.protocol-unsupported',
      `the node (version ${version}) speaks protocol ${protocol}, this manager ${PROTOCOL_MIN} to ${CLUSTER_PROTOCOL + 1}: update the older one`,
    );
  }

  private async checkRoom(nodeId: string): Promise<void> {
    const { store, nodesMax = NODES_MAX } = this.options;
    const revoked = (await store.list(REVOKED_PREFIX)).map(({ value }) => decodeRevocation(value));
    if (revoked.some((entry) => entry?.node === nodeId))
      throw new ApiError(
        'cluster.node-removed',
        `the node ${nodeId} was removed from this cluster: empty its data folder's "cluster" and join anew`,
      );
    const nodes = await store.list(NODES_PREFIX);
    if (nodes.length < nodesMax || nodes.some(({ key }) => key === nodeKey(nodeId))) return;
    throw new ApiError('cluster.full', `the cluster has ${nodes.length} of at most ${nodesMax} nodes: remove those that are gone for good`);
  }

  private async writeRecord(
    { roles, region, endpoints, version, protocol }: JoinRequest,
    key: RequestedKey,
    issued: IssuedCertificate,
  ): Promise<void> {
    const { store, clock } = this.options;
    await store.change(nodeKey(key.nodeId), (value) => {
      const known = value === undefined ? undefined : decodeNodeRecord(value);
      const record: NodeRecord = {
        v: 1,
        status: 'active',
        incarnation: 0,
        joinedAtMs: Math.round(clock.wall()),
        ...known,
        id: key.nodeId,
        region,
        roles,
        endpoints,
        version,
        protocol,
        certificateSerial: issued.serial,
        keySha256: key.sha256,
      };
      return encodeNodeRecord(record);
    });
  }
}

/** What io refuses of a request, as the API says it. */
async function asProblem<Value>(read: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SluiceError && (error.code === 'cluster.csr-wrong' || error.code === 'cluster.endpoints-wrong'))
      throw new ApiError(error.code satisfies ProblemCode, error.message);
    throw error;
  }
}

import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { createApiServer, GuardedKeys, joinOperations, joinTokenOperations, nodeOperations, registerApi } from '../../api/mod.ts';
import { testKeys } from '../../api/test-api.fixture.ts';
import { type MemoryClient, MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { CLUSTER_IDENTITY_KEY, encodeClusterIdentity, Membership } from '../../cluster/mod.ts';
import { IDLE_LOAD } from '../../cluster/node-load.fixture.ts';
import { monotonicMs, wallMs } from '../../core/mod.ts';
import type { Clock } from '../clock.ts';
import { isLoopback } from '../remote-address.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { JoinServer } from './join-server.ts';
import { foundCluster, type NodeIdentity } from './node-identity.ts';
import { NodeRegistry } from './node-registry.ts';
import { ownNodeOf } from './own-node.ts';
import { StoreCalls } from './store-calls.ts';
import { TokenStore } from './token-store.ts';

/** A manager with the real API on loopback, over a store in memory whose time runs by itself. */
export class TestManager {
  readonly engine: MemoryEngine = new MemoryEngine();
  readonly client: MemoryClient = this.engine.client();
  readonly membership: Membership;
  readonly tokens: TokenStore;
  readonly authority: CertificateAuthority;
  readonly identity: NodeIdentity;
  /** Of the wall clock. */
  nowMs: number = Date.now();
  port = 0;
  readonly joiner: JoinServer;
  private readonly fastify: FastifyInstance;
  private readonly server: Server;
  private readonly pump: NodeJS.Timeout;

  static async start(options: { tls?: boolean; nodesMax?: number; isPrivate?: boolean } = {}): Promise<TestManager> {
    const endpoints = { http: 'http://127.0.0.1:1', relay: 'manager.test:7350' };
    const coordination = { kind: 'embedded', folder: '/somewhere' } as const;
    const identity = await foundCluster({ clusterName: 'test', roles: ['manager'], region: 'eu', endpoints, coordination }, new Date());
    const manager = new TestManager(identity, await CertificateAuthority.load(identity.ca, identity.caPrivateKey ?? ''), options);
    await manager.listen(options);
    return manager;
  }

  private constructor(identity: NodeIdentity, authority: CertificateAuthority, { tls, nodesMax }: { tls?: boolean; nodesMax?: number }) {
    this.identity = identity;
    this.authority = authority;
    const { client } = this;
    const { store, bus, clock } = client;
    this.tokens = new TokenStore(this.calls, authority.sha256, () => this.nowMs);
    const identityValue = encodeClusterIdentity({ v: 1, id: identity.clusterId, name: 'test', caSha256: authority.sha256 });
    this.engine.write(CLUSTER_IDENTITY_KEY, identityValue, 0);
    const output = { nodeChanged: () => {}, nodeGone: () => {}, ownStatus: () => {}, warning: () => {} };
    const own = ownNodeOf(identity, '1.0.0');
    this.membership = new Membership(output, { store, bus, clock, own, clusterId: identity.clusterId, load: () => IDLE_LOAD });
    this.membership.start();
    const chain = { cert: identity.certificate + identity.ca, key: identity.privateKey };
    this.server = tls === true ? (createHttps(chain) as unknown as Server) : createHttp();
    this.fastify = createApiServer({
      serverFactory: (handler) => this.server.on('request', handler),
      report: (error) => {
        throw error;
      },
    });
    this.joiner = new JoinServer({
      store: this.calls,
      tokens: this.tokens,
      authority,
      clusterId: identity.clusterId,
      clusterName: identity.clusterName,
      coordination: () => ({ kind: 'nats', servers: ['tls://127.0.0.1:4222'], user: 'node', password: 'secret', ca: identity.ca }),
      clock: this.clock,
      log: pino({ level: 'silent' }),
      ...(nodesMax === undefined ? {} : { nodesMax }),
    });
    this.pump = setInterval(() => {
      this.engine.advance(10);
      this.membership.tick(this.engine.now());
    }, 1);
  }

  /** The engine's monotonic clock, and {@link nowMs}. */
  private get clock(): Clock {
    return { monotonic: () => this.engine.now(), wall: () => wallMs(this.nowMs) };
  }

  get calls(): StoreCalls {
    return new StoreCalls(this.client.store);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    clearInterval(this.pump);
    await this.fastify.close();
  }

  private async listen({ isPrivate }: { isPrivate?: boolean }): Promise<void> {
    const { tokens, identity, fastify, membership, clock } = this;
    const registry = new NodeRegistry({ store: this.calls, replica: membership, ownId: identity.nodeId, clock });
    await registerApi(fastify, {
      operations: [...joinOperations(this.joiner), ...joinTokenOperations(tokens), ...nodeOperations(registry)],
      keys: new GuardedKeys(testKeys({ sk_admin: 'admin' }), () => monotonicMs(0)),
      publicReads: true,
      isLocal: (request) => isPrivate !== false && isLoopback(request.ip),
      version: '1.0.0',
    });
    await fastify.ready();
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }
}

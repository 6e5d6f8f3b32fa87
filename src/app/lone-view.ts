import type pino from 'pino';
import {
  ApiError,
  type ClusterView,
  joinRefused,
  joinTokensRefused,
  type KnownStream,
  type NodeAnswer,
  type NodeQuestion,
  type NodeResource,
  nodeOperations,
  type Operation,
} from '../api/mod.ts';
import { CLUSTER_PROTOCOL, headroomOf, type NodeLoad, type NodeView } from '../cluster/mod.ts';
import { monotonicMs } from '../core/mod.ts';
import type { Hub, LiveStream } from '../hub/mod.ts';
import { LoadSampler, nodeNameOf, streamBodyOf, systemClock } from '../io/mod.ts';
import { advertisedEndpoints, type NodePorts } from './advertised-endpoints.ts';
import { ClientRouting } from './client-routing.ts';
import type { NodeServiceLoad } from './cluster-needs.ts';
import type { Config } from './config/mod.ts';

export interface LoneViewOptions {
  readonly ownId: string;
  readonly config: Config;
  readonly version: string;
  readonly hub: Hub;
  readonly load: () => NodeServiceLoad;
  /** As they are in use. */
  readonly ports: () => Omit<NodePorts, 'relay'>;
  readonly log: pino.Logger;
}

const SAMPLE_MS = 1_000;
/** What a node takes itself to be called unless its configuration says more: right on its own machine alone. */
const NAMELESS = '127.0.0.1';
const FOUND_IT =
  'start it with cluster.found: true (SLUICE_CLUSTER_FOUND=true) to make it the first manager of one, or ask a manager of the cluster that is meant';

/** A node on its own, seen as a cluster of one: what tells of a cluster tells of it, too. */
export class LoneView implements ClusterView {
  readonly isConnected = true;
  readonly isAlone = true;
  readonly ownId: string;
  /** Sends everybody here. */
  readonly routing: ClientRouting;
  private readonly options: LoneViewOptions;
  private readonly sampler: LoadSampler;
  private readonly startedAtMs: number;
  private answer: (question: NodeQuestion, path: string) => unknown = () => undefined;
  private sampled: { readonly at: number; readonly load: ReturnType<LoadSampler['sample']> } | undefined;

  constructor(options: LoneViewOptions) {
    const { config, ownId, hub, log } = options;
    this.options = options;
    this.ownId = ownId;
    this.startedAtMs = systemClock.wall();
    this.sampler = new LoadSampler({ dataFolder: config.dataFolder, networkMaxBps: 0, now: () => systemClock.monotonic() });
    this.routing = new ClientRouting({
      config,
      region: config.cluster.region,
      nodes: {
        recordsOf: (region) => (region === undefined || region === config.cluster.region ? [this.own().record] : []),
        node: (id) => (id === ownId ? this.own() : undefined),
      },
      hasStream: (_node, stream) => hub.stream(stream) !== undefined,
      isNamedByClients: config.cluster.advertise === NAMELESS,
      log,
    });
  }

  /** From now on it answers what nodes are asked. */
  begin({ answer }: { readonly answer: (question: NodeQuestion, path: string) => unknown }): void {
    this.answer = answer;
  }

  /** What the console shows. */
  get console(): this {
    return this;
  }

  async close(): Promise<void> {
    this.sampler.close();
  }

  /** What there is of the API of a cluster, with what to do where it takes one. */
  operations(): readonly Operation[] {
    const alone = (): ApiError => new ApiError('cluster.not-in-cluster', `this node is on its own: ${FOUND_IT}`);
    const only = async (id: string): Promise<undefined> => {
      if (id === this.ownId)
        throw new ApiError('cluster.only-node', `nobody could take over from ${JSON.stringify(id)}: to end it, stop its process`);
      return undefined;
    };
    const nodes = {
      nodes: () => this.nodes(),
      node: (id: string) => this.nodes().find((node) => node.id === id),
      change: only,
      remove: async (id: string) => (await only(id)) !== undefined,
    };
    return [...nodeOperations(nodes), ...joinRefused(alone), ...joinTokensRefused(alone)];
  }

  *streams(): Iterable<KnownStream> {
    for (const stream of this.options.hub.streams()) yield this.known(stream);
  }

  stream(path: string): KnownStream | undefined {
    const stream = this.options.hub.stream(path);
    return stream === undefined ? undefined : this.known(stream);
  }

  regionOf(node: string): string {
    return node === this.ownId ? this.options.config.cluster.region : '';
  }

  isAlive(node: string): boolean {
    return node === this.ownId;
  }

  nodes(): readonly NodeResource[] {
    const { record, incarnation } = this.own();
    const { id, region, roles, status, endpoints, version, protocol } = record;
    const startedAt = new Date(this.startedAtMs).toISOString();
    return [
      {
        id,
        name: nodeNameOf(this.options.config.cluster.nodeName),
        region,
        roles: [...roles],
        status,
        stale: false,
        incarnation,
        self: true,
        endpoints,
        version,
        protocol,
        joinedAt: startedAt,
        startedAt,
        heardAgoMs: 0,
        clockOffsetMs: 0,
        load: this.load(),
      },
    ];
  }

  async ask(_node: string, question: NodeQuestion, path = ''): Promise<unknown> {
    return this.answer(question, path);
  }

  async askAll(question: NodeQuestion, path = ''): Promise<readonly NodeAnswer[]> {
    const answer = this.answer(question, path);
    return answer === undefined ? [] : [{ node: this.ownId, answer }];
  }

  /** As routing looks at nodes. */
  private own(): NodeView {
    const { config, version, ports } = this.options;
    const { ownId, startedAtMs } = this;
    const load = this.load();
    const { relay: _relay, ...endpoints } = advertisedEndpoints(config, config.cluster.advertise, { ...ports(), relay: 0 });
    return {
      record: {
        v: 1,
        id: ownId,
        name: nodeNameOf(config.cluster.nodeName),
        region: config.cluster.region,
        roles: ['mono'],
        status: 'active',
        incarnation: 1,
        endpoints,
        version,
        protocol: CLUSTER_PROTOCOL,
        joinedAtMs: startedAtMs,
      },
      heartbeat: { v: 1, id: ownId, incarnation: 1, sentMs: startedAtMs, ...load },
      incarnation: 1,
      headroom: headroomOf(load),
      isStale: false,
      heardAt: monotonicMs(0),
      clockOffsetMs: 0,
    };
  }

  /** Each sample covers the time since the one before, so that many who ask do not make it a short one. */
  private load(): NodeLoad {
    const now = systemClock.monotonic();
    if (this.sampled === undefined || now - this.sampled.at >= SAMPLE_MS) this.sampled = { at: now, load: this.sampler.sample() };
    return { ...this.sampled.load, ...this.options.load() };
  }

  private known(stream: LiveStream): KnownStream {
    return {
      name: stream.ref.path,
      holder: { node: this.ownId },
      epoch: 0,
      // Most want the name alone.
      get body() {
        return streamBodyOf(stream);
      },
    };
  }
}

import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import {
  type ClusterView,
  createApiServer,
  EventFeed,
  eventOperations,
  GuardedKeys,
  type KnownStream,
  type NodeResource,
  nodeOperations,
  overviewOperations,
  registerApi,
  SessionCookies,
  sessionOperations,
  streamOperations,
} from '../src/api/mod.ts';
import { monotonicMs, wallMs } from '../src/core/mod.ts';
import { registerSite } from '../src/io/http/site.ts';

const SITE = fileURLToPath(new URL('../dist/console', import.meta.url));
const REGIONS = ['eu', 'us', 'asia', 'sa'];
const OWN_ID = 'node000';
const VERSION = '0.0.0';

const nodeId = (index: number): string => `node${String(index).padStart(3, '0')}`;

function simulatedStreams(count: number, nodes: number): ReadonlyMap<string, KnownStream> {
  const streams = new Map<string, KnownStream>();
  const startedWallMs = Date.now() - 3_600_000;
  for (let index = 0; index < count; index++) {
    const name = `app-${index % 40}/stream-${String(index).padStart(5, '0')}`;
    const body: KnownStream['body'] = {
      startedWallMs: startedWallMs + index,
      state: index % 50 === 0 ? 'held' : 'live',
      protocol: index % 3 === 0 ? 'webrtc' : 'rtmp',
      tracks: [
        { kind: 'video', codec: 'h264', width: 1920, height: 1080 },
        { kind: 'audio', codec: 'aac' },
      ],
      renditions: ['720p', '480p'],
      makers: { '720p': { node: nodeId((index + 1) % nodes), incarnation: 1 } },
    };
    // The own node would have its streams in its hub.
    streams.set(name, { name, holder: { node: nodeId(1 + (index % (nodes - 1))) }, epoch: index, body });
  }
  return streams;
}

const simulatedNode = (index: number, streams: number): NodeResource => ({
  id: nodeId(index),
  region: REGIONS[index % REGIONS.length] ?? '',
  roles: index % 4 === 0 ? ['origin'] : ['edge'],
  status: 'active',
  stale: false,
  incarnation: 1,
  self: index === 0,
  endpoints: { http: `http://127.0.0.1:${10_000 + index}`, rtmp: `rtmp://127.0.0.1:${20_000 + index}` },
  version: VERSION,
  protocol: 1,
  joinedAt: new Date().toISOString(),
  heardAgoMs: 300,
  load: {
    cpu: (index % 90) / 100,
    memoryBytes: 2e9,
    memoryMaxBytes: 8e9,
    networkInBps: 1e8,
    networkOutBps: 4e9,
    networkMaxBps: 1e10,
    loopLagMs: 1.5,
    viewers: { flv: 10, rtmp: 0, hls: 500, webrtc: 900 },
    viewersMax: 5_000,
    streams,
    tasks: 3,
    tasksMax: 12,
    diskFreeBytes: 1e11,
    mediaInBps: 9e7,
    mediaOutBps: 3.6e9,
    latencyP50Ms: 4,
    latencyP95Ms: 9,
  },
});

/** A cluster of records alone: its nodes answer nothing that they are asked. */
function simulatedView(streamCount: number, nodeCount: number): ClusterView {
  const streams = simulatedStreams(streamCount, nodeCount);
  const nodes = Array.from({ length: nodeCount }, (_, index) => simulatedNode(index, Math.ceil(streamCount / nodeCount)));
  return {
    ownId: OWN_ID,
    isAlone: false,
    regionOf: (id) => nodes.find((node) => node.id === id)?.region ?? '',
    isConnected: true,
    streams: () => streams.values(),
    stream: (path) => streams.get(path),
    isAlive: () => true,
    nodes: () => nodes,
    ask: async () => undefined,
    askAll: async () => [],
  };
}

/** The API and the console of a node, over a cluster that is simulated. */
export class SimulatedConsole {
  readonly url: string;
  private readonly fastify: FastifyInstance;
  private readonly feed: EventFeed;

  private constructor(url: string, fastify: FastifyInstance, feed: EventFeed) {
    this.url = url;
    this.fastify = fastify;
    this.feed = feed;
  }

  static async start(streams: number, nodes: number): Promise<SimulatedConsole> {
    const view = simulatedView(streams, nodes);
    const feed = new EventFeed({ run: 'bench' });
    const keys = new GuardedKeys({ find: () => undefined, byId: () => undefined }, () => monotonicMs(performance.now()));
    const sessions = new SessionCookies({
      secrets: () => [new Uint8Array(32)],
      wall: () => wallMs(Date.now()),
      keyOf: (id) => keys.byId(id),
    });
    const server = { node: OWN_ID, version: VERSION, isInCluster: true };
    const registry = { nodes: () => view.nodes(), node: () => undefined, change: async () => undefined, remove: async () => false };
    const fastify = createApiServer({ report: (error) => console.error(error) });
    await registerApi(fastify, {
      operations: [
        ...sessionOperations({ keys, sessions, publicReads: true, server }),
        ...overviewOperations(view),
        ...streamOperations({ streams: () => [], stream: () => undefined, remove: () => false }, view, {
          wall: () => wallMs(Date.now()),
          webrtcOf: () => null,
          rungsOf: () => [],
          leftOutOf: () => [],
          isOpen: () => true,
        }),
        ...nodeOperations(registry),
        ...eventOperations(feed),
      ],
      keys,
      sessions,
      publicReads: true,
      isLocal: () => true,
      version: VERSION,
    });
    await registerSite(fastify, SITE, true);
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    return new SimulatedConsole(`http://127.0.0.1:${(fastify.server.address() as AddressInfo).port}`, fastify, feed);
  }

  async close(): Promise<void> {
    this.feed.close();
    this.fastify.server.closeAllConnections();
    await this.fastify.close();
  }
}

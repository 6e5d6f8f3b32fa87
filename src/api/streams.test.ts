import type { FastifyInstance } from 'fastify';
import { beforeEach, describe, expect, it } from 'vitest';
import { wallMs } from '../core/mod.ts';
import type { ClusterView, KnownStream, NodeAnswer, NodeQuestion } from './cluster-view.ts';
import type { LocalStreamResource } from './contract.ts';
import { overviewOperations } from './overview.ts';
import { streamOperations } from './streams.ts';
import { testApi } from './test-api.fixture.ts';

const STARTED = Date.UTC(2026, 0, 2);

const known = (name: string, node = 'n1'): KnownStream => ({
  name,
  holder: { node },
  epoch: 4,
  body: {
    startedWallMs: STARTED,
    state: 'live',
    protocol: 'rtmp',
    tracks: [{ kind: 'video', codec: 'h264', width: 640, height: 360 }],
    renditions: ['360p'],
    makers: { '360p': { node: 'n2', incarnation: 1 } },
  },
});
const load = {
  cpu: 0.5,
  memoryBytes: 1,
  memoryMaxBytes: 2,
  networkInBps: 1_000.4,
  networkOutBps: 2_000,
  networkMaxBps: 0,
  loopLagMs: 1,
  viewers: { flv: 1, rtmp: 2, hls: 3, webrtc: 4 },
  viewersMax: 0,
  streams: 1,
  tasks: 0,
  tasksMax: 0,
  diskFreeBytes: 0,
  mediaInBps: 3_000.4,
  mediaOutBps: 4_000,
  latencyP50Ms: 1.5,
  latencyP95Ms: 6,
};
const node = (id: string, stale: boolean): ReturnType<ClusterView['nodes']> extends Iterable<infer Node> ? Node : never => ({
  id,
  region: 'eu',
  roles: ['mono'],
  status: 'active',
  stale,
  incarnation: 1,
  self: id === 'n1',
  endpoints: { http: 'http://x' },
  version: '1',
  protocol: 1,
  joinedAt: '2026-01-01T00:00:00.000Z',
  heardAgoMs: 7_400,
  load,
});

const stream = (viewers: number): LocalStreamResource => ({
  path: 'live/a',
  app: 'live',
  name: 'a',
  state: 'live',
  startedAt: '2026-01-02T00:00:00.000Z',
  uptimeSeconds: 5,
  tracks: [],
  renditions: ['source'],
  rungs: [],
  publisher: { protocol: 'rtmp', address: '192.0.2.7', agent: 'OBS' },
  viewers: { total: viewers, byProtocol: { hls: viewers } },
  bitrateBps: 1_000,
  frameRate: 30,
  keyframeIntervalMs: 2_000,
  bytesIn: 1,
  framesIn: 1,
  timestampJumps: 0,
  driftMs: 0,
  playback: { watch: '', hls: '', flv: '' },
  webrtc: null,
});

interface Asked {
  readonly question: NodeQuestion;
  readonly path: string | undefined;
}
let asked: Asked[] = [];

function view(
  streams: readonly KnownStream[],
  answers: Partial<Record<NodeQuestion, readonly NodeAnswer[]>> = {},
  ownId = 'n1',
): ClusterView {
  return {
    ownId,
    isAlone: false,
    isConnected: true,
    streams: () => streams,
    stream: (path) => streams.find(({ name }) => name === path),
    regionOf: () => 'eu',
    isAlive: (id) => id !== 'dead',
    nodes: () => [node('n1', false), node('dead', true)],
    ask: async (id, question) => answers[question]?.find((answer) => answer.node === id)?.answer,
    askAll: async (question, path) => {
      asked.push({ question, path });
      return answers[question] ?? [];
    },
  };
}

const NO_STREAMS = { streams: () => [], stream: () => undefined, remove: () => false };

const api = (of: ClusterView, isLocal = true): Promise<FastifyInstance> =>
  testApi({
    operations: [
      ...streamOperations(NO_STREAMS, of, {
        wall: () => wallMs(STARTED + 5_000),
        webrtcOf: () => null,
        rungsOf: () => [],
        leftOutOf: () => [],
        isOpen: (app) => app !== 'closed',
      }),
      ...overviewOperations(of),
    ],
    isLocal: () => isLocal,
  });
/** The API of a node that has none of the streams. */
const elsewhere = (
  streams: readonly KnownStream[],
  answers: Partial<Record<NodeQuestion, readonly NodeAnswer[]>> = {},
  isLocal = true,
): Promise<FastifyInstance> => api(view(streams, answers, 'n0'), isLocal);

beforeEach(() => {
  asked = [];
});

describe('streams of other nodes', () => {
  it('are listed with their origin as the directory knows them, and in pages', async () => {
    const fastify = await elsewhere([known('live/b'), known('live/a', 'dead'), known('live/c')]);
    const first = (await fastify.inject('/api/v1/streams?limit=2')).json();
    expect(first.items[0]).toEqual({
      path: 'live/a',
      app: 'live',
      name: 'a',
      state: 'live',
      publisher: { protocol: 'rtmp' },
      origin: { node: 'dead', region: 'eu', epoch: 4, isAlive: false },
      startedAt: '2026-01-02T00:00:00.000Z',
      uptimeSeconds: 5,
      tracks: [{ kind: 'video', codec: 'h264', width: 640, height: 360 }],
      renditions: ['source', '360p'],
      rungs: [],
      makers: [{ rendition: '360p', node: 'n2' }],
      playback: { watch: '/watch/live/a', hls: '/live/a/index.m3u8', flv: '/live/a.flv' },
    });
    const second = (await fastify.inject(`/api/v1/streams?limit=2&cursor=${first.nextCursor}`)).json();
    expect(second.items.map((item: { path: string }) => item.path)).toEqual(['live/c']);
    expect(second.nextCursor).toBeUndefined();
  });

  it('are listed with what their origins say, and the viewers of all nodes, which are asked once for the page', async () => {
    const here = (path: string, viewers: number, isOrigin: boolean): object => ({
      path,
      viewers: { total: viewers, byProtocol: { hls: viewers } },
      ...(isOrigin ? { stream: { ...stream(viewers), path, latency: { p50Ms: 1, p95Ms: 4 } } } : {}),
    });
    const answers = [
      { node: 'n1', answer: [here('live/a', 1, true), here('live/c', 2, true)] },
      // What is not the origin says nothing of it but its viewers.
      { node: 'n3', answer: [here('live/a', 40, true), { ...here('live/b', 7, false) }] },
      { node: 'n4', answer: [{ path: 'live/a' }] },
    ];
    const fastify = await elsewhere([known('live/a'), known('live/b', 'n9'), known('live/c')], { streams: answers });
    const { items } = (await fastify.inject('/api/v1/streams')).json();
    expect(asked).toEqual([{ question: 'streams', path: 'live/a live/c' }]);
    expect(items[0]).toMatchObject({
      bitrateBps: 1_000,
      latency: { p50Ms: 1, p95Ms: 4 },
      viewers: { total: 41, byProtocol: { hls: 41 } },
      publisher: { address: '192.0.2.7' },
      origin: { node: 'n1' },
    });
    expect([items[1].viewers, items[1].bitrateBps]).toEqual([{ total: 7, byProtocol: { hls: 7 } }, undefined]);
    expect(items[2].viewers.total).toBe(2);
  });

  it('cost other nodes next to nothing where the caller has shown nothing, who sees those of apps that are open', async () => {
    const answers = { stream: [{ node: 'n1', answer: { hops: [], stream: stream(1) } }] };
    const fastify = await elsewhere([known('live/a'), known('closed/b'), known('live/c', 'dead')], answers, false);
    const { items } = (await fastify.inject('/api/v1/streams')).json();
    expect(items.map(({ path }: { path: string }) => path)).toEqual(['live/a', 'live/c']);
    expect([items[0].viewers, items[0].places]).toEqual([undefined, undefined]);
    // Of one stream the origin is asked, and nobody else.
    const detail = (await fastify.inject('/api/v1/streams/live/a')).json();
    expect(detail).toMatchObject({ origin: { node: 'n1' }, bitrateBps: 1_000, webrtc: null, viewers: { total: 1 } });
    expect([detail.publisher, detail.places]).toEqual([{ protocol: 'rtmp' }, undefined]);
    expect((await fastify.inject('/api/v1/streams/live/c')).json().bitrateBps).toBeUndefined();
    expect((await fastify.inject('/api/v1/streams/closed/b')).statusCode).toBe(401);
    expect(asked).toEqual([]);
  });

  it('are those of one origin, when that is asked for', async () => {
    const fastify = await elsewhere([known('live/a', 'dead'), known('live/b'), known('live/c')]);
    const pathsOf = async (query: string): Promise<string[]> =>
      (await fastify.inject(`/api/v1/streams?${query}`)).json().items.map(({ path }: { path: string }) => path);
    expect(await pathsOf('origin=dead')).toEqual(['live/a']);
    expect(await pathsOf('origin=n1&search=c')).toEqual(['live/c']);
    expect(await pathsOf('origin=*')).toEqual([]);
  });

  it('are found by all words of a search, whatever their case, within 200 ms among ten thousand', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => known(`live/show-${index}`));
    const fastify = await elsewhere([...many, known('news/Evening-One')]);
    const pathsOf = async (search: string): Promise<string[]> =>
      (await fastify.inject(`/api/v1/streams?search=${encodeURIComponent(search)}`)).json().items.map(({ path }: { path: string }) => path);
    await pathsOf('');
    const began = performance.now();
    expect(await pathsOf('one EVENING')).toEqual(['news/Evening-One']);
    expect(await pathsOf('show-1234')).toEqual(['live/show-1234']);
    expect(performance.now() - began).toBeLessThan(400);
    expect(await pathsOf('[.*')).toEqual([]);
  });

  it('are shown as the nodes that answer have them, and what is no answer is left out', async () => {
    const answers = [
      { node: 'n3', answer: { hops: ['n1'], stream: stream(2) } },
      { node: 'n1', answer: { hops: [], stream: stream(1) } },
      { node: 'n2', answer: { hops: ['n1'], stream: 'nonsense' } },
      { node: 'n4', answer: 'x' },
    ];
    const fastify = await elsewhere([known('live/a')], { stream: answers });
    const detail = (await fastify.inject('/api/v1/streams/live/a')).json();
    expect(detail).toMatchObject({
      path: 'live/a',
      bitrateBps: 1_000,
      publisher: { protocol: 'rtmp', agent: 'OBS' },
      viewers: { total: 3, byProtocol: { hls: 3 } },
      origin: { node: 'n1', epoch: 4 },
      places: [
        { node: 'n1', region: 'eu', hops: [], viewers: { total: 1 } },
        { node: 'n3', hops: ['n1'], viewers: { total: 2 } },
      ],
    });
    expect((await fastify.inject('/api/v1/streams/live/none')).statusCode).toBe(404);
  });

  it('are ended by their origin', async () => {
    const end = async (answer: unknown): Promise<number> => {
      const fastify = await elsewhere([known('live/a')], { 'end-stream': [{ node: 'n1', answer }] });
      const headers = { authorization: 'Bearer sk_admin' };
      return (await fastify.inject({ method: 'DELETE', url: '/api/v1/streams/live/a', headers })).statusCode;
    };
    expect([await end(true), await end(false), await end(undefined)]).toEqual([204, 404, 503]);
  });

  it('are over when they are this node’s own and it has them no more, whatever the directory says', async () => {
    const fastify = await api(view([known('live/a')]));
    expect((await fastify.inject('/api/v1/streams/live/a')).statusCode).toBe(404);
    expect((await fastify.inject('/api/v1/streams')).json().items).toEqual([]);
  });
});

describe('the overview', () => {
  it('adds up nodes that are alive, and puts serious alarms first', async () => {
    const warning = { kind: 'target-failing', severity: 'warning', node: 'n1', message: 'Target x: refused' };
    const fastify = await api(
      view([known('live/a', 'dead')], {
        alarms: [
          { node: 'n1', answer: [warning] },
          { node: 'n2', answer: [{ kind: 'odd' }] },
        ],
        relays: [
          {
            node: 'n2',
            answer: [
              { from: 'n1', to: 'n2', streamCount: 2, streams: [], p50Ms: 12.5 },
              { from: 'n1', to: 'n3', streamCount: 0, streams: [], p50Ms: 80 },
            ],
          },
          { node: 'n3', answer: [{ from: 'n1', to: 'n3', streamCount: 1, streams: [], p50Ms: 3 }] },
        ],
      }),
    );
    expect((await fastify.inject('/api/v1/overview')).json()).toEqual({
      streams: 1,
      viewers: { total: 10, byProtocol: { flv: 1, rtmp: 2, hls: 3, webrtc: 4 } },
      networkInBps: 1000,
      networkOutBps: 2000,
      mediaInBps: 3000,
      mediaOutBps: 4000,
      latency: { node: 'n1', p50Ms: 1.5, p95Ms: 6 },
      slowestRelay: { from: 'n1', to: 'n2', p50Ms: 12.5 },
      nodes: { total: 2, active: 2, draining: 0, disabled: 0, stale: 1 },
      alarms: [
        { kind: 'node-stale', severity: 'serious', node: 'dead', message: 'No sign of life for 7 s' },
        {
          kind: 'origin-dead',
          severity: 'serious',
          node: 'dead',
          stream: 'live/a',
          message: 'Its origin is gone: it waits for its publisher on another node',
        },
        warning,
      ],
    });
  });
});

describe('transcoding on all nodes', () => {
  it('is that of one node, which alone is asked, when that is asked for', async () => {
    const nothing = { tasksMax: 0, tasksRunning: 0, encoders: [], decisions: [], streams: [] };
    const asked: string[] = [];
    const answers = { transcoding: ['n1', 'n2', 'dead'].map((id) => ({ node: id, answer: nothing })) };
    const of = view([], answers);
    const fastify = await api({
      ...of,
      ask: (id, question) => {
        asked.push(id);
        return of.ask(id, question);
      },
    });
    const nodesOf = async (query: string): Promise<string[]> =>
      (await fastify.inject(`/api/v1/cluster/transcoding${query}`)).json().items.map(({ node: id }: { node: string }) => id);
    expect(await nodesOf('?node=n2')).toEqual(['n2']);
    expect(await nodesOf('?node=dead')).toEqual([]);
    expect(asked).toEqual(['n2']);
    expect(await nodesOf('')).toEqual(['dead', 'n1', 'n2']);
  });
});

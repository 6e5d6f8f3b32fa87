import Fastify, { type FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { wallMs } from '../core/mod.ts';
import { problemHandlers, registerApi } from './api.ts';
import { clusterStreamOperations } from './cluster-streams.ts';
import type { ClusterView, KnownStream, NodeAnswer, NodeQuestion } from './cluster-view.ts';
import type { StreamResource } from './contract.ts';
import { overviewOperations } from './overview.ts';

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

const stream = (viewers: number): StreamResource => ({
  path: 'live/a',
  app: 'live',
  name: 'a',
  state: 'live',
  startedAt: '2026-01-02T00:00:00.000Z',
  uptimeSeconds: 5,
  tracks: [],
  renditions: ['source'],
  rungs: [],
  publisher: { protocol: 'rtmp' },
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

function view(streams: readonly KnownStream[], answers: Partial<Record<NodeQuestion, readonly NodeAnswer[]>> = {}): ClusterView {
  return {
    ownId: 'n1',
    isConnected: true,
    streams: () => streams,
    stream: (path) => streams.find(({ name }) => name === path),
    isAlive: (id) => id !== 'dead',
    nodes: () => [node('n1', false), node('dead', true)],
    ask: async (id, question) => answers[question]?.find((answer) => answer.node === id)?.answer,
    askAll: async (question) => answers[question] ?? [],
  };
}

async function api(of: ClusterView): Promise<FastifyInstance> {
  const fastify = Fastify({ ajv: { customOptions: { removeAdditional: false } } });
  problemHandlers(fastify, (error) => {
    throw error;
  });
  await registerApi(fastify, {
    operations: [...clusterStreamOperations(of, () => wallMs(STARTED + 5_000)), ...overviewOperations(of)],
    keys: { scopeOf: (key) => (key === 'sk_admin' ? 'admin' : undefined) },
    publicReads: true,
    isLocal: () => true,
    version: '1',
  });
  return fastify;
}

describe('streams of the cluster', () => {
  it('are listed with their origin, and in pages', async () => {
    const fastify = await api(view([known('live/b'), known('live/a', 'dead'), known('live/c')]));
    const first = (await fastify.inject('/api/v1/cluster/streams?limit=2')).json();
    expect(first.items[0]).toEqual({
      path: 'live/a',
      app: 'live',
      name: 'a',
      state: 'live',
      protocol: 'rtmp',
      origin: 'dead',
      region: 'eu',
      isOriginAlive: false,
      epoch: 4,
      startedAt: '2026-01-02T00:00:00.000Z',
      uptimeSeconds: 5,
      tracks: [{ kind: 'video', codec: 'h264', width: 640, height: 360 }],
      renditions: ['source', '360p'],
      makers: [{ rendition: '360p', node: 'n2' }],
    });
    const second = (await fastify.inject(`/api/v1/cluster/streams?limit=2&cursor=${first.nextCursor}`)).json();
    expect(second.items.map((item: { path: string }) => item.path)).toEqual(['live/c']);
    expect(second.nextCursor).toBeUndefined();
  });

  it('are those of one origin, when that is asked for', async () => {
    const fastify = await api(view([known('live/a', 'dead'), known('live/b'), known('live/c')]));
    const pathsOf = async (query: string): Promise<string[]> =>
      (await fastify.inject(`/api/v1/cluster/streams?${query}`)).json().items.map(({ path }: { path: string }) => path);
    expect(await pathsOf('origin=dead')).toEqual(['live/a']);
    expect(await pathsOf('origin=n1&search=c')).toEqual(['live/c']);
    expect(await pathsOf('origin=*')).toEqual([]);
  });

  it('are found by all words of a search, whatever their case, within 200 ms among ten thousand', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => known(`live/show-${index}`));
    const fastify = await api(view([...many, known('news/Evening-One')]));
    const pathsOf = async (search: string): Promise<string[]> =>
      (await fastify.inject(`/api/v1/cluster/streams?search=${encodeURIComponent(search)}`))
        .json()
        .items.map(({ path }: { path: string }) => path);
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
    const fastify = await api(view([known('live/a')], { stream: answers }));
    const detail = (await fastify.inject('/api/v1/cluster/streams/live/a')).json();
    expect(detail).toMatchObject({
      path: 'live/a',
      atOrigin: { bitrateBps: 1_000 },
      places: [
        { node: 'n1', region: 'eu', hops: [], viewers: { total: 1 } },
        { node: 'n3', hops: ['n1'], viewers: { total: 2 } },
      ],
    });
    expect((await fastify.inject('/api/v1/cluster/streams/live/none')).statusCode).toBe(404);
  });

  it('are ended by their origin', async () => {
    const end = async (answer: unknown): Promise<number> => {
      const fastify = await api(view([known('live/a')], { 'end-stream': [{ node: 'n1', answer }] }));
      const headers = { authorization: 'Bearer sk_admin' };
      return (await fastify.inject({ method: 'DELETE', url: '/api/v1/cluster/streams/live/a', headers })).statusCode;
    };
    expect([await end(true), await end(false), await end(undefined)]).toEqual([204, 404, 503]);
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
      }),
    );
    expect((await fastify.inject('/api/v1/overview')).json()).toEqual({
      streams: 1,
      viewers: { total: 10, byProtocol: { flv: 1, rtmp: 2, hls: 3, webrtc: 4 } },
      networkInBps: 1000,
      networkOutBps: 2000,
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

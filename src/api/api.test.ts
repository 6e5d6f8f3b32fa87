import type { FastifyInstance } from 'fastify';
import { beforeEach, describe, expect, it } from 'vitest';
import { streamRef, wallMs } from '../core/mod.ts';
import type { ClusterView } from './cluster-view.ts';
import type { StreamSource } from './stream-resource.ts';
import { streamOperations } from './streams.ts';
import { testApi, testKeys } from './test-api.fixture.ts';

const STARTED = wallMs(Date.UTC(2026, 0, 2, 3, 4, 5));

function stream(path: string): StreamSource {
  const [app = '', name = ''] = path.split('/');
  return {
    ref: streamRef(app, name),
    publisher: { protocol: 'rtmp', address: '192.0.2.7', agent: 'OBS' },
    tracks: [
      {
        kind: 'video',
        id: 0,
        codec: 'h264',
        timescale: 90_000,
        config: new Uint8Array(),
        codecString: 'avc1.64001f',
        width: 1280,
        height: 720,
      },
      {
        kind: 'audio',
        id: 1,
        codec: 'aac',
        timescale: 48_000,
        config: new Uint8Array(),
        codecString: 'mp4a.40.2',
        sampleRate: 48_000,
        channels: 2,
      },
    ],
    state: 'live',
    startedWallMs: STARTED,
    hasReorderedFrames: false,
    renditions: new Map(),
    viewers: new Map([
      ['hls', 3],
      ['flv', 2],
    ]),
    stats: () => ({
      framesIn: 10,
      bytesIn: 1000,
      bitrateBps: 2_500_000.4,
      frameRate: 29.97003,
      keyframeIntervalMs: 2000,
      timestampJumps: 0,
      driftMs: 0,
    }),
  };
}

const NO_CLUSTER: ClusterView = {
  ownId: 'n1',
  isAlone: true,
  isConnected: true,
  streams: () => [],
  stream: () => undefined,
  regionOf: () => 'default',
  isAlive: () => true,
  nodes: () => [],
  ask: async () => undefined,
  askAll: async () => [],
};

let live: Map<string, StreamSource>;
let reported: Error[];

async function api(options: { isLocal?: boolean; publicReads?: boolean } = {}): Promise<FastifyInstance> {
  const directory = {
    streams: () => live.values(),
    stream: (path: string) => live.get(path),
    remove: (path: string) => live.delete(path),
  };
  const fastify = await testApi({
    bodyLimit: 1000,
    report: (error) => reported.push(error),
    operations: streamOperations(directory, NO_CLUSTER, {
      wall: () => wallMs(STARTED + 61_500),
      webrtcOf: () => null,
      rungsOf: () => [],
      leftOutOf: () => [],
      isOpen: (app) => app !== 'closed',
    }),
    keys: testKeys({ sk_admin: 'admin', sk_read: 'read', sk_closed: ['closed'] }),
    publicReads: options.publicReads ?? true,
    isLocal: () => options.isLocal ?? false,
    version: '1.2.3',
  });
  fastify.post('/echo', () => ({}));
  fastify.get('/broken', () => {
    throw new Error('inner secret');
  });
  return fastify;
}

const bearer = (key: string): { authorization: string } => ({ authorization: `Bearer ${key}` });

beforeEach(() => {
  live = new Map(['live/b', 'live/a', 'live/c'].map((path) => [path, stream(path)]));
  reported = [];
});

describe('GET /api/v1/streams', () => {
  it('lists the streams by path, without what is not public', async () => {
    const response = await (await api()).inject('/api/v1/streams');
    expect(response.statusCode).toBe(200);
    const { items, nextCursor } = response.json();
    expect(items.map((item: { path: string }) => item.path)).toEqual(['live/a', 'live/b', 'live/c']);
    expect(nextCursor).toBeUndefined();
    expect(items[0]).toEqual({
      path: 'live/a',
      app: 'live',
      name: 'a',
      state: 'live',
      startedAt: '2026-01-02T03:04:05.000Z',
      uptimeSeconds: 61,
      tracks: [
        { kind: 'video', codec: 'h264', codecString: 'avc1.64001f', width: 1280, height: 720 },
        { kind: 'audio', codec: 'aac', codecString: 'mp4a.40.2', sampleRate: 48_000, channels: 2 },
      ],
      renditions: ['source'],
      rungs: [],
      publisher: { protocol: 'rtmp' },
      viewers: { total: 5, byProtocol: { hls: 3, flv: 2 } },
      bitrateBps: 2_500_000,
      frameRate: 29.97,
      keyframeIntervalMs: 2000,
      bytesIn: 1000,
      framesIn: 10,
      timestampJumps: 0,
      driftMs: 0,
      playback: { watch: '/watch/live/a', hls: '/live/a/index.m3u8', flv: '/live/a.flv' },
      webrtc: null,
      origin: { node: 'n1', region: 'default', epoch: 0, isAlive: true },
      makers: [],
    });
  });

  it('shows the publisher to a key and to loopback', async () => {
    const withKey = await (await api()).inject({ url: '/api/v1/streams/live/a', headers: bearer('sk_read') });
    expect(withKey.json().publisher).toEqual({ protocol: 'rtmp', address: '192.0.2.7', agent: 'OBS' });
    const local = await (await api({ isLocal: true })).inject('/api/v1/streams/live/a');
    expect(local.json().publisher.address).toBe('192.0.2.7');
  });

  it('pages by cursor, also over streams that go meanwhile', async () => {
    const fastify = await api();
    const first = (await fastify.inject('/api/v1/streams?limit=2')).json();
    expect(first.items).toHaveLength(2);
    live.delete('live/b');
    const second = (await fastify.inject(`/api/v1/streams?limit=2&cursor=${first.nextCursor}`)).json();
    expect(second.items.map((item: { path: string }) => item.path)).toEqual(['live/c']);
    expect(second.nextCursor).toBeUndefined();
  });

  it('needs a key when reads are not public', async () => {
    const fastify = await api({ publicReads: false });
    const refused = await fastify.inject('/api/v1/streams');
    expect(refused.statusCode).toBe(401);
    expect(refused.headers['www-authenticate']).toContain('Bearer');
    expect((await fastify.inject({ url: '/api/v1/streams', headers: bearer('sk_read') })).statusCode).toBe(200);
    expect((await (await api({ publicReads: false, isLocal: true })).inject('/api/v1/streams')).statusCode).toBe(200);
  });
});

describe('streams of several tenants', () => {
  const pathsOf = async (options: Parameters<typeof api>[0], headers = {}): Promise<string[]> =>
    (await (await api(options)).inject({ url: '/api/v1/streams', headers })).json().items.map(({ path }: { path: string }) => path);

  beforeEach(() => {
    live = new Map(['live/a', 'closed/a', 'closed/b'].map((path) => [path, stream(path)]));
  });

  it('are shown without a key where everybody may play them', async () => {
    expect(await pathsOf({})).toEqual(['live/a']);
    expect(await pathsOf({ isLocal: true })).toEqual(['closed/a', 'closed/b', 'live/a']);
    expect(await pathsOf({}, bearer('sk_read'))).toEqual(['closed/a', 'closed/b', 'live/a']);
    for (const path of ['closed/a', 'closed/none']) {
      const response = await (await api()).inject(`/api/v1/streams/${path}`);
      expect([response.statusCode, response.json().code]).toEqual([401, 'api.key-missing']);
    }
  });

  it.each([{}, { isLocal: true }, { publicReads: false }])(
    'are shown to the key of an app as far as they are its own (%j)',
    async (options) => {
      expect(await pathsOf(options, bearer('sk_closed'))).toEqual(['closed/a', 'closed/b']);
      const fastify = await api(options);
      const own = await fastify.inject({ url: '/api/v1/streams/closed/a', headers: bearer('sk_closed') });
      expect(own.json().publisher).toMatchObject({ address: '192.0.2.7' });
      for (const method of ['GET', 'DELETE'] as const) {
        const other = await fastify.inject({ method, url: '/api/v1/streams/live/a', headers: bearer('sk_closed') });
        expect([other.statusCode, other.json().code]).toEqual([404, 'api.stream-not-found']);
      }
      expect((await fastify.inject({ method: 'DELETE', url: '/api/v1/streams/closed/a', headers: bearer('sk_closed') })).statusCode).toBe(
        204,
      );
      expect([...live.keys()]).toEqual(['live/a', 'closed/b']);
    },
  );
});

describe('DELETE /api/v1/streams/:app/:name', () => {
  it('ends the stream for an admin key', async () => {
    const response = await (await api()).inject({ method: 'DELETE', url: '/api/v1/streams/live/a', headers: bearer('sk_admin') });
    expect(response.statusCode).toBe(204);
    expect(response.body).toBe('');
    expect(live.has('live/a')).toBe(false);
  });

  it.each([
    ['no key', {}, 401, 'api.key-missing'],
    ['wrong key', bearer('sk_wrong'), 401, 'api.key-wrong'],
    ['basic authentication', { authorization: 'Basic eDp5' }, 401, 'api.key-wrong'],
    ['read key', bearer('sk_read'), 403, 'api.scope-missing'],
  ])('refuses %s, also on loopback', async (_title, headers, status, code) => {
    const response = await (await api({ isLocal: true })).inject({ method: 'DELETE', url: '/api/v1/streams/live/a', headers });
    expect([response.statusCode, response.json().code]).toEqual([status, code]);
    expect(live.has('live/a')).toBe(true);
  });
});

describe('errors', () => {
  const json = { 'content-type': 'application/json' };
  it.each([
    ['unknown path', { url: '/api/v1/nothing' }, 404, 'api.not-found'],
    ['unknown stream', { url: '/api/v1/streams/live/none' }, 404, 'api.stream-not-found'],
    ['wrong method', { url: '/api/v1/streams', method: 'POST' as const }, 405, 'api.method-not-allowed'],
    [
      'wrong method with a body of another type',
      { url: '/api/v1/streams', method: 'PUT' as const, payload: '<x/>', headers: { 'content-type': 'text/xml' } },
      405,
      'api.method-not-allowed',
    ],
    ['limit of 0', { url: '/api/v1/streams?limit=0' }, 400, 'api.bad-request'],
    ['limit that is no number', { url: '/api/v1/streams?limit=x' }, 400, 'api.bad-request'],
    ['unknown parameter', { url: '/api/v1/streams?limt=1' }, 400, 'api.bad-request'],
    ['parameter where there are none', { url: '/api/v1/streams/live/one?limit=1' }, 400, 'api.bad-request'],
    ['foreign cursor', { url: '/api/v1/streams?cursor=abc' }, 400, 'api.bad-cursor'],
    ['bad JSON', { url: '/echo', method: 'POST' as const, payload: '{', headers: json }, 400, 'api.bad-json'],
    ['empty JSON', { url: '/echo', method: 'POST' as const, payload: '', headers: json }, 400, 'api.bad-json'],
    [
      'large body',
      { url: '/echo', method: 'POST' as const, payload: JSON.stringify('x'.repeat(2000)), headers: json },
      413,
      'api.body-too-large',
    ],
    [
      'other type',
      { url: '/echo', method: 'POST' as const, payload: '<x/>', headers: { 'content-type': 'text/xml' } },
      415,
      'api.media-type',
    ],
    ['own fault', { url: '/broken' }, 500, 'api.internal'],
  ])('%s is a problem document', async (_title, request, status, code) => {
    const response = await (await api()).inject(request);
    expect([response.statusCode, response.json().code]).toEqual([status, code]);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({
      type: `urn:sluice:problem:${code}`,
      status,
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect(response.body).not.toContain('inner secret');
    expect(reported).toHaveLength(status === 500 ? 1 : 0);
  });

  it('names what is allowed', async () => {
    const response = await (await api()).inject({ url: '/api/v1/streams/live/a', method: 'PATCH' });
    expect(response.headers['allow']).toBe('GET, HEAD, DELETE');
  });
});

describe('the OpenAPI document', () => {
  it('has every operation, with parameters, answers and problems', async () => {
    const document = (await (await api()).inject('/api/v1/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    expect(document.info.version).toBe('1.2.3');
    expect(Object.keys(document.paths)).toEqual(['/api/v1/streams', '/api/v1/streams/{app}/{name}']);
    expect(Object.keys(document.paths['/api/v1/streams/{app}/{name}'])).toEqual(['get', 'delete']);
    const list = document.paths['/api/v1/streams'].get;
    expect(list.parameters.map((parameter: { name: string }) => parameter.name)).toEqual(['limit', 'cursor', 'search', 'origin']);
    expect(list.responses['200'].content['application/json'].schema.properties.items.type).toBe('array');
    expect(list.responses.default.content['application/problem+json'].schema.properties.code.type).toBe('string');
    expect(Object.keys(document.components.securitySchemes)).toEqual(['apiKey', 'session', 'joinToken', 'link']);
    const { get, delete: end } = document.paths['/api/v1/streams/{app}/{name}'];
    expect([get.security, end.security]).toEqual([
      [{}, { apiKey: [] }, { session: [] }],
      [{ apiKey: [] }, { session: [] }],
    ]);
    const guarded = (await (await api({ publicReads: false })).inject('/api/v1/openapi.json')).json();
    expect(guarded.paths['/api/v1/streams'].get.security).toEqual([{ apiKey: [] }, { session: [] }]);
  });

  it('is shown on a page', async () => {
    const response = await (await api()).inject('/api/docs');
    expect(response.headers['content-type']).toContain('text/html');
    for (const text of [
      '/api/v1/streams/{app}/{name}',
      'DELETE',
      'nextCursor',
      'items[].viewers',
      '&quot;live&quot; | &quot;held&quot;',
      '50 when it is left out',
      'href="#getStream"',
    ])
      expect(response.body).toContain(text);
    expect(response.body).not.toMatch(/<script|\bon[a-z]+=|undefined|\[object/);
  });
});

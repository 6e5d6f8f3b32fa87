import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeRole, OwnState, RouteDecision, RouteWish } from '../../cluster/mod.ts';
import { streamRef } from '../../core/mod.ts';
import { systemClock } from '../clock.ts';
import type { SharedReply } from '../shared-route.ts';
import { ClientRegion } from './client-region.ts';
import type { ClusterRouting } from './cluster-route.ts';
import { RedirectGate } from './redirect-gate.ts';

/** What others there are, by what they can be used for. */
interface Others {
  play?: string | undefined;
  publish?: string | undefined;
}

class Routing implements ClusterRouting {
  readonly wishes: (RouteWish & { readonly stream: string | undefined })[] = [];
  others: Others = { play: 'e1', publish: 'o1' };
  readonly endpoints = new Map<string, { http: string; rtmp?: string }>([
    ['e1', { http: 'http://127.0.0.1:1', rtmp: 'rtmp://127.0.0.1:2' }],
    ['o1', { http: 'https://o1.example:8443', rtmp: 'rtmp://o1.example:1935' }],
  ]);

  route(wish: RouteWish, stream: string | undefined): RouteDecision {
    this.wishes.push({ ...wish, stream });
    const node = this.others[wish.kind];
    const isWanted = wish.isFullAccepted !== true && wish.isOriginAccepted !== true && node !== undefined && !wish.exclude?.has(node);
    return { node: isWanted ? node : undefined, opinions: [] };
  }

  endpointsOf(node: string): { http: string; rtmp?: string } | undefined {
    return this.endpoints.get(node);
  }
}

const SHOW = streamRef('live', 'show');
const served: string[] = [];
let routing: Routing;
let gate: RedirectGate;
let server: Server;
let base: string;

function standing(roles: readonly NodeRole[], state: OwnState = 'active'): void {
  gate.standingChanged({ node: 'me', roles, state });
}

beforeEach(async () => {
  served.length = 0;
  routing = new Routing();
  const region = new ClientRegion({ networks: new Map(), header: 'x-region', fallback: 'eu' });
  gate = new RedirectGate(
    { node: 'me', roles: ['edge'], state: 'active' },
    { routing, region, isOnlyHere: () => false, clock: systemClock },
  );
  server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    if (gate.handle(request, response, path, query)) return;
    served.push(`${request.method} ${request.url}`);
    response.end('served');
  });
  server.on('upgrade', (request, socket) => void (gate.upgrade(request, socket) || socket.end('HTTP/1.1 418 Served\r\n\r\n')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(base + path, { redirect: 'manual', ...init });
const post = (path: string): Promise<Response> =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'v=0\r\n' });

describe('the gate of a node that serves nobody itself', () => {
  beforeEach(() => standing(['manager']));

  it.each([
    ['/live/show/index.m3u8', 302],
    ['/live/show/source/media.m3u8?_HLS_msn=7&_HLS_part=1&token=a%2Fb', 302],
    ['/live/show/source/7.m4s', 302],
    ['/live/show.flv?x=1', 302],
  ])('sends viewers of %s on', async (path, status) => {
    const response = await ask(path);
    expect(response.status).toBe(status);
    const [, mark] = /^(.*?)[?&]via=me\.\d+$/.exec(response.headers.get('location') ?? '') ?? [];
    expect(mark).toBe(`http://127.0.0.1:1${path}`);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(served).toEqual([]);
  });

  it('sends WebRTC on by 307: publishers to origins, viewers to edges', async () => {
    const publish = await post('/live/show/whip?token=k');
    expect([publish.status, publish.headers.get('location')]).toEqual([
      307,
      expect.stringMatching(/^https:\/\/o1\.example:8443\/live\/show\/whip\?token=k&via=me\.\d+$/),
    ]);
    const play = await post('/live/show/whep');
    expect([play.status, play.headers.get('location')]).toEqual([
      307,
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:1\/live\/show\/whep\?via=/),
    ]);
    expect(routing.wishes.map(({ kind, stream }) => `${kind} ${stream}`)).toEqual(['publish live/show', 'play live/show']);
  });

  it.each([
    ['OPTIONS', '/live/show/whep'],
    ['OPTIONS', '/live/show/index.m3u8'],
    ['GET', '/live/show/whep'],
    ['DELETE', `/live/show/whep/n1.${'0'.repeat(32)}`],
    ['GET', '/watch/live/show'],
    ['GET', '/api/v1/streams'],
    ['GET', '/live/..show/index.m3u8'],
    ['POST', '/live/show/index.m3u8'],
  ])('leaves %s %s to others', async (method, path) => {
    expect(await (await ask(path, { method })).text()).toBe('served');
  });

  it('goes by where the client says, or a trusted header says, that it is', async () => {
    await ask('/live/show/index.m3u8');
    await ask('/live/show/index.m3u8', { headers: { 'x-region': 'ap' } });
    await ask('/live/show/index.m3u8?region=us', { headers: { 'x-region': 'ap' } });
    expect(routing.wishes.map(({ region }) => region)).toEqual(['eu', 'ap', 'us']);
  });

  it('refuses when nobody can take a client', async () => {
    routing.others = {};
    const response = await ask('/live/show/index.m3u8');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status: 503, code: 'cluster.no-node' });
    expect((await ask('/live/show.flv', { method: 'HEAD' })).status).toBe(503);
  });

  it('refuses whom it sent on a moment ago', async () => {
    const location = new URL((await ask('/live/show/index.m3u8')).headers.get('location') ?? '');
    expect((await ask(location.pathname + location.search)).status).toBe(503);
  });

  it.each([
    ['e1', /^HTTP\/1.1 302 Found\r\nlocation: ws:\/\/127\.0\.0\.1:1\/live\/show\.flv\?via=me/],
    [undefined, /^HTTP\/1.1 503 /],
  ])('answers WebSockets with %s to go to', async (play, expected) => {
    routing.others = { play };
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    socket.write('GET /live/show.flv HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(expected);
    socket.destroy();
  });
});

describe('the gate of a node in the cluster', () => {
  it('lets everybody through where they belong, without a look at the others', async () => {
    expect((await ask('/live/show/index.m3u8')).status).toBe(200);
    standing(['origin']);
    expect((await post('/live/show/whip')).status).toBe(200);
    expect(routing.wishes).toEqual([]);
  });

  it('lets an origin serve viewers while there is no edge', async () => {
    standing(['origin']);
    expect((await ask('/live/show.flv')).status).toBe(302);
    routing.others = {};
    expect((await ask('/live/show.flv')).status).toBe(200);
  });

  it('leaves the fast way to the route for as long as the node serves, and asks routing at most once a second', () => {
    const taken: string[] = [];
    const shared = gate.shared(({ path }) => {
      taken.push(path);
      return true;
    });
    const reply: SharedReply = { isGone: false, send: () => 0 };
    const request = (path: string): boolean => shared({ path, query: '', userAgent: '', cmcdSession: '', remote: '127.0.0.1' }, reply);
    expect(request('/live/show/index.m3u8')).toBe(true);
    standing(['edge'], 'draining');
    expect([request('/live/show/index.m3u8'), request('/live/show/source/3.m4s'), request('/')]).toEqual([false, true, true]);
    standing(['origin']);
    expect(request('/live/show/index.m3u8')).toBe(false);
    routing.others = {};
    routing.wishes.length = 0;
    expect(Array.from({ length: 9 }, () => request('/live/show/index.m3u8'))).not.toContain(false);
    expect(routing.wishes.length).toBe(1);
    standing(['manager']);
    expect([request('/live/show/index.m3u8'), request('/live/show/source/3.m4s')]).toEqual([false, false]);
    expect(taken).not.toContain('/live/show/source/9.m4s');
  });

  it('tells RTMP clients where they belong, past nodes that take no RTMP', () => {
    expect(gate.elsewhere('play', SHOW, '127.0.0.1')).toBeUndefined();
    expect(gate.elsewhere('publish', SHOW, '127.0.0.1')).toEqual({ tcUrl: 'rtmp://o1.example:1935/live' });
    routing.endpoints.set('o1', { http: 'http://o1' });
    expect(gate.elsewhere('publish', SHOW, '127.0.0.1')).toEqual({});
    expect(routing.wishes.at(-1)?.exclude).toEqual(new Set(['me', 'o1']));
    standing(['origin'], 'removed');
    expect(gate.elsewhere('publish', SHOW, '127.0.0.1')).toBeUndefined();
  });
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type NodeView, STALE_MS } from '../../cluster/mod.ts';
import { monotonicMs } from '../../core/mod.ts';
import { systemClock } from '../clock.ts';
import { RelayClient, RelayServer, type RelayTls } from '../relay/mod.ts';
import { TestCa } from '../relay/relay-certificates.fixture.ts';
import { SESSION_FORWARD_DEFAULTS, SessionForward, type SessionForwardOptions } from './session-forward.ts';

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const ID = '0123456789abcdef0123456789abcdef';
const log = pino({ level: 'silent' });
const asked: Asked[] = [];
const servers: Server[] = [];
const nodes = new Map<string, NodeView>();
let ca: TestCa;
let mine: RelayTls;
let client: RelayClient;
let owner: RelayServer;
let answer: RequestListener;

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function add(id: string, relayPort: number, isStale = false): void {
  const record = {
    v: 1 as const,
    id,
    region: 'eu',
    roles: ['edge' as const],
    status: 'active' as const,
    incarnation: 1,
    endpoints: { http: 'http://127.0.0.1:1', relay: `127.0.0.1:${relayPort}` },
    version: '1',
    protocol: 1,
    joinedAtMs: 0,
  };
  nodes.set(id, {
    record,
    heartbeat: undefined,
    headroom: 1,
    incarnation: 1,
    isStale,
    heardAt: monotonicMs(STALE_MS),
    clockOffsetMs: undefined,
  });
}

function makeForward(ownId: string, limits: Partial<SessionForwardOptions> = {}): SessionForward {
  const ask: SessionForwardOptions['ask'] = (node, question) => client.ask(node, question);
  return new SessionForward({ ...SESSION_FORWARD_DEFAULTS, ownId, node: (id) => nodes.get(id), ask, log, ...limits });
}

/** A node that forwards; what it does not take is answered with 418. */
function front(ownId: string, limits: Partial<SessionForwardOptions> = {}): Promise<string> {
  const forward = makeForward(ownId, limits);
  return listen((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    if (!forward.handle(request, response, path, query)) response.writeHead(418).end();
  });
}

/** A node that has the sessions of its own name. */
async function makeOwner(): Promise<RelayServer> {
  const forward = makeForward('owner');
  const route = forward.answered((request, response, path, query) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, headers } = request;
      asked.push({ method, url: query === '' ? path : `${path}?${query}`, headers, body: Buffer.concat(chunks).toString() });
      answer(request as IncomingMessage, response as Parameters<RequestListener>[1]);
    });
    return true;
  });
  const server = new RelayServer({
    host: '127.0.0.1',
    port: 0,
    portKey: 'relay.port',
    portVariable: 'SLUICE_RELAY_PORT',
    tls: await ca.issue('owner'),
    node: 'owner',
    cluster: 'test',
    mayConnect: () => true,
    sources: { open: () => ({ refused: 'unknown', message: 'nothing here' }) },
    routes: () => [route],
    clock: systemClock,
    log,
  });
  await server.listen();
  return server;
}

beforeAll(async () => {
  ca = await TestCa.make();
  mine = await ca.issue('me');
});
beforeEach(async () => {
  asked.length = 0;
  nodes.clear();
  answer = (_request, response) =>
    void response.writeHead(200, { etag: '"a"', 'x-secret': 'no', 'content-type': 'application/json' }).end('{"a":1}');
  client = new RelayClient({ tls: mine, node: 'me', cluster: 'test', clock: systemClock, log });
  owner = await makeOwner();
  add('owner', owner.port);
});
afterEach(async () => {
  client.close();
  await owner.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const session = (owner = 'owner', part = ''): string => `/live/show/whep/${owner}.${ID}${part}`;

describe('a session of another node', () => {
  it('is changed, asked about and ended there', async () => {
    const url = await front('me');
    const headers = { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '"a"', authorization: 'Bearer t', cookie: 'c=1' };
    const patched = await fetch(`${url}${session()}?x=1`, { method: 'PATCH', headers, body: 'a=ice-ufrag:x\r\n' });
    expect([patched.status, patched.headers.get('etag'), patched.headers.get('x-secret'), await patched.json()]).toEqual([
      200,
      '"a"',
      null,
      { a: 1 },
    ]);
    expect(asked[0]).toMatchObject({
      method: 'PATCH',
      url: `${session()}?x=1`,
      body: 'a=ice-ufrag:x\r\n',
      headers: { 'if-match': '"a"', authorization: 'Bearer t' },
    });
    expect(asked[0]?.headers['cookie']).toBeUndefined();
    answer = (_request, response) => void response.writeHead(204).end();
    expect((await fetch(url + session(), { method: 'DELETE' })).status).toBe(204);
    answer = (_request, response) => void response.writeHead(404, { 'retry-after': '3' }).end('gone');
    const layers = await fetch(url + session('owner', '/layer'));
    expect([layers.status, layers.headers.get('retry-after'), await layers.text()]).toEqual([404, '3', 'gone']);
    expect((await fetch(url + session('owner', '/layer'), { method: 'POST', body: '{}' })).status).toBe(404);
    expect(asked.map(({ method, body }) => `${method} ${body}`).slice(1)).toEqual(['DELETE ', 'GET ', 'POST {}']);
  });

  it.each([
    ['of this node itself', 'DELETE', session('me')],
    ['of nobody', 'DELETE', '/live/show/whep/nonsense'],
    ['that is only asked for its methods', 'OPTIONS', session()],
    ['that is none', 'POST', '/live/show/whep'],
  ])('%s is left to the route', async (_what, method, path) => {
    expect((await fetch((await front('me')) + path, { method })).status).toBe(418);
    expect(asked).toEqual([]);
  });

  it('is not there any more when its node is unknown or gone', async () => {
    const url = await front('me');
    add('stale', 1, true);
    for (const node of ['unknown', 'stale']) {
      const response = await fetch(url + session(node), { method: 'DELETE' });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([404, 'whip.session-not-found']);
    }
  });

  it('cannot be asked about while its node does not answer', async () => {
    const closed = createServer();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    add('dead', (closed.address() as AddressInfo).port);
    closed.close();
    await once(closed, 'close');
    const refused = await fetch((await front('me')) + session('dead'), { method: 'DELETE' });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([502, 'cluster.owner-unreachable']);
    answer = () => undefined;
    expect((await fetch((await front('me', { answerTimeoutMs: 50 })) + session(), { method: 'DELETE' })).status).toBe(502);
    answer = (_request, response) => void response.end('x'.repeat(5_000));
    expect((await fetch((await front('me', { answerBytesMax: 4_000 })) + session())).status).toBe(502);
  });

  it('takes bodies up to the limit, and so many at a time', async () => {
    const url = await front('me', { bodyBytesMax: 10 });
    expect((await fetch(url + session(), { method: 'PATCH', body: 'x'.repeat(11) })).status).toBe(413);
    expect((await fetch((await front('me', { forwardedMax: 0 })) + session(), { method: 'DELETE' })).status).toBe(503);
    expect(asked).toEqual([]);
  });

  it('is asked of no other node than the one that its name says, and never sent on', async () => {
    add('left', owner.port);
    const url = await front('me');
    const mistaken = await fetch(url + session('left'), { method: 'DELETE' });
    expect([mistaken.status, ((await mistaken.json()) as { code: string }).code]).toEqual([502, 'cluster.owner-unreachable']);
    const limits = { timeoutMs: 5_000, answerBytesMax: 4_096 };
    const upstream = { node: 'owner', host: '127.0.0.1', port: owner.port };
    for (const path of [session('left'), '/live/show/whep', '/live/show/index.m3u8']) {
      expect((await client.ask(upstream, { method: 'DELETE', path: `/sessions${path}`, ...limits })).status, path).toBe(404);
    }
    expect((await client.ask(upstream, { method: 'DELETE', path: session(), ...limits })).status).toBe(404);
    expect(asked).toEqual([]);
  });
});

import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WhipEndpoint } from '../../protocols/whip/mod.ts';
import { MemorySessions } from '../../protocols/whip/whip-sessions.fixture.ts';
import { openGate } from '../open-gate.fixture.ts';
import { WHIP_ROUTE_DEFAULTS, WhipRoute, type WhipRouteOptions } from './whip-route.ts';

const OFFER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n';
const FRAGMENT = 'a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n';
const SDP = { 'content-type': 'application/sdp' };
const LIMITS = { bodyBytesMax: 4_096, bodyTimeoutMs: 5_000 };

let sessions: MemorySessions;
let route: WhipRoute;
let server: Server;
let http2Server: Http2Server;
let http2: ClientHttp2Session;
let port: number;

function makeRoute(limits: Partial<typeof LIMITS & { readingMax: number } & Pick<WhipRouteOptions, 'access' | 'letIn'>> = {}): void {
  sessions = new MemorySessions();
  let count = 0;
  const random = { randomBytes: (length: number) => new Uint8Array(length).fill(++count) };
  const endpoint = new WhipEndpoint(sessions, random, { nodeId: 'n1', iceServers: [{ url: 'stun:a.example' }, { url: 'stun:b.example' }] });
  route = new WhipRoute({ ...WHIP_ROUTE_DEFAULTS, ...LIMITS, access: openGate, ...limits, endpoint, log: pino({ level: 'silent' }) });
}

beforeEach(async () => {
  makeRoute();
  server = createServer((incoming, response) => {
    const [path = '', query = ''] = (incoming.url ?? '').split('?');
    if (!route.handle(incoming, response, path, query)) response.writeHead(418).end();
  });
  http2Server = createHttp2Server((incoming, response) => {
    if (!route.handle(incoming, response, incoming.url, '')) response.writeHead(418).end();
  });
  server.listen(0, '127.0.0.1');
  http2Server.listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(http2Server, 'listening')]);
  port = (server.address() as AddressInfo).port;
  http2 = connectHttp2(`http://127.0.0.1:${(http2Server.address() as AddressInfo).port}`);
});

afterEach(() => {
  http2.destroy();
  server.closeAllConnections();
  server.close();
  http2Server.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

async function http1(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  const outgoing = request({ port, method, path, headers, agent: false });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}

async function overHttp2(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  const stream = http2.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [answered] = (await once(stream, 'response')) as [Record<string, string | string[]>];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status: Number(answered[':status']), headers: answered, body: Buffer.concat(chunks).toString() };
}

describe.each([
  ['HTTP/1.1', http1],
  ['HTTP/2', overHttp2],
] as const)('WHIP over %s', (_, ask) => {
  it('makes, changes and ends a session', async () => {
    const created = await ask('POST', '/live/show/whip', { ...SDP, authorization: 'Bearer secret', 'user-agent': 'test' }, OFFER);
    expect(created).toMatchObject({ status: 201, body: 'answer to publish\r\n' });
    expect(created.headers).toMatchObject({
      'content-type': 'application/sdp',
      'content-length': '19',
      etag: '"local1"',
      link: '<stun:a.example>; rel="ice-server", <stun:b.example>; rel="ice-server"',
    });
    expect(sessions.offers[0]).toMatchObject({ sdp: OFFER, credential: { token: 'secret' }, address: '127.0.0.1', agent: 'test' });
    const location = created.headers['location'] as string;
    const headers = { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '*' };
    const restarted = await ask('PATCH', location, headers, FRAGMENT);
    expect(restarted).toMatchObject({ status: 200, headers: { etag: '"local2"' }, body: expect.stringContaining('a=ice-ufrag:srvU') });
    const trickled = await ask('PATCH', location, { ...headers, 'if-match': '"local2"' }, FRAGMENT);
    expect(trickled).toMatchObject({ status: 204, body: '' });
    expect(trickled.headers['content-length']).toBeUndefined();
    expect(trickled.headers['etag']).toBeUndefined();
    expect((await ask('DELETE', location)).status).toBe(200);
    expect((await ask('DELETE', location)).status).toBe(404);
  });

  it('answers HEAD with the headers of GET and no body', async () => {
    expect(await ask('HEAD', '/live/show/whep')).toMatchObject({ status: 200, headers: { 'content-type': 'application/sdp' }, body: '' });
    const missing = await ask('HEAD', '/live/show/whep/n1.none');
    expect(missing).toMatchObject({ status: 404, body: '' });
    expect((await ask('GET', '/live/show/whep/n1.none')).headers['content-length']).toBe(missing.headers['content-length']);
  });

  it('answers a preflight request', async () => {
    const headers = { origin: 'https://example.com', 'access-control-request-method': 'POST' };
    const preflight = await ask('OPTIONS', '/live/show/whip', headers);
    expect(preflight).toMatchObject({ status: 200, body: '', headers: { 'accept-post': 'application/sdp' } });
    expect(preflight.headers['link']).toBeUndefined();
  });

  it('refuses bodies that are empty or larger than the limit', async () => {
    expect(await ask('POST', '/live/show/whip', SDP)).toMatchObject({ status: 400 });
    expect((await ask('POST', '/live/show/whip', SDP, 'x'.repeat(LIMITS.bodyBytesMax))).status).toBe(201);
    const large = await ask('POST', '/live/show/whip', SDP, 'x'.repeat(LIMITS.bodyBytesMax + 1));
    expect(large).toMatchObject({ status: 413, headers: { 'content-type': 'application/problem+json' } });
    if (ask === http1) expect(await declaredOnly({ ...SDP, 'content-length': '1000000000' })).toBe(413);
  });

  it('refuses a body that does not arrive in time', async () => {
    makeRoute({ bodyTimeoutMs: 1 });
    const status = ask === http1 ? await declaredOnly({ ...SDP, 'content-length': '100' }) : await openHttp2();
    expect(status).toBe(408);
  });

  it('refuses more bodies at a time than may be read', async () => {
    makeRoute({ readingMax: 0 });
    expect(await ask('POST', '/live/show/whip', SDP, OFFER)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  it('refuses new sessions while it stops, and lets those that are there end', async () => {
    const location = (await ask('POST', '/live/show/whep', SDP, OFFER)).headers['location'] as string;
    route.close();
    expect((await ask('POST', '/live/show/whep', SDP, OFFER)).status).toBe(503);
    expect((await ask('DELETE', location)).status).toBe(200);
  });

  it('answers 500 for a fault of the server, and goes on', async () => {
    const create = sessions.create.bind(sessions);
    sessions.create = () => {
      throw new TypeError('a bug');
    };
    expect(await ask('POST', '/live/show/whip', SDP, OFFER)).toMatchObject({ status: 500, body: expect.stringContaining('whip.internal') });
    sessions.create = create;
    expect((await ask('POST', '/live/show/whip', SDP, OFFER)).status).toBe(201);
  });

  it.each([
    '/',
    '/live/show',
    '/live/show/whips',
    '/live/show/whip/',
    '/live/show/whip/a/b',
    '/api/v1/whip',
    '/a b/show/whip',
    '/live/%2e/whip',
  ])('leaves %s to others', async (path) => {
    expect((await ask('GET', path.replace(' ', '%20'))).status).toBe(418);
  });
});

describe('WhipRoute', () => {
  it('says which session a key or token has let in, and nothing of offers that make none', async () => {
    const letIn: (readonly [string, string])[] = [];
    const access: WhipRouteOptions['access'] = {
      ...openGate,
      admit: ({ credential, letInBy }, decided) => {
        if (credential.token !== undefined) letInBy?.(`by.${credential.token}`);
        decided('allowed');
      },
    };
    makeRoute({ access, letIn: (session, credential) => letIn.push([session, credential]) });
    await http1('POST', '/live/show/whip', { ...SDP, authorization: 'Bearer a' }, OFFER);
    await http1('POST', '/live/show/whep', SDP, OFFER);
    await http1('POST', '/live/show/whep', { ...SDP, authorization: 'Bearer b' }, 'malformed');
    expect(letIn).toEqual([[[...sessions.live.keys()][0], 'by.a']]);
  });

  it('keeps connections open over refusals', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const large = 'x'.repeat(2 * LIMITS.bodyBytesMax);
    for (const [method, body] of [['OPTIONS'], ['GET'], ['DELETE'], ['POST', large], ['POST', OFFER], ['POST', '']] as const) {
      const outgoing = request({ port, method, path: '/live/show/whip', headers: SDP, agent }).end(body);
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
      expect(answer.headers.connection).toBe('keep-alive');
      await once(answer.resume(), 'end');
    }
    agent.destroy();
  });

  it('forgets a client that goes away before its body is there', async () => {
    makeRoute({ readingMax: 1 });
    const socket = connect(port, '127.0.0.1');
    const asked = once(server, 'request');
    socket.write('POST /live/show/whip HTTP/1.1\r\nhost: x\r\ncontent-type: application/sdp\r\ncontent-length: 10\r\n\r\nv=0');
    const [incoming] = (await asked) as [IncomingMessage];
    expect((await http1('POST', '/live/show/whip', SDP, OFFER)).status).toBe(503);
    const closed = once(incoming, 'close').catch(() => undefined);
    socket.destroy();
    await closed;
    expect((await http1('POST', '/live/show/whip', SDP, OFFER)).status).toBe(201);
  });
});

/** Sends a head without its body; the answer's status. */
async function declaredOnly(headers: Record<string, string>): Promise<number> {
  const outgoing = request({ port, method: 'POST', path: '/live/show/whip', headers, agent: false });
  outgoing.on('error', () => undefined);
  outgoing.flushHeaders();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  expect(answer.headers.connection).toBe('close');
  outgoing.destroy();
  return answer.statusCode ?? 0;
}

/** Opens a request whose body never ends; the answer's status, when the server has closed the stream without an error. */
async function openHttp2(): Promise<number> {
  const stream = http2.request({ ':method': 'POST', ':path': '/live/show/whip', ...SDP });
  stream.write('v=0');
  const [answered] = (await once(stream, 'response')) as [Record<string, unknown>];
  stream.resume();
  await once(stream, 'close');
  expect(stream.rstCode).toBe(0);
  return Number(answered[':status']);
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { AccessDecision, AccessGate, AccessRequest } from '../access/mod.ts';
import { durationMs, monotonicMs, sizeBytes, streamRef, wallMs } from '../core/mod.ts';
import { makeHub } from '../hub/hub.fixture.ts';
import type { Hub, Publication } from '../hub/mod.ts';
import { feed } from '../media/source-frames.fixture.ts';
import { WhipEndpoint } from '../protocols/whip/mod.ts';
import { MemorySessions } from '../protocols/whip/whip-sessions.fixture.ts';
import { systemClock } from './clock.ts';
import { FlvRoute } from './flv/mod.ts';
import { HLS_DEFAULTS, HlsRoute } from './hls/mod.ts';
import type { SharedResponse } from './shared-route.ts';
import { WHIP_ROUTE_DEFAULTS, WhipRoute } from './webrtc/mod.ts';

const log = pino({ level: 'silent' });
const GOOD = 'eyJ9.good.x';
const SLOW = 'eyJ9.slow.x';
const HOOKED = 'eyJ9.hooked.x';

/** Takes two tokens, one of them later; everybody else is told that it has expired, or is missing. */
function decisionFor({ credential: { token }, page }: AccessRequest): AccessDecision {
  if (token === HOOKED) return { refused: 'hook-refused', because: 'not paid' };
  if (token === GOOD || token === SLOW || page === 'https://example.org') return 'allowed';
  return { refused: token === undefined ? 'token-missing' : token === 'eyJ9.other.x' ? 'token-stream' : 'token-expired' };
}

let isOpen: boolean;
let asksForPage: boolean;
let asked: AccessRequest[];
const gate: AccessGate = {
  admit: (request, decided) => {
    asked.push(request);
    if (request.credential.token === SLOW) setImmediate(() => decided(decisionFor(request)));
    else decided(decisionFor(request));
  },
  isOpen: () => isOpen,
  asksForPage: () => asksForPage,
};

let hub: Hub;
let hls: HlsRoute;
let flv: FlvRoute;
let server: Server;
let base: string;

beforeEach(async () => {
  isOpen = false;
  asksForPage = false;
  asked = [];
  const ignore = (): void => undefined;
  hub = makeHub();
  const find = (path: string): ReturnType<Hub['stream']> => hub.stream(path);
  const broadcast = { batchMs: durationMs(5), sendQueueBytesMax: sizeBytes(1_000_000), stalledMsMax: durationMs(10_000) };
  hls = new HlsRoute({ ...HLS_DEFAULTS, packaging: 'always', log, clock: systemClock, access: gate, find });
  flv = new FlvRoute({ log, clock: systemClock, access: gate, find, broadcast, gopCacheBytesMax: sizeBytes(1_000_000), viewersMax: 10 });
  const random = { randomBytes: (length: number) => new Uint8Array(length) };
  const endpoint = new WhipEndpoint(new MemorySessions(), random, { nodeId: 'n1', iceServers: [] });
  const whip = new WhipRoute({ ...WHIP_ROUTE_DEFAULTS, log, access: gate, endpoint });
  server = createServer((incoming, response) => {
    const [path = '', query = ''] = (incoming.url ?? '').split('?');
    for (const route of [hls.route, flv.handle, whip.handle]) if (route(incoming, response, path, query)) return;
    response.writeHead(418).end();
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => flv.upgrade(incoming, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const publisher = { protocol: 'rtmp', address: '', agent: '' } as const;
  const publication = hub.publish(
    streamRef('live', 'show'),
    publisher,
    { evicted: ignore },
    'reject',
    monotonicMs(0),
    wallMs(0),
  ) as Publication;
  feed(publication, { fromMs: 0, untilMs: 1_000 });
  hls.streamStarted(hub.stream('live/show')!);
  feed(publication, { fromMs: 1_000, untilMs: 9_000 });
});

afterEach(async () => {
  await Promise.all([hls.close(), flv.close()]);
  server.closeAllConnections();
  server.close();
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> => fetch(base + path, { headers, redirect: 'manual' });
const textOf = async (path: string): Promise<string> => (await get(path)).text();
const segmentOf = (playlist: string): string => /^(?!#)\S+\.m4s$/m.exec(playlist)?.[0] ?? '';

describe('HLS that needs a token', () => {
  it('refuses playlists, segments and init segments without it, each with a code', async () => {
    const segment = segmentOf(await textOf(`/live/show/~${GOOD}/source/media.m3u8`));
    expect(segment).not.toBe('');
    for (const path of ['/live/show/index.m3u8', '/live/show/source/media.m3u8', `/live/show/source/${segment}`]) {
      const response = await get(path);
      expect([response.status, response.headers.get('www-authenticate'), response.headers.get('cache-control')]).toEqual([
        401,
        'Bearer realm="sluice"',
        'no-store',
      ]);
      expect(await response.text()).toMatch(/^access\.token-missing: /);
    }
    const expired = await get('/live/show/~eyJ9.expired.x/index.m3u8');
    expect([expired.status, await expired.text()]).toEqual([401, expect.stringMatching(/^access\.token-expired: /)]);
    const other = await get('/live/show/index.m3u8?token=eyJ9.other.x');
    expect([other.status, await other.text()]).toEqual([403, expect.stringMatching(/^access\.token-stream: /)]);
    expect((await get('/live/show/index.m3u8?token=%0d%0aevil')).status).toBe(401);
  });

  it.each([GOOD, SLOW])('leads from ?token= to the token in the path, below which everything is (%s)', async (token) => {
    const response = await get(`/live/show/index.m3u8?a=1&token=${token}&b=2`);
    expect([response.status, response.headers.get('location'), response.headers.get('cache-control')]).toEqual([
      302,
      `~${token}/index.m3u8?a=1&b=2`,
      'no-store',
    ]);
    const multivariant = await textOf(`/live/show/~${token}/index.m3u8`);
    expect(multivariant).toContain('\nsource/media.m3u8');
    const media = await get(`/live/show/~${token}/source/media.m3u8?_HLS_skip=YES`);
    expect(media.status).toBe(200);
    expect((await get(`/live/show/~${token}/source/${segmentOf(await media.text())}`)).status).toBe(200);
    expect(asked.at(-1)).toMatchObject({ act: 'play', ref: { path: 'live/show' }, credential: { token }, address: '127.0.0.1' });
  });

  it('is the same bytes as without a token, for any token', async () => {
    const guarded = [await textOf(`/live/show/~${GOOD}/source/media.m3u8`), await textOf(`/live/show/~${SLOW}/source/media.m3u8`)];
    const segment = segmentOf(guarded[0] ?? '');
    const bytes = Buffer.from(await (await get(`/live/show/~${GOOD}/source/${segment}`)).arrayBuffer());
    isOpen = true;
    const open = await textOf('/live/show/source/media.m3u8');
    expect(guarded).toEqual([open, open]);
    expect(open).not.toContain('~');
    expect(Buffer.from(await (await get(`/live/show/source/${segment}`)).arrayBuffer()).equals(bytes)).toBe(true);
    // Of an app that is open, a token is neither asked for nor in the way.
    expect(await textOf('/live/show/~whatever/source/media.m3u8')).toBe(open);
    expect((await get('/live/show/index.m3u8?token=whatever')).status).toBe(200);
  });

  it('has no way around the token by how the path is written', async () => {
    const segment = segmentOf(await textOf(`/live/show/~${GOOD}/source/media.m3u8`));
    for (const path of [
      '/live/show/~/source/media.m3u8',
      '/live/show/~x/~y/source/media.m3u8',
      `/live/show//source/${segment}`,
      '/live/show/~x/media.m3u8',
    ])
      expect((await get(path)).status).not.toBe(200);
  });

  it('goes by the page only where headers are read', async () => {
    asksForPage = true;
    expect(
      hls.shared(
        { path: '/live/show/index.m3u8', query: '', userAgent: '', cmcdSession: '', remote: '' },
        { isGone: false, send: () => 0 },
      ),
    ).toBe(false);
    expect((await get('/live/show/index.m3u8', { origin: 'https://example.org' })).status).toBe(200);
    expect((await get('/live/show/index.m3u8', { referer: 'https://example.org' })).status).toBe(200);
    expect((await get('/live/show/index.m3u8', { origin: 'https://evil.example', referer: 'https://example.org' })).status).toBe(401);
  });

  it('is answered on the fast way, too', () => {
    const answers: SharedResponse[] = [];
    const reply = { isGone: false, send: (shared: SharedResponse): number => answers.push(shared) };
    for (const path of ['/live/show/index.m3u8', `/live/show/~${GOOD}/index.m3u8`]) {
      expect(hls.shared({ path, query: '', userAgent: '', cmcdSession: '', remote: '127.0.0.1' }, reply)).toBe(true);
    }
    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
  });
});

describe('HTTP-FLV that needs a token', () => {
  it('says why not, and plays with it', async () => {
    const missing = await get('/live/show.flv');
    expect([missing.status, (await missing.json()).code]).toEqual([401, 'access.token-missing']);
    const other = await get('/live/show.flv?token=eyJ9.other.x');
    expect([other.status, (await other.json()).code]).toEqual([403, 'access.token-stream']);
    for (const token of [GOOD, SLOW]) {
      const response = await get(`/live/show.flv?token=${token}`);
      expect(response.headers.get('content-type')).toBe('video/x-flv');
      await response.body?.cancel();
    }
  });

  it('does the same over WebSocket', async () => {
    const refused = new WebSocket(`${base.replace('http', 'ws')}/live/show.flv?token=eyJ9.expired.x`);
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(401);
    refused.on('error', () => undefined).terminate();
    for (const token of [GOOD, SLOW]) {
      const socket = new WebSocket(`${base.replace('http', 'ws')}/live/show.flv?token=${token}`);
      await once(socket, 'message');
      socket.terminate();
    }
  });
});

describe('the reason of a webhook', () => {
  it('reaches viewers and publishers of all protocols', async () => {
    const whip = { method: 'POST', headers: { 'content-type': 'application/sdp', authorization: `Bearer ${HOOKED}` }, body: 'v=0\r\n' };
    const answers = [
      await get(`/live/show/~${HOOKED}/index.m3u8`),
      await get(`/live/show.flv?token=${HOOKED}`),
      await fetch(`${base}/live/show/whip`, whip),
      await fetch(`${base}/live/show/whep`, whip),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(403);
      expect(await answer.text()).toMatch(/access\.hook-refused.*not paid|not paid.*access\.hook-refused/s);
    }
    expect(asked.map(({ protocol }) => protocol)).toEqual(['hls', 'http-flv', 'whip', 'whep']);
  });
});

describe('WHIP and WHEP', () => {
  const post = (path: string, token?: string): Promise<Response> => {
    const headers = { 'content-type': 'application/sdp', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    return fetch(base + path, { method: 'POST', headers, body: 'v=0\r\n' });
  };

  it.each(['whip', 'whep'])('make no session without a token, and one with it (%s)', async (kind) => {
    const missing = await post(`/live/show/${kind}`);
    expect([missing.status, missing.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="live/show"']);
    const expired = await post(`/live/show/${kind}`, 'eyJ9.expired.x');
    expect([expired.status, (await expired.json()).code, expired.headers.get('www-authenticate')]).toEqual([
      401,
      'access.token-expired',
      'Bearer realm="live/show", error="invalid_token"',
    ]);
    const other = await post(`/live/show/${kind}?token=eyJ9.other.x`);
    expect([other.status, (await other.json()).code]).toEqual([403, 'access.token-stream']);
    for (const token of [GOOD, SLOW]) expect((await post(`/live/show/${kind}`, token)).status).toBe(201);
    expect(asked.at(-1)?.act).toBe(kind === 'whip' ? 'publish' : 'play');
    expect((await post(`/live/show/${kind}`, '\t')).status).toBe(401);
  });
});

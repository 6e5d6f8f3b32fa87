import { Agent, createServer, get, type IncomingHttpHeaders, request, type Server } from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type MonotonicMs, monotonicMs, type StreamRef, wallMs } from '../../core/mod.ts';
import { AUDIO, FrameSource, VIDEO } from '../../gateways/hls-frames.fixture.ts';
import { HttpServer, type HttpServerOptions } from '../http/http-server.ts';
import { openGate } from '../open-gate.fixture.ts';
import { FakeStream } from './fake-stream.fixture.ts';
import { HLS_DEFAULTS, HlsRoute } from './hls-route.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const HTTP: HttpServerOptions = {
  host: '127.0.0.1',
  port: 0,
  tls: { certFile: '', keyFile: '', hstsMaxAgeS: 0 },
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 10_000,
  headersBytesMax: 4096,
  connectionsMax: 100,
  connectionsPerAddressMax: 100,
};

let now: MonotonicMs;
let stream: FakeStream;
let source: FrameSource;
let route: HlsRoute;
let server: Server;
let base: string;

function makeRoute(more: Partial<ConstructorParameters<typeof HlsRoute>[0]> = {}): HlsRoute {
  const clock = { monotonic: () => now, wall: () => wallMs(0) };
  return new HlsRoute({
    ...HLS_DEFAULTS,
    log: pino({ level: 'silent' }),
    clock,
    access: openGate,
    find: () => undefined,
    packaging: 'always',
    ...more,
  });
}

const ask = (path: string, options: { method?: string; headers?: Record<string, string>; agent?: Agent } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request(`${base}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    })
      .on('error', reject)
      .end();
  });

const held = (count: number): Promise<void> => expect.poll(() => route.stats().waiting, { interval: 5 }).toBe(count) as Promise<void>;

beforeEach(async () => {
  now = monotonicMs(1000);
  stream = new FakeStream();
  source = new FrameSource();
  route = makeRoute();
  server = createServer((incoming, response) => {
    const [path = '', query = ''] = (incoming.url ?? '').split('?');
    if (!route.route(incoming, response, path, query)) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await route.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('HlsRoute', () => {
  it('serves playlists, init segments, segments and parts with their headers', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 5 }));
    const multivariant = await ask('/live/show/index.m3u8');
    expect(multivariant.body.toString()).toContain('\nsource/media.m3u8\n');
    const media = await ask('/live/show/source/media.m3u8');
    expect(media.headers).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=1',
      'content-length': String(media.body.length),
    });
    const init = /URI="(init[^"]+)"/.exec(media.body.toString())?.[1] ?? '';
    expect((await ask(`/live/show/source/${init}`)).headers['content-type']).toBe('video/mp4');
    const segment = await ask('/live/show/source/1800000000.m4s');
    expect(segment.headers['cache-control']).toContain('immutable');
    const parts = await Promise.all([0, 1, 2, 3].map((part) => ask(`/live/show/source/1800000000.${part}.m4s`)));
    expect(Buffer.concat(parts.map((part) => part.body))).toEqual(segment.body);
  });

  it('leaves paths alone that are not HLS, and answers 404 for streams and files that are not there', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3 }));
    for (const path of ['/', '/live/show.flv', '/live/show/whep', '/api/v1/streams']) expect((await ask(path)).status).toBe(418);
    for (const path of ['/live/other/index.m3u8', '/live/show/source/9.m4s', '/live/show/source/1800000009.0.m4s']) {
      expect((await ask(path)).status).toBe(404);
    }
  });

  it('answers HEAD without a body, OPTIONS for CORS, and refuses other methods', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3 }));
    const head = await ask('/live/show/source/1800000000.m4s', { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(1000);
    const preflight = await ask('/live/show/index.m3u8', { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect((await ask('/live/show/index.m3u8', { method: 'POST' })).status).toBe(405);
  });

  it.each([
    ['bytes=10-19', 206, 10, 20],
    ['bytes=-7', 206, -7, undefined],
    ['bytes=999999999-', 416, 0, 0],
    ['bytes=1-2,4-5', 200, 0, undefined],
  ])('serves the range %s across parts as %i', async (range, status, from, to) => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3 }));
    const whole = await ask('/live/show/source/1800000000.m4s');
    const answer = await ask('/live/show/source/1800000000.m4s', { headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual(whole.body.subarray(from, to));
  });

  it('holds a blocking reload until its part is there, and gives it a longer cache time', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3.2 }));
    const answer = ask('/live/show/source/media.m3u8?_HLS_msn=1800000001&_HLS_part=3');
    await held(1);
    stream.feed(source.add({ seconds: 2, from: 3.2 + 1 / 30, gopSeconds: 1 }));
    expect((await answer).body.toString()).toContain('1800000001.3.m4s');
    expect((await answer).headers['cache-control']).toBe('public, max-age=12');
    expect(route.stats().waiting).toBe(0);
  });

  it('holds a request for the hinted part until it is complete', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3.2 }));
    const answer = ask('/live/show/source/1800000001.2.m4s');
    await held(1);
    stream.feed(source.add({ seconds: 1, from: 3.2 + 1 / 30 }));
    expect((await answer).status).toBe(200);
    expect((await answer).body.length).toBeGreaterThan(500);
  });

  it.each(['_HLS_msn=1800000009', '_HLS_part=1', '_HLS_msn=x', '_HLS_msn=1800000001&_HLS_part=99'])(
    'refuses ?%s with 400',
    async (query) => {
      route.streamStarted(stream);
      stream.feed(source.add({ seconds: 3.2 }));
      expect((await ask(`/live/show/source/media.m3u8?${query}`)).status).toBe(400);
    },
  );

  it('gives up with 503 after three target durations', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3.2 }));
    const answer = ask('/live/show/source/media.m3u8?_HLS_msn=1800000002');
    await held(1);
    now = monotonicMs(now + 6001);
    expect((await answer).status).toBe(503);
    expect((await answer).headers['retry-after']).toBe('1');
  });

  it('answers a delta update', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 30 }));
    const delta = await ask('/live/show/source/media.m3u8?_HLS_skip=YES');
    expect(delta.body.toString()).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=');
  });

  it('lets the first viewer wait for the first whole segment', async () => {
    route.streamStarted(stream);
    const answer = ask('/live/show/index.m3u8');
    await held(1);
    stream.feed(source.add({ seconds: 3 }));
    expect((await answer).status).toBe(200);
  });

  it('packages on demand from the first request on', async () => {
    await route.close();
    route = makeRoute({ packaging: 'on-demand', find: (path) => (path === 'live/show' ? stream : undefined) });
    route.streamStarted(stream);
    expect(stream.sinks).toHaveLength(0);
    const answer = ask('/live/show/index.m3u8');
    await held(1);
    stream.feed(source.add({ seconds: 3 }));
    expect((await answer).status).toBe(200);
  });

  it('stops packaging on demand when nobody has asked for a minute, and begins again', async () => {
    await route.close();
    route = makeRoute({ packaging: 'on-demand', find: (path) => (path === 'live/show' ? stream : undefined) });
    const first = ask('/live/show/index.m3u8');
    await held(1);
    stream.feed(source.add({ seconds: 3 }));
    expect((await first).status).toBe(200);
    now = monotonicMs(now + 60_001);
    await expect.poll(() => stream.sinks.length, { interval: 20 }).toBe(0);
    expect(route.stats().sizeBytes).toBe(0);
    void ask('/live/show/index.m3u8').catch(() => undefined);
    await expect.poll(() => stream.sinks.length, { interval: 20 }).toBe(1);
  });

  it('refuses with 503 at the limit of held requests', async () => {
    await route.close();
    route = makeRoute({ waitingPerStreamMax: 1 });
    route.streamStarted(stream);
    const first = ask('/live/show/index.m3u8');
    await held(1);
    expect((await ask('/live/show/index.m3u8')).status).toBe(503);
    await route.close();
    expect((await first).status).toBe(503);
  });

  it('forgets held requests of clients that have gone', async () => {
    route.streamStarted(stream);
    const gone = get(`${base}/live/show/index.m3u8`).on('error', () => undefined);
    await held(1);
    gone.destroy();
    await held(0);
  });

  it('serves the ended playlist for a while, ignoring directives, and then forgets the stream', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3 }));
    const waiting = ask('/live/show/source/media.m3u8?_HLS_msn=1800000002');
    await held(1);
    for (const sink of stream.sinks) sink.ended('over');
    expect((await waiting).body.toString()).toContain('#EXT-X-ENDLIST');
    expect((await ask('/live/show/source/media.m3u8?_HLS_part=7')).body.toString()).toContain('#EXT-X-ENDLIST');
    now = monotonicMs(now + 30_001);
    await expect.poll(() => route.stats().streams, { interval: 20 }).toBe(0);
    expect((await ask('/live/show/source/1800000000.m4s')).status).toBe(404);
  });

  it('has a stream brought again that was let go of, instead of saying that it is over', async () => {
    await route.close();
    const brought: string[] = [];
    const again = new FakeStream();
    let here: FakeStream | undefined = stream;
    const bring = ({ path }: StreamRef): Promise<FakeStream> => {
      brought.push(path);
      here = again;
      return Promise.resolve(again);
    };
    route = makeRoute({ find: () => here, bring });
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3 }));
    expect((await ask('/live/show/source/media.m3u8')).body.toString()).not.toContain('#EXT-X-ENDLIST');
    here = undefined;
    for (const sink of stream.sinks) sink.ended('released');
    expect(route.stats()).toMatchObject({ streams: 0, sizeBytes: 0 });
    expect((await ask('/live/show/source/1800000000.m4s')).status).toBe(404);

    const answer = ask('/live/show/source/media.m3u8?_HLS_msn=1800000002&_HLS_part=0');
    await held(1);
    expect(brought).toEqual(['live/show']);
    await vi.waitFor(() => expect(again.sinks).toHaveLength(1));
    again.feed(source.add({ seconds: 4, from: 3 + 1 / 30 }));
    expect((await answer).body.toString()).toContain('1800000002.0.m4s');
    expect((await answer).body.toString()).not.toContain('#EXT-X-ENDLIST');
  });

  it('says at the door who is viewing already, and counts newcomers at once', async () => {
    const asked: (readonly [string, boolean | undefined])[] = [];
    const path = '/live/show/index.m3u8';
    await route.close();
    route = makeRoute({
      access: {
        isOpen: () => false,
        asksForPage: () => false,
        admit: ({ ref, isViewing }, decided) => {
          asked.push([ref.path, isViewing]);
          decided('allowed');
        },
      },
    });
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 5 }));
    const viewing = async (of: string, agent: string): Promise<boolean | undefined> => {
      await ask(of, { headers: { 'user-agent': agent } });
      return asked.at(-1)?.[1];
    };
    expect(await viewing('/live/show/source/init0.mp4', 'one')).toBe(true);
    expect(stream.viewers.get('hls')).toBeUndefined();
    expect(await viewing(path, 'one')).toBe(false);
    expect(stream.viewers.get('hls')).toBe(1);
    expect(await viewing('/live/show/source/media.m3u8', 'one')).toBe(true);
    expect(await viewing('/live/show/source/media.m3u8', 'two')).toBe(false);
    expect(stream.viewers.get('hls')).toBe(2);
    now = monotonicMs(now + 60_000);
    expect(await viewing(path, 'one')).toBe(false);
  });

  it('counts viewers by address and agent, and forgets those who stop asking', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3 }));
    for (const agent of ['a', 'b', 'a']) await ask('/live/show/source/media.m3u8', { headers: { 'user-agent': agent } });
    await expect.poll(() => stream.viewers.get('hls'), { interval: 20 }).toBe(2);
    now = monotonicMs(now + 6001);
    await expect.poll(() => stream.viewers.get('hls'), { interval: 20 }).toBe(0);
  });

  it('counts players that name their session by it, in the query or in a header, over whichever way they come', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3 }));
    const path = '/live/show/source/media.m3u8';
    const inHeader = (session: string): Record<string, string> => ({ 'cmcd-session': `sid="${session}",st=l` });
    for (const session of ['one', 'two', 'one']) await ask(path, { headers: inHeader(session) });
    // A header that the fast way does not know.
    await ask(path, { headers: { ...inHeader('two'), te: 'trailers' } });
    await ask(`${path}?CMCD=${encodeURIComponent('sid="one",st=l')}`, { headers: { 'user-agent': 'another' } });
    await expect.poll(() => stream.viewers.get('hls'), { interval: 20 }).toBe(2);
    await ask(path);
    await expect.poll(() => stream.viewers.get('hls'), { interval: 20 }).toBe(3);
  });

  it('counts the viewers of a rendition by those who ask for its playlist, and all of them for the stream', async () => {
    const rung = new FakeStream();
    stream.renditions.set('720p', rung);
    route.streamStarted(stream);
    const frames = source.add({ seconds: 3 });
    stream.feed(frames);
    const askAs = (agent: string, file: string): Promise<unknown> => ask(`/live/show/${file}`, { headers: { 'user-agent': agent } });
    await askAs('a', 'source/media.m3u8');
    // Whose playlist begins to be made with this.
    await askAs('b', 'index.m3u8');
    rung.feed(frames);
    for (const agent of ['b', 'c', 'c']) await askAs(agent, '720p/media.m3u8');
    await expect.poll(() => stream.viewers.get('hls'), { interval: 20 }).toBe(3);
    await expect.poll(() => rung.viewers.get('hls'), { interval: 20 }).toBe(2);
    now = monotonicMs(now + 6001);
    await expect.poll(() => rung.viewers.has('hls'), { interval: 20 }).toBe(false);
  });

  it('answers alike on the way of shared routes and by node:http, held requests too', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3.2 }));
    const both = new HttpServer(HTTP, pino({ level: 'silent' }));
    both.addSharedRoute(route.shared);
    both.addMediaRoute(route.route);
    base = `http://127.0.0.1:${await both.listen()}`;
    const agents = { shared: new Agent({ keepAlive: true }), node: new Agent({ keepAlive: true }) };
    // A range that is to be ignored makes the difference: it is not for the fast path.
    const other = { range: 'bytes=0-0,2-3' };
    const files = ['index.m3u8', 'source/media.m3u8', 'source/1800000000.m4s', 'source/1800000000.1.m4s', 'source/no.m4s'];
    const queries = ['?_HLS_msn=1800000001&_HLS_part=0', '?_HLS_skip=YES', '?_HLS_part=1'].map((query) => `source/media.m3u8${query}`);
    for (const method of ['GET', 'HEAD']) {
      for (const file of [...files, ...queries]) {
        const shared = await ask(`/live/show/${file}`, { method, agent: agents.shared });
        const node = await ask(`/live/show/${file}`, { method, agent: agents.node, headers: other });
        for (const answer of [shared, node]) answer.headers.date = '';
        expect(shared).toEqual(node);
      }
    }
    const waiting = [undefined, other].map((headers) =>
      ask('/live/show/source/1800000001.2.m4s', headers === undefined ? {} : { headers }),
    );
    await held(2);
    stream.feed(source.add({ seconds: 1, from: 3.2 + 1 / 30 }));
    const [first, second] = await Promise.all(waiting);
    expect(first?.body.length).toBeGreaterThan(500);
    expect(first?.body).toEqual(second?.body);
    for (const agent of Object.values(agents)) agent.destroy();
    await both.close(0);
  });

  it('serves HTTP/2 alike, segments of several chunks and held requests too', async () => {
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 3.2 }));
    const h2 = http2.createServer((incoming, response) => {
      const [path = '', query = ''] = incoming.url.split('?');
      route.route(incoming, response, path, query);
    });
    await new Promise<void>((resolve) => h2.listen(0, '127.0.0.1', resolve));
    const client = http2.connect(`http://127.0.0.1:${(h2.address() as AddressInfo).port}`);
    const fetchH2 = (path: string): Promise<{ status: number; body: Buffer }> =>
      new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        let status = 0;
        const outgoing = client.request({ ':path': path });
        outgoing.on('response', (headers) => {
          status = headers[':status'] ?? 0;
        });
        outgoing.on('data', (chunk: Buffer) => chunks.push(chunk));
        outgoing.on('end', () => resolve({ status, body: Buffer.concat(chunks) }));
        outgoing.on('error', reject);
      });
    const segment = await fetchH2('/live/show/source/1800000000.m4s');
    expect(segment).toEqual({ status: 200, body: (await ask('/live/show/source/1800000000.m4s')).body });
    const waiting = fetchH2('/live/show/source/1800000001.2.m4s');
    await held(1);
    stream.feed(source.add({ seconds: 1, from: 3.2 + 1 / 30 }));
    expect((await waiting).status).toBe(200);
    client.close();
    await new Promise((resolve) => h2.close(resolve));
  });

  it('lists renditions beside the source, tells each of the others, and lets one go that ends', async () => {
    const low = new FakeStream();
    stream.renditions.set('low', low);
    route.streamStarted(stream);
    const frames = source.add({ seconds: 7 });
    stream.feed(frames.slice(0, 20));
    // Both are packaged from the first look at the multivariant playlist on.
    const waiting = ask('/live/show/index.m3u8');
    await held(1);
    stream.feed(frames.slice(20));
    expect((await waiting).status).toBe(200);
    low.feed(new FrameSource().add({ seconds: 7, tracks: [{ ...VIDEO, width: 640, height: 360 }, AUDIO] }));
    const says = { codec: 'h264', codecString: 'avc1.4d401e', width: 640, height: 360, frameRate: 30 } as const;
    low.measured = { ...says, bitrateBps: 0 };
    // Nobody knows yet how many bits a second it has.
    expect((await ask('/live/show/index.m3u8')).body.toString()).not.toContain('low/');
    low.measured = { ...says, bitrateBps: 500_000 };
    const multivariant = (await ask('/live/show/index.m3u8')).body.toString();
    expect(multivariant.match(/RESOLUTION=\d+x\d+/g)).toEqual(['RESOLUTION=1280x720', 'RESOLUTION=640x360']);
    expect(multivariant).toContain('\nsource/media.m3u8\n');
    // As other nodes say it, which have only been told of it.
    expect(multivariant).toContain(
      'BANDWIDTH=600000,AVERAGE-BANDWIDTH=500000,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000\nlow/',
    );
    low.measured = { ...says, bitrateBps: 900_000 };
    expect((await ask('/live/show/index.m3u8')).body.toString()).toContain('AVERAGE-BANDWIDTH=900000');
    const media = (await ask('/live/show/low/media.m3u8')).body.toString();
    expect(media).toMatch(/#EXT-X-RENDITION-REPORT:URI="\.\.\/source\/media\.m3u8",LAST-MSN=\d+,LAST-PART=\d+\n/);
    const part = /#EXT-X-PART:[^\n]*URI="([^"]+)"/.exec(media)?.[1];
    expect((await ask(`/live/show/low/${part}`)).status).toBe(200);
    stream.renditions.delete('low');
    for (const sink of low.sinks) sink.ended('over');
    expect((await ask('/live/show/low/media.m3u8')).status).toBe(404);
    expect((await ask('/live/show/index.m3u8')).body.toString()).not.toContain('low/');
    stream.feed(source.add({ seconds: 1 }));
    expect((await ask('/live/show/source/media.m3u8')).body.toString()).not.toContain('RENDITION-REPORT');
  });

  it('says why a rendition that there should be is not there for now', async () => {
    const reason = "the server's limit of 1 transcoding tasks is reached";
    route = makeRoute({ withheld: (path, rendition) => (path === 'live/show' && rendition === '480p' ? reason : undefined) });
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 7 }));
    const { status, headers, body } = await ask('/live/show/480p/media.m3u8');
    expect([status, headers['retry-after'], headers['cache-control']]).toEqual([503, '10', 'no-store']);
    expect(body.toString()).toContain(`hls.rendition-withheld: ${reason}`);
    expect((await ask('/live/show/240p/media.m3u8')).status).toBe(404);
  });

  it('ends the playlist of a stream that is over, and lets its renditions go', async () => {
    const low = new FakeStream();
    stream.renditions.set('low', low);
    route.streamStarted(stream);
    const waiting = ask('/live/show/index.m3u8');
    await held(1);
    stream.feed(source.add({ seconds: 7 }));
    expect((await waiting).status).toBe(200);
    low.feed(new FrameSource().add({ seconds: 7, tracks: [{ ...VIDEO, width: 640, height: 360 }, AUDIO] }));
    expect((await ask('/live/show/low/media.m3u8')).status).toBe(200);
    stream.renditions.clear();
    for (const sink of [...stream.sinks, ...low.sinks]) sink.ended('over');
    expect((await ask('/live/show/source/media.m3u8')).body.toString()).toContain('#EXT-X-ENDLIST');
    expect((await ask('/live/show/low/media.m3u8')).status).toBe(404);
    expect((await ask('/live/show/index.m3u8')).body.toString()).not.toContain('low/');
  });

  it('lists what is offered as it will be, and has it made only when its own playlist is asked for', async () => {
    const low = new FakeStream();
    low.expected = { codec: 'h264', codecString: 'avc1.4d401e', width: 640, height: 360, frameRate: 30, bitrateBps: 700_000 };
    stream.renditions.set('360p', low);
    route.streamStarted(stream);
    stream.feed(source.add({ seconds: 5 }));
    const multivariant = (await ask('/live/show/index.m3u8')).body.toString();
    expect(multivariant).toContain(
      'BANDWIDTH=840000,AVERAGE-BANDWIDTH=700000,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000\n360p/media.m3u8',
    );
    expect(low.sinks).toHaveLength(0);
    const playlist = ask('/live/show/360p/media.m3u8');
    await held(1);
    expect(low.sinks).toHaveLength(1);
    low.feed(new FrameSource().add({ seconds: 5, tracks: [{ ...VIDEO, width: 640, height: 360 }, AUDIO] }));
    expect((await playlist).status).toBe(200);
  });
});

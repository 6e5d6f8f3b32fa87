import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { FlvViewer } from './fixtures/flv-viewer.ts';
import { readMedia } from './fixtures/media-reader.ts';
import { type ServerOptions, ServerProcess } from './fixtures/server-process.ts';

const WAIT = { timeout: 30_000, interval: 50 };
const TEST_MS = 120_000;

let server: ServerProcess;
let publishers: FfmpegPublisher[];
let viewers: FlvViewer[];

beforeEach(() => {
  publishers = [];
  viewers = [];
});
afterEach(async () => {
  for (const viewer of viewers) viewer.close();
  await Promise.all(publishers.map((publisher) => publisher.kill()));
  await server.close();
});

async function start(environment: ServerOptions['environment'] = {}): Promise<void> {
  server = await ServerProcess.start({ environment });
}

// biome-ignore lint/suspicious/noExplicitAny: what is in an answer is what the tests look at.
async function api(method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(`${server.httpUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${server.adminKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.ok, `${method} ${path}: ${text}`).toBe(true);
  return text === '' ? undefined : JSON.parse(text);
}

const limit = (limits: object): Promise<unknown> => api('PATCH', '/apps/live', { limits });

async function publishAs(stream: string): Promise<FfmpegPublisher> {
  const publisher = await publish({ url: `${server.rtmpUrl}/live/${stream}`, videoCodec: 'h264', audioCodec: 'aac' });
  publishers.push(publisher);
  return publisher;
}

const hasLogged = (code: string, stream: string): boolean =>
  server.log.some((line) => line['code'] === code && line['stream'] === `live/${stream}`);

const get = (path: string, userAgent = 'one'): Promise<Response> =>
  fetch(`${server.httpUrl}${path}`, { headers: { 'user-agent': userAgent }, redirect: 'manual' });

async function offer(kind: 'whip' | 'whep', stream: string): Promise<Response> {
  const headers = { 'content-type': 'application/sdp' };
  return fetch(`${server.httpUrl}/live/${stream}/${kind}`, { method: 'POST', headers, body: 'v=0\r\n' });
}

async function refusalOf(response: Response): Promise<readonly [number, string | null, string]> {
  return [response.status, response.headers.get('retry-after'), await response.text()];
}

async function watch(stream: string, query = ''): Promise<FlvViewer> {
  const viewer = await FlvViewer.open(`${server.httpUrl}/live/${stream}.flv${query}`);
  viewers.push(viewer);
  return viewer;
}

const hlsReady = (): Promise<string> =>
  vi.waitFor(async () => {
    const response = await get('/live/one/index.m3u8');
    expect(response.status).toBe(200);
    return response.text();
  }, WAIT);

describe('limits of an app', () => {
  it(
    'for streams turn one more away by RTMP and WHIP, until there is room',
    async () => {
      await start({ SLUICE_APPS_LIVE_LIMITS_STREAMS: '1' });
      await publishAs('one');
      await expect(publishAs('two')).rejects.toThrow();
      await vi.waitFor(() => expect(hasLogged('rtmp.limit-streams', 'two')).toBe(true), WAIT);
      const [status, retryAfter, text] = await refusalOf(await offer('whip', 'two'));
      expect([status, JSON.parse(text).code]).toEqual([429, 'access.limit-streams']);
      expect(Number(retryAfter)).toBeGreaterThan(0);
      expect((await api('GET', '/apps/live/usage')).now.streams).toEqual({ used: 1, limit: 1 });
      await limit({ streams: null });
      await publishAs('two');
      expect((await api('GET', '/apps/live/usage')).now.streams).toEqual({ used: 2, limit: null });
    },
    TEST_MS,
  );

  it(
    'for viewers turn one more away by every protocol, and nobody who is viewing already',
    async () => {
      await start();
      await publishAs('one');
      const viewer = await watch('one');
      await limit({ viewers: 1 });
      const hls = await refusalOf(await get('/live/one/index.m3u8', 'another'));
      expect(hls).toEqual([429, '10', expect.stringContaining('access.limit-viewers: ')]);
      const flv = await refusalOf(await get('/live/one.flv'));
      expect(flv).toEqual([429, '10', expect.stringContaining('limit-viewers')]);
      const [status, , whep] = await refusalOf(await offer('whep', 'one'));
      expect([status, JSON.parse(whep).code]).toEqual([429, 'access.limit-viewers']);
      await expect(readMedia(`${server.rtmpUrl}/live/one`, 1)).rejects.toThrow();
      await vi.waitFor(() => expect(hasLogged('rtmp.limit-viewers', 'one')).toBe(true), WAIT);
      expect((await api('GET', '/apps/live/usage')).now.viewers).toEqual({ used: 1, limit: 1 });
      expect(viewer.hasEnded).toBe(false);
      // It goes, and a player of HLS takes its place.
      viewer.close();
      const playlist = await hlsReady();
      const media = `/live/one/${playlist.split('\n').find((line) => line.endsWith('.m3u8'))}`;
      await vi.waitFor(async () => {
        // Asked for again, as the place is free when nothing is asked for during some seconds.
        const text = await (await get(media)).text();
        expect((await get('/live/one/index.m3u8', 'another')).status).toBe(429);
        const segment = /^(?!#)\S+\.m4s$/m.exec(text)?.[0] ?? '';
        expect((await get(media.replace(/[^/]+$/, segment))).status).toBe(200);
      }, WAIT);
    },
    TEST_MS,
  );

  it(
    'for what publishers send end the newest of them, which is told so and kept out for a while',
    async () => {
      await start();
      await publishAs('one');
      const publisher = await publishAs('two');
      await vi.waitFor(async () => {
        const { used } = (await api('GET', '/apps/live/usage')).now.bitrateInBps;
        expect(used).toBeGreaterThan(200_000);
      }, WAIT);
      // Less than one of them sends alone: the door is shut for all.
      await limit({ bitrateInBps: 100_000 });
      await publisher.ended;
      await vi.waitFor(() => expect(hasLogged('rtmp.over-limit', 'two')).toBe(true), WAIT);
      expect(hasLogged('access.limit-bitrate-in', 'two')).toBe(true);
      await expect(publishAs('two')).rejects.toThrow();
      await vi.waitFor(() => expect(hasLogged('rtmp.limit-bitrate-in', 'two')).toBe(true), WAIT);
    },
    TEST_MS,
  );

  it(
    'for transcoding leave rungs unmade, and say why',
    async () => {
      await start({ SLUICE_APPS_LIVE_LADDER_ALWAYS: 'true', SLUICE_APPS_LIVE_LIMITS_TRANSCODE_MINUTES: '0' });
      await publishAs('one');
      await vi.waitFor(async () => {
        const rungs = (await api('GET', '/transcoding')).streams.flatMap((stream: { rungs: unknown[] }) => stream.rungs);
        expect(rungs).toContainEqual(expect.objectContaining({ state: 'refused', reason: expect.stringContaining('transcode minutes') }));
      }, WAIT);
      await limit({ transcodeMinutes: 100 });
      await vi.waitFor(async () => expect((await api('GET', '/transcoding')).tasksRunning).toBeGreaterThan(0), WAIT);
    },
    TEST_MS,
  );
});

describe('what an app uses', () => {
  it(
    'is in the API and the metrics, and goes on after a restart',
    async () => {
      const dataFolder = mkdtempSync(join(tmpdir(), 'sluice-limits-'));
      server = await ServerProcess.start({ dataFolder });
      await publishAs('one');
      await watch('one');
      const before = await vi.waitFor(async () => {
        const usage = await api('GET', '/apps/live/usage');
        expect(usage.now).toMatchObject({ streams: { used: 1 }, viewers: { used: 1 } });
        expect(usage.now.bitrateOutBps.used).toBeGreaterThan(100_000);
        expect(Math.min(usage.month.bytesIn, usage.month.bytesOut)).toBeGreaterThan(100_000);
        return usage;
      }, WAIT);
      const listed = (await api('GET', '/apps')).items.find(({ name }: { name: string }) => name === 'live');
      expect(listed).toMatchObject({ limits: { viewers: null }, usage: { streams: 1, viewers: 1 } });
      await limit({ viewers: 7 });
      const metrics = await (await get('/metrics')).text();
      for (const line of [/^sluice_app_viewers\{app="live"\} 1$/m, /^sluice_app_viewers_limit\{app="live"\} 7$/m])
        expect(metrics).toMatch(line);
      const { adminKey } = server;
      expect(await server.close()).toBe(0);
      server = await ServerProcess.start({ dataFolder });
      const usage = await vi.waitFor(async () => {
        const response = await fetch(`${server.httpUrl}/api/v1/apps/live/usage`, { headers: { authorization: `Bearer ${adminKey}` } });
        const found = (await response.json()) as typeof before;
        expect(found.month.bytesIn).toBeGreaterThanOrEqual(before.month.bytesIn);
        return found;
      }, WAIT);
      expect(usage.month.bytesOut).toBeGreaterThanOrEqual(before.month.bytesOut);
      expect(usage.now.viewers).toEqual({ used: 0, limit: 7 });
      rmSync(dataFolder, { recursive: true, force: true });
    },
    TEST_MS,
  );
});

describe('sessions that a key or token let in', () => {
  it(
    'end when it is taken away, where that is asked for',
    async () => {
      await start({ SLUICE_APPS_LIVE_PUBLISH_FROM_LOOPBACK: 'false' });
      const keys = await Promise.all([1, 2].map(() => api('POST', '/apps/live/keys', {})));
      const [one, two] = [await publishAs(`one?key=${keys[0].key}`), await publishAs(`two?key=${keys[1].key}`)];
      const { secret } = await api('POST', '/apps/live/token-keys', { algorithm: 'HS256' });
      await api('PATCH', '/apps/live', { playback: { policy: 'token' } });
      const tokenFor = (jti: string): Promise<string> =>
        new SignJWT({ stream: 'live/*', act: 'play', jti })
          .setProtectedHeader({ alg: 'HS256' })
          .setExpirationTime('1h')
          .sign(new TextEncoder().encode(secret));
      const [first, second] = [await watch('two', `?token=${await tokenFor('a')}`), await watch('two', `?token=${await tokenFor('b')}`)];
      await api('POST', '/apps/live/revoked-tokens', { jti: 'a', endSessions: true });
      await vi.waitFor(() => expect(first.hasEnded).toBe(true), WAIT);
      await api('POST', '/apps/live/revoked-tokens', { jti: 'b' });
      expect(second.hasEnded).toBe(false);
      await api('DELETE', `/apps/live/keys/${keys[1].id}`);
      await api('DELETE', `/apps/live/keys/${keys[0].id}?endSessions=true`);
      await one.ended;
      await vi.waitFor(() => expect(hasLogged('rtmp.access-withdrawn', 'one')).toBe(true), WAIT);
      const streams = (await api('GET', '/streams')).items.map(({ name }: { name: string }) => name);
      expect(streams).toEqual(['two']);
      expect(second.hasEnded).toBe(false);
      await two.close();
    },
    TEST_MS,
  );
});

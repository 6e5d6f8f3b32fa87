import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { JpegLooker } from '../src/io/thumbnails/jpeg-look.fixture.ts';
import { type FfmpegPublisher, type PublishOptions, publish } from './fixtures/ffmpeg-publisher.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

/** The first picture waits for a process that loads FFmpeg; one that a busy machine does not get done counts as a crash, and two of them bring a rest of a minute. */
const PATIENCE_MS = 150_000;
const WAIT = { timeout: PATIENCE_MS, interval: 250 };

let cluster: TestCluster;
let origin: TestNode;
let edge: TestNode;
let looker: JpegLooker;
const publishers: FfmpegPublisher[] = [];

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager', 'origin'], region: 'eu' });
  origin = cluster.manager;
  edge = await cluster.join({ roles: ['edge'], region: 'us' });
  looker = new JpegLooker();
});
afterAll(async () => {
  looker?.close();
  await Promise.all(publishers.map((publisher) => publisher.close()));
  const codes = await cluster?.close();
  expect(codes?.filter((code) => code !== 0 && code !== null)).toEqual([]);
});

async function publishTo(path: string, options: Partial<PublishOptions>): Promise<void> {
  publishers.push(await publish({ url: `${origin.server.rtmpUrl}/${path}`, ...options }));
}

const ask = ({ server }: TestNode, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.httpUrl}/api/v1/streams/${path}/thumbnail.jpg`, { headers });

/** Asks until there is a picture. */
const picture = (node: TestNode, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  vi.waitFor(async () => {
    const response = await ask(node, path, headers);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    return response;
  }, WAIT);

const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { code: string }).code;

describe('thumbnails of a running cluster', { timeout: 2 * PATIENCE_MS }, () => {
  it('show what is published, on its origin and on a node that has not the stream', async () => {
    await publishTo('live/show', { videoCodec: 'h264', audioCodec: 'aac', size: [1280, 720] });
    for (const node of [origin, edge]) {
      const response = await picture(node, 'live/show');
      expect(response.headers.get('cache-control')).toBe('private, max-age=5');
      const etag = response.headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[0-9a-z.-]+"$/);
      const { width, height, mean } = await looker.look(new Uint8Array(await response.arrayBuffer()));
      expect([width, height]).toEqual([320, 180]);
      // A test picture is neither black nor white.
      for (const colour of mean) expect(Math.abs(colour - 128)).toBeLessThan(100);
      const same = await ask(node, 'live/show', { 'if-none-match': etag });
      expect([200, 304]).toContain(same.status);
    }
    // The keyframes go on.
    const first = (await picture(edge, 'live/show')).headers.get('etag');
    await vi.waitFor(async () => expect((await picture(edge, 'live/show')).headers.get('etag')).not.toBe(first), WAIT);
    // Nobody watches there: it was asked for, not pulled.
    expect(edge.server.log.filter(({ code }) => code === 'cluster.pull')).toEqual([]);
    const { places } = (await (await fetch(`${edge.server.httpUrl}/api/v1/streams/live/show`)).json()) as { places: { node: string }[] };
    expect(places.map(({ node }) => node)).toEqual([origin.id]);
  });

  it('are not there for sound alone, and for no stream', async () => {
    await publishTo('live/sound', { audioCodec: 'aac' });
    for (const node of [origin, edge]) {
      await vi.waitFor(async () => expect(await codeOf(await ask(node, 'live/sound'))).toBe('thumbnails.no-video'), WAIT);
      expect(await codeOf(await ask(node, 'live/none'))).toBe('api.stream-not-found');
      expect(await codeOf(await ask(node, 'live/%2e%2e'))).toMatch(/^api\.(bad-request|stream-not-found|not-found)$/);
    }
  });

  it('of an app that not everybody may play are for those who have a key', async () => {
    const { httpUrl, adminKey } = origin.server;
    const post = async (path: string, body: unknown): Promise<unknown> => {
      const made = await fetch(`${httpUrl}/api/v1/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(made.status).toBe(201);
      return made.json();
    };
    await post('apps', { name: 'inside', publishFromLoopback: true, playback: { policy: 'token' } });
    const { key } = (await post('api-keys', { scopes: ['read'] })) as { key: string };
    const authorization = `Bearer ${key}`;
    await publishTo('inside/show', { videoCodec: 'h264', size: [320, 180] });
    // A proxy passes it on: not from this machine.
    const elsewhere = { 'x-forwarded-for': '192.0.2.9' };
    for (const node of [origin, edge]) {
      await picture(node, 'inside/show', { ...elsewhere, authorization });
      expect((await picture(node, 'live/show', elsewhere)).status).toBe(200);
      expect(await codeOf(await ask(node, 'inside/show', elsewhere))).toBe('api.key-missing');
    }
  });
});

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chromiumRecvonly } from '../src/protocols/sdp/chromium-play-offer.fixture.ts';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { FlvViewer } from './fixtures/flv-viewer.ts';
import { HlsViewer } from './fixtures/hls-viewer.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const PATIENCE_MS = 60_000;
const DEADLINE_S = 6;
const ENOUGH_BYTES = 100_000;
const MAIN = join(import.meta.dirname, '..', 'dist/app/main.js');

let cluster: TestCluster;
let first: TestNode;
let second: TestNode;
let other: TestNode;
let publisher: FfmpegPublisher;
let successor: FfmpegPublisher | undefined;

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager', 'origin'], region: 'eu' });
  const edge = { roles: ['edge'], region: 'eu' };
  [first, second, other] = await Promise.all([cluster.join(edge), cluster.join(edge), cluster.join({ roles: ['origin'], region: 'eu' })]);
  publisher = await publish({ url: `${cluster.manager.server.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac' });
});
afterAll(async () => {
  await successor?.close();
  await publisher?.close();
  await cluster?.close();
});

const manual = { redirect: 'manual' } as const;
const isAt = (node: TestNode, url: string): boolean => new URL(url).port === String(node.server.httpPort);

async function change(node: TestNode, status: object): Promise<void> {
  const { httpUrl, adminKey } = cluster.manager.server;
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const response = await fetch(`${httpUrl}/api/v1/nodes/${node.id}`, { method: 'PATCH', headers, body: JSON.stringify(status) });
  expect(response.status).toBe(200);
}

describe('a cluster whose nodes do what their roles say', () => {
  it(
    'tells a publisher that comes to an edge where to go, and sends one that comes by WHIP there',
    async () => {
      const refused = await publish({ url: `${first.server.rtmpUrl}/live/stray`, videoCodec: 'h264' }).catch((error: Error) => error);
      expect(refused).toBeInstanceOf(Error);
      await vi.waitFor(() => {
        const closed = first.server.log.find(({ code }) => code === 'rtmp.other-node');
        const servers = [cluster.manager, other].map(({ server }) => `rtmp://127.0.0.1:${server.rtmpPort}/live`);
        expect(servers.some((url) => String(closed?.['detail']).includes(url))).toBe(true);
      }, WAIT);
      const sent = await fetch(`${first.server.httpUrl}/live/stray/whip`, { method: 'POST', headers: SDP, body: 'v=0\r\n', ...manual });
      expect(sent.status).toBe(307);
      expect([cluster.manager, other].some((node) => isAt(node, sent.headers.get('location') ?? ''))).toBe(true);
    },
    PATIENCE_MS,
  );

  it(
    'lets any node end and ask about a WebRTC session of another',
    async () => {
      const made = await vi.waitFor(async () => {
        const response = await fetch(`${first.server.httpUrl}/live/show/whep`, { method: 'POST', headers: SDP, body: chromiumRecvonly });
        expect(response.status).toBe(201);
        return response;
      }, WAIT);
      const location = made.headers.get('location') ?? '';
      expect(location).toContain(`/live/show/whep/${first.id}.`);
      const at = (node: TestNode, path = location): string => `${node.server.httpUrl}${path}`;
      const layers = (await (await fetch(at(second, `${location}/layer`))).json()) as { layers: { encodingId: string }[] };
      expect(layers.layers.map(({ encodingId }) => encodingId)).toEqual(['source']);
      expect((await fetch(at(second), { method: 'DELETE' })).status).toBe(200);
      expect((await fetch(at(cluster.manager), { method: 'DELETE' })).status).toBe(404);
      expect((await fetch(at(second, location.replace(first.id, 'nobody')), { method: 'DELETE' })).status).toBe(404);
    },
    PATIENCE_MS,
  );
});

describe('a node that drains', () => {
  it(
    'sends its HLS viewers on, who miss nothing, and ends with 0 when its time is up',
    async () => {
      const viewer = await vi.waitFor(() => HlsViewer.open(`${first.server.httpUrl}/live/show/index.m3u8`), WAIT);
      await vi.waitFor(() => expect(viewer.segments).toBeGreaterThanOrEqual(2), WAIT);
      expect(isAt(first, viewer.url)).toBe(true);
      viewer.errors.length = 0;
      const began = performance.now();
      await change(first, { status: 'draining', deadlineS: DEADLINE_S });
      await vi.waitFor(() => expect(isAt(second, viewer.url)).toBe(true), WAIT);
      const flv = await fetch(`${first.server.httpUrl}/live/show.flv`, manual);
      expect(flv.status).toBe(302);
      // Load balancers send nobody new.
      const readiness = await fetch(`${first.server.httpUrl}/readyz`);
      expect([readiness.status, ((await readiness.json()) as { code: string }).code]).toEqual([503, 'api.draining']);
      expect(await first.server.ended).toBe(0);
      expect(performance.now() - began).toBeGreaterThan((DEADLINE_S - 1) * 1000);
      const seen = viewer.segments;
      await vi.waitFor(() => expect(viewer.segments).toBeGreaterThan(seen), WAIT);
      await viewer.close();
      expect(viewer.errors).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'sends them to the origin when it is the last edge, and takes them again when it is active again',
    async () => {
      await change(second, { status: 'draining', deadlineS: 60 });
      await vi.waitFor(async () => {
        const playlist = await fetch(`${second.server.httpUrl}/live/show/index.m3u8`);
        expect([playlist.status, [cluster.manager, other].some((node) => isAt(node, playlist.url))]).toEqual([200, true]);
      }, WAIT);
      await change(second, { status: 'active' });
      await vi.waitFor(async () => {
        const response = await fetch(`${second.server.httpUrl}/live/show.flv`, manual);
        await response.body?.cancel();
        expect(response.status).toBe(200);
      }, WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'lets whoever publishes the same stream to another origin take it over at once',
    async () => {
      await change(cluster.manager, { status: 'draining' });
      await vi.waitFor(async () => {
        const sent = await fetch(`${cluster.manager.server.httpUrl}/live/more/whip`, {
          method: 'POST',
          headers: SDP,
          body: 'v=0\r\n',
          ...manual,
        });
        expect([sent.status, isAt(other, sent.headers.get('location') ?? 'http://-')]).toEqual([307, true]);
      }, WAIT);
      // The publisher that is there cannot be asked to go, and stays until then.
      expect(cluster.manager.server.log.some(({ code }) => code === 'cluster.publisher-evicted')).toBe(false);
      successor = await publish({ url: `${other.server.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac' });
      await publisher.ended;
      expect(other.server.log.some(({ code, stream }) => code === 'cluster.claimed' && stream === 'live/show')).toBe(true);
      await change(cluster.manager, { status: 'active' });
    },
    PATIENCE_MS,
  );

  it(
    'asks an RTMP publisher that can to go on at another origin, whose viewers stay and miss at most a moment',
    async () => {
      const command = [MAIN, 'load', 'publish', `${cluster.manager.server.rtmpUrl}/live/moved`, '--duration', '600', '--json'];
      const encoder = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
      const result = json(encoder.stdout);
      const viewer = await vi.waitFor(() => FlvViewer.open(`${second.server.httpUrl}/live/moved.flv`), WAIT);
      await vi.waitFor(() => expect(viewer.bytes).toBeGreaterThan(ENOUGH_BYTES), WAIT);
      await change(cluster.manager, { status: 'draining' });
      const isMoved = ({ code, stream }: Record<string, unknown>): boolean => code === 'cluster.claimed' && stream === 'live/moved';
      await vi.waitFor(() => expect(other.server.log.some(isMoved)).toBe(true), WAIT);
      const before = viewer.bytes;
      await vi.waitFor(() => expect(viewer.bytes).toBeGreaterThan(before + ENOUGH_BYTES), WAIT);
      console.log(`nothing came for at most ${Math.round(viewer.takeGapMs())} ms while the publisher went from origin to origin`);
      expect(viewer.hasEnded).toBe(false);
      viewer.close();
      encoder.kill('SIGINT');
      expect(await result).toMatchObject({ reconnects: 1, failed: 0, errors: {} });
      await change(cluster.manager, { status: 'active' });
    },
    PATIENCE_MS,
  );

  it(
    'ends by itself on SIGTERM as soon as nobody is left',
    async () => {
      second.server.signal('SIGTERM');
      await vi.waitFor(() => expect(second.server.log.some(({ code }) => code === 'app.draining')).toBe(true), WAIT);
      expect(await second.server.ended).toBe(0);
      expect(second.server.log.some(({ code }) => code === 'app.stopping')).toBe(true);
      // An origin serves viewers when there is no edge.
      expect((await fetch(`${cluster.manager.server.httpUrl}/live/show/index.m3u8`)).status).toBe(200);
    },
    PATIENCE_MS,
  );
});

const SDP = { 'content-type': 'application/sdp' };

import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, type PublishOptions, publish } from './fixtures/ffmpeg-publisher.ts';
import { FlvViewer } from './fixtures/flv-viewer.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const PATIENCE_MS = 60_000;

let cluster: TestCluster;
let origin: TestNode;
let second: TestNode;
let near: TestNode;
let far: readonly TestNode[];
const publishers: FfmpegPublisher[] = [];
const viewers: FlvViewer[] = [];

beforeAll(async () => {
  const environment = { SLUICE_APPS_LIVE_SECOND_PUBLISHER: 'standby' };
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu' });
  [origin, second] = [
    await cluster.join({ roles: ['origin'], region: 'eu', environment }),
    await cluster.join({ roles: ['origin'], region: 'eu', environment }),
  ];
  near = await cluster.join({ roles: ['edge'], region: 'eu' });
  far = [
    await cluster.join({ roles: ['edge'], region: 'us' }),
    await cluster.join({ roles: ['edge'], region: 'us' }),
    await cluster.join({ roles: ['edge'], region: 'us' }),
  ];
});
afterEach(async () => {
  for (const viewer of viewers.splice(0)) viewer.close();
  await Promise.all(publishers.splice(0).map((publisher) => publisher.close()));
});
afterAll(async () => {
  const codes = await cluster?.close();
  expect(codes?.filter((code) => code !== 0 && code !== null)).toEqual([]);
});

async function publishTo(node: TestNode, name: string, options: Partial<PublishOptions> = {}): Promise<FfmpegPublisher> {
  const publisher = await publish({ url: `${node.server.rtmpUrl}/live/${name}`, videoCodec: 'h264', audioCodec: 'aac', ...options });
  publishers.push(publisher);
  return publisher;
}

/** Watches by HTTP-FLV; the first request may come before the node knows of the stream. */
async function watch(node: TestNode, name: string): Promise<FlvViewer> {
  const viewer = await vi.waitFor(() => FlvViewer.open(`${node.server.httpUrl}/live/${name}.flv`), WAIT);
  viewers.push(viewer);
  await flows(viewer);
  return viewer;
}

/** Waits until more comes. */
async function flows(viewer: FlvViewer): Promise<void> {
  const before = viewer.bytes;
  await vi.waitFor(() => expect(viewer.bytes).toBeGreaterThan(before + 20_000), WAIT);
}

const text = async (node: TestNode, path: string): Promise<string> => {
  const response = await fetch(`${node.server.httpUrl}/live/${path}`);
  expect(response.status).toBe(200);
  return response.text();
};
const digest = async (node: TestNode, path: string): Promise<string> => {
  const response = await fetch(`${node.server.httpUrl}/live/${path}`);
  expect(response.status).toBe(200);
  return createHash('sha256')
    .update(Buffer.from(await response.arrayBuffer()))
    .digest('hex');
};
/** From which node another one pulled the stream last. */
const upstreamOf = (node: TestNode, name: string): unknown =>
  node.server.log.findLast(({ code, stream }) => code === 'cluster.pull' && stream === `live/${name}`)?.['upstream'];
const segmentsOf = (playlist: string): readonly string[] => playlist.match(/^\d+\.m4s$/gm) ?? [];

/** Waits until these nodes list two segments or more, all of them from number `from` on, and compares the newest ones byte by byte. */
async function areAlike(nodes: readonly TestNode[], name: string, from = 0): Promise<void> {
  const names = await vi.waitFor(async () => {
    const playlists = await Promise.all(nodes.map((node) => text(node, `${name}/source/media.m3u8`)));
    const listed = playlists.map(segmentsOf);
    for (const segments of listed) {
      expect(segments.length).toBeGreaterThanOrEqual(2);
      expect(Number.parseInt(segments[0] ?? '', 10)).toBeGreaterThanOrEqual(from);
    }
    const newest = listed[0]?.findLast((segment) => listed.every((segments) => segments.includes(segment)));
    expect(newest).toBeDefined();
    return [newest ?? '', `${newest?.split('.')[0]}.0.m4s`, /init-[^"]*/.exec(playlists[0] ?? '')?.[0] ?? ''];
  }, WAIT);
  for (const file of names) {
    const digests = await Promise.all(nodes.map((node) => digest(node, `${name}/source/${file}`)));
    expect(new Set(digests).size, file).toBe(1);
  }
}

/** The greatest number of a segment that any of these nodes lists, as soon as all of them list one. */
async function newestOf(nodes: readonly TestNode[], name: string): Promise<number> {
  return vi.waitFor(async () => {
    const listed = await Promise.all(nodes.map(async (node) => segmentsOf(await text(node, `${name}/source/media.m3u8`))));
    const newest = listed.map((segments) => Number.parseInt(segments.at(-1) ?? '', 10));
    expect(newest).not.toContain(Number.NaN);
    return Math.max(...newest);
  }, WAIT);
}

/** Waits until these nodes list a first segment behind number `after`, and compares it byte by byte. */
async function beginAlike(nodes: readonly TestNode[], name: string, after: number): Promise<void> {
  const first = await vi.waitFor(async () => {
    const listed = await Promise.all(nodes.map(async (node) => segmentsOf(await text(node, `${name}/source/media.m3u8`))));
    const numbers = listed.map(([segment = '']) => Number.parseInt(segment, 10));
    expect(Math.min(...numbers)).toBeGreaterThan(after);
    expect(new Set(numbers).size).toBe(1);
    return listed[0]?.[0] ?? '';
  }, WAIT);
  const digests = await Promise.all(nodes.map((node) => digest(node, `${name}/source/${first}`)));
  expect(new Set(digests).size, first).toBe(1);
}

describe('a stream published on one node', () => {
  it(
    'is watched on every other, and pulled into each region once',
    async () => {
      await publishTo(origin, 'show');
      await Promise.all([near, ...far].map((node) => watch(node, 'show')));
      expect(upstreamOf(near, 'show')).toBe(origin.id);
      await vi.waitFor(() => {
        const upstreams = far.map((node) => upstreamOf(node, 'show'));
        expect(upstreams.filter((upstream) => upstream === origin.id)).toHaveLength(1);
        const regional = far[upstreams.indexOf(origin.id)];
        expect(upstreams.filter((upstream) => upstream === regional?.id)).toHaveLength(2);
      }, WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'is byte-identical in LL-HLS on all of them, so that each request may go to another one',
    async () => {
      await publishTo(origin, 'same');
      await areAlike([near, ...far], 'same');
    },
    PATIENCE_MS,
  );

  it(
    'goes on at its viewers when the node that brings it into their region is killed',
    async () => {
      const spare = await cluster.join({ roles: ['edge'], region: 'ap' });
      const other = await cluster.join({ roles: ['edge'], region: 'ap' });
      await publishTo(origin, 'regional');
      await watch(spare, 'regional');
      const viewer = await watch(other, 'regional');
      expect([upstreamOf(spare, 'regional'), upstreamOf(other, 'regional')]).toEqual([origin.id, spare.id]);
      viewer.takeGapMs();
      await spare.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(spare), 1);
      await vi.waitFor(() => expect(upstreamOf(other, 'regional')).toBe(origin.id), WAIT);
      await flows(viewer);
      console.log(`gap at a viewer after the regional origin was killed: ${Math.round(viewer.takeGapMs())} ms`);
      expect(viewer.hasEnded).toBe(false);
    },
    PATIENCE_MS,
  );

  it(
    'is refused to a second publisher that does not stand by, and one that does takes over when the first one is killed with its node',
    async () => {
      const doomed = await cluster.join({ roles: ['origin'], region: 'eu' });
      await publishTo(doomed, 'hot');
      const edges = [near, ...far.slice(0, 2)];
      const [viewer] = await Promise.all(edges.map((edge) => watch(edge, 'hot')));
      const refused = await cluster.join({ roles: ['origin'], region: 'eu' });
      const rejected = await publish({ url: `${refused.server.rtmpUrl}/live/hot`, videoCodec: 'h264' }).catch((error: Error) => error);
      // It may have been accepted for the moment that it takes to ask.
      if (!(rejected instanceof Error)) await rejected.ended;
      await publishTo(second, 'hot');
      await vi.waitFor(
        () => expect(second.server.log.some(({ code, stream }) => code === 'cluster.standby' && stream === 'live/hot')).toBe(true),
        WAIT,
      );
      if (viewer === undefined) throw new Error('nobody watches');
      await flows(viewer);
      const before = await newestOf(edges, 'hot');
      viewer.takeGapMs();
      await doomed.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(doomed), 1);
      await vi.waitFor(() => expect(upstreamOf(near, 'hot')).toBe(second.id), WAIT);
      await flows(viewer);
      console.log(`gap at a viewer after the origin was killed, with a hot standby: ${Math.round(viewer.takeGapMs())} ms`);
      expect(viewer.hasEnded).toBe(false);
      await beginAlike(edges, 'hot', before);
    },
    PATIENCE_MS,
  );

  it(
    'goes on at its viewers when its origin is killed and the publisher comes back to another node, and is byte-identical again on three edges',
    async () => {
      const doomed = await cluster.join({ roles: ['origin'], region: 'eu' });
      await publishTo(doomed, 'back');
      const viewer = await watch(near, 'back');
      const others = await Promise.all([watch(far[0] as TestNode, 'back'), watch(far[1] as TestNode, 'back')]);
      const edges = [near, ...far.slice(0, 2)];
      await areAlike(edges, 'back');
      const before = segmentsOf(await text(near, 'back/source/media.m3u8'));
      await doomed.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(doomed), 1);
      const began = performance.now();
      await publishTo(second, 'back');
      await vi.waitFor(() => expect(upstreamOf(near, 'back')).toBe(second.id), WAIT);
      await flows(viewer);
      console.log(`from the publisher's return to the viewer: ${Math.round(performance.now() - began)} ms`);
      expect(viewer.hasEnded).toBe(false);
      // The numbers go on, whatever node has the stream.
      await areAlike(edges, 'back', Number.parseInt(before.at(-1) ?? '', 10));
      await Promise.all(others.map(flows));
      expect(others.some(({ hasEnded }) => hasEnded)).toBe(false);
    },
    PATIENCE_MS,
  );
});

describe('a node', () => {
  it(
    'that is killed counts as stale for the others, and is itself again when it comes back',
    async () => {
      const nodes = await cluster.nodesBy(near);
      expect(nodes.filter(({ stale }) => !stale).length).toBeGreaterThanOrEqual(7);
      expect(nodes.find(({ id }) => id === cluster.manager.id)?.roles).toEqual(['manager']);
      await vi.waitFor(async () => expect((await cluster.nodesBy(near)).some(({ stale }) => stale)).toBe(true), WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'tells clients which edge to go to, and why',
    async () => {
      const ask = (query: string): Promise<Response> => fetch(`${cluster.manager.server.httpUrl}/cluster?${query}`);
      const ports = new Set([near, ...far].map(({ server }) => `127.0.0.1:${server.httpPort}`));
      const answer = await ask('stream=live/show&region=us&explain=1');
      const { node, nodes } = (await answer.json()) as { node?: string; nodes: { node: string; refusal?: string; isNear: boolean }[] };
      expect(nodes.find(({ node: id }) => id === origin.id)?.refusal).toBe('role');
      // On a machine that is full, nobody is sent anywhere.
      if (node === undefined) expect(nodes.filter(({ isNear }) => isNear).every(({ refusal }) => refusal === 'full')).toBe(true);
      else expect(ports.has((await (await ask('stream=live/show&region=us')).text()).trim())).toBe(true);
      expect((await ask('stream=nonsense')).status).toBe(400);
    },
    PATIENCE_MS,
  );
});

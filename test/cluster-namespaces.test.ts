import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { FlvViewer } from './fixtures/flv-viewer.ts';
import { HlsViewer } from './fixtures/hls-viewer.ts';
import { type NetworkHost, NetworkNamespaces } from './fixtures/network-namespaces.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const PATIENCE_MS = 300_000;
/** Six processes. */
const START_MS_MAX = 240_000;
/** How long the manager and NATS are away: longer than heartbeats may be missed. */
const OUTAGE_MS = 10_000;
/** Three seconds until a silent connection is noticed, and what a busy machine adds. */
const SILENT_GAP_MS_MAX = 15_000;
const NATS = { SLUICE_CLUSTER_COORDINATION: 'nats-server', SLUICE_CLUSTER_NATS_PORT: '0' };
const KEY = 'a-key-of-publishers';
const LIVE = { SLUICE_APPS_LIVE_SECOND_PUBLISHER: 'standby', SLUICE_APPS_LIVE_KEYS: KEY };

const unavailable = NetworkNamespaces.unavailable();
if (unavailable !== undefined) console.warn(`skipped: ${unavailable}`);

/** A node on a host of its own. */
interface HostedNode extends TestNode {
  readonly host: NetworkHost;
}

let network: NetworkNamespaces;
let cluster: TestCluster;
let managerHost: NetworkHost;
let origins: readonly [HostedNode, HostedNode];
let edges: readonly [HostedNode, HostedNode];
const publishers: FfmpegPublisher[] = [];
const viewers: (FlvViewer | HlsViewer)[] = [];

async function join(role: string, region: string): Promise<HostedNode> {
  const host = network.addHost();
  return { ...(await cluster.join({ roles: [role], region, host, environment: LIVE })), host };
}

beforeAll(async () => {
  if (unavailable !== undefined) return;
  network = new NetworkNamespaces();
  managerHost = network.addHost();
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu', host: managerHost, environment: NATS });
  origins = [await join('origin', 'eu'), await join('origin', 'eu')];
  edges = [await join('edge', 'us'), await join('edge', 'us')];
}, START_MS_MAX);
afterEach(async () => {
  if (unavailable === undefined) for (const host of [managerHost, ...[...origins, ...edges].map((node) => node.host)]) host.mend();
  await Promise.all(viewers.splice(0).map(async (viewer) => viewer.close()));
  // One whose server is out of reach does not end politely.
  await Promise.all(publishers.splice(0).map((publisher) => publisher.kill()));
});
afterAll(async () => {
  const codes = await cluster?.close();
  network?.remove();
  expect(codes?.filter((code) => code !== 0 && code !== null)).toEqual([]);
});

async function publishTo({ server }: TestNode, name: string): Promise<FfmpegPublisher & { hasEnded: boolean }> {
  const publisher = await publish({ url: `${server.rtmpUrl}/live/${name}?key=${KEY}`, videoCodec: 'h264', audioCodec: 'aac' });
  const noted = Object.assign(publisher, { hasEnded: false });
  void publisher.ended.then(() => Object.assign(noted, { hasEnded: true }));
  publishers.push(noted);
  return noted;
}

async function watch({ server }: TestNode, name: string): Promise<FlvViewer> {
  const viewer = await vi.waitFor(() => FlvViewer.open(`${server.httpUrl}/live/${name}.flv`), WAIT);
  viewers.push(viewer);
  await flows(viewer);
  return viewer;
}

/** Waits until more comes. */
async function flows(viewer: FlvViewer): Promise<void> {
  const before = viewer.bytes;
  await vi.waitFor(() => expect(viewer.bytes).toBeGreaterThan(before + 20_000), WAIT);
}

const said = ({ server }: TestNode, code: string): number => server.log.filter((entry) => entry['code'] === code).length;
const upstreamOf = ({ server }: TestNode, name: string): unknown =>
  server.log.findLast(({ code, stream }) => code === 'cluster.pull' && stream === `live/${name}`)?.['upstream'];
const isNoneStale = async (node: TestNode): Promise<boolean> => (await cluster.nodesBy(node)).every(({ stale }) => !stale);

/** All nodes see all nodes, and know of one another what they have to. */
async function isWell(): Promise<void> {
  for (const node of [cluster.manager, ...origins, ...edges]) expect(await isNoneStale(node)).toBe(true);
}

/** Which node is a stream's origin, as each of these sees it. */
async function originsOf(name: string, nodes: readonly TestNode[]): Promise<unknown[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const { items } = (await cluster.ask(node, 'streams')) as { items: { name: string; origin: { node: string } }[] };
      return items.find((item) => item.name === name)?.origin.node;
    }),
  );
}

describe.skipIf(unavailable !== undefined)('a cluster on hosts of which one is cut off', () => {
  it(
    'goes on without the host of its manager and of NATS, and is well again after it',
    async () => {
      const [origin, other] = origins;
      const publisher = await publishTo(origin, 'known');
      const viewer = await watch(edges[0], 'known');
      const nodes = [...origins, ...edges];
      await vi.waitFor(isWell, WAIT);
      const lost = nodes.map((node) => said(node, 'cluster.coordination-lost'));
      viewer.takeGapMs();
      managerHost.cut();
      const began = performance.now();
      await vi.waitFor(() => {
        for (const [index, node] of nodes.entries()) expect(said(node, 'cluster.coordination-lost')).toBeGreaterThan(lost[index] ?? 0);
      }, WAIT);

      await watch(edges[1], 'known');
      const hls = await vi.waitFor(() => HlsViewer.open(`${edges[1].server.httpUrl}/live/known/index.m3u8`), WAIT);
      viewers.push(hls);
      await publishTo(other, 'meanwhile');
      await watch(other, 'meanwhile');
      await vi.waitFor(() => expect(performance.now() - began).toBeGreaterThan(OUTAGE_MS), { timeout: OUTAGE_MS * 2, interval: 100 });
      await vi.waitFor(() => expect(hls.segments).toBeGreaterThan(2), WAIT);
      for (const node of nodes) expect(await isNoneStale(node)).toBe(true);

      managerHost.mend();
      const mended = performance.now();
      await vi.waitFor(async () => {
        await isWell();
        expect(await originsOf('meanwhile', edges)).toEqual([other.id, other.id]);
      }, WAIT);
      console.log(`all was known to all ${Math.round(performance.now() - mended)} ms after the manager was back`);
      await watch(edges[0], 'meanwhile');
      await flows(viewer);
      console.log(`longest time without a byte while the manager was cut off, and after it: ${Math.round(viewer.takeGapMs())} ms`);
      expect([publisher.hasEnded, viewer.hasEnded, hls.errors]).toEqual([false, false, []]);
    },
    PATIENCE_MS,
  );

  it(
    'plays on in a region whose regional origin is cut off',
    async () => {
      const [origin] = origins;
      await publishTo(origin, 'regional');
      const [regional, edge] = edges;
      await watch(regional, 'regional');
      const viewer = await watch(edge, 'regional');
      await vi.waitFor(() => {
        expect([upstreamOf(regional, 'regional'), upstreamOf(edge, 'regional')]).toEqual([origin.id, regional.id]);
      }, WAIT);
      viewer.takeGapMs();
      regional.host.cut();
      await vi.waitFor(() => expect(upstreamOf(edge, 'regional')).toBe(origin.id), WAIT);
      await flows(viewer);
      const gapMs = viewer.takeGapMs();
      console.log(`gap at a viewer after the regional origin was cut off: ${Math.round(gapMs)} ms`);
      expect(viewer.hasEnded).toBe(false);
      expect(gapMs).toBeLessThan(SILENT_GAP_MS_MAX);
      regional.host.mend();
      await vi.waitFor(isWell, WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'plays on by a hot standby when an origin is cut off, which gives way when it is back',
    async () => {
      const [origin, standby] = origins;
      await publishTo(origin, 'hot');
      const viewer = await watch(edges[0], 'hot');
      await publishTo(standby, 'hot');
      await vi.waitFor(() => expect(said(standby, 'cluster.standby')).toBe(1), WAIT);
      const gaveWay = (): number => said(origin, 'cluster.standby') + said(origin, 'cluster.publisher-evicted');
      await flows(viewer);
      viewer.takeGapMs();
      origin.host.cut();
      await vi.waitFor(() => expect(upstreamOf(edges[0], 'hot')).toBe(standby.id), WAIT);
      await flows(viewer);
      const gapMs = viewer.takeGapMs();
      console.log(`gap at a viewer after the origin was cut off, with a hot standby: ${Math.round(gapMs)} ms`);
      expect(gapMs).toBeLessThan(SILENT_GAP_MS_MAX);

      // Until then it knows nothing of all this.
      expect(gaveWay()).toBe(0);
      origin.host.mend();
      await vi.waitFor(() => expect(gaveWay()).toBeGreaterThan(0), WAIT);
      await vi.waitFor(isWell, WAIT);
      const all = [cluster.manager, ...origins, ...edges];
      // Whoever was taken over does not take it back from one who is there.
      await vi.waitFor(async () => expect(await originsOf('hot', all)).toEqual(all.map(() => standby.id)), WAIT);
      await flows(viewer);
      expect(said(standby, 'cluster.standby')).toBe(1);
      expect(viewer.hasEnded).toBe(false);
    },
    PATIENCE_MS,
  );
});

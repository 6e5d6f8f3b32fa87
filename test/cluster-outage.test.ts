import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { FlvViewer } from './fixtures/flv-viewer.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 20_000, interval: 50 };
/** How long NATS is away: longer than heartbeats may be missed; `OUTAGE_S=600` for as long as one might be. */
const OUTAGE_MS = Number(process.env['OUTAGE_S'] ?? 9) * 1000;
const PATIENCE_MS = 81_000 + OUTAGE_MS;
/** A viewer who is disturbed waits for a node to be given up, which takes longer; a busy machine alone does not. */
const UNDISTURBED_MS = 5_000;
/** By then the cluster is in order again after its store is back. */
const RECONCILED_MS = 10_000;

let cluster: TestCluster;
let origin: TestNode;
let near: TestNode;
let far: TestNode;
let natsFolder = '';
const publishers: FfmpegPublisher[] = [];
const viewers: FlvViewer[] = [];

beforeAll(async () => {
  const environment = { SLUICE_CLUSTER_COORDINATION: 'nats-server', SLUICE_CLUSTER_NATS_PORT: '0' };
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu', environment });
  origin = await cluster.join({ roles: ['origin'], region: 'eu' });
  near = await cluster.join({ roles: ['edge'], region: 'eu' });
  far = await cluster.join({ roles: ['edge'], region: 'us' });
  natsFolder = join(cluster.manager.server.dataFolder, 'cluster', 'nats');
  await publishTo(origin, 'known');
});
afterAll(async () => {
  // A frozen server would be left behind.
  if (natsFolder !== '') signal('SIGCONT');
  for (const viewer of viewers) viewer.close();
  await Promise.all(publishers.map((publisher) => publisher.close()));
  expect(await cluster?.close()).toEqual([0, 0, 0, 0]);
});

function signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  process.kill(Number(readFileSync(join(natsFolder, 'nats-server.pid'), 'utf8')), name);
}

/** What all nodes have logged since, for who has to find out why it took so long. */
const saidSince = (time: string): string =>
  [cluster.manager, origin, near, far]
    .map(({ server }) => server.log.filter((line) => String(line['time']) >= time).map((line) => JSON.stringify(line)))
    .map((lines) => lines.join('\n'))
    .join('\n\n');

const countOf = (node: TestNode, wanted: string): number => node.server.log.filter(({ code }) => code === wanted).length;

/** Of the streams that a node knows, by their name. */
const epochsBy = async (node: TestNode): Promise<Record<string, number>> => {
  const { items } = (await cluster.ask(node, 'streams')) as { items: { name: string; origin: { epoch: number } }[] };
  return Object.fromEntries(items.map(({ name, origin: { epoch } }) => [name, epoch]));
};

const appsBy = async (node: TestNode): Promise<readonly string[]> =>
  ((await cluster.ask(node, 'apps')) as { items: { name: string }[] }).items.map(({ name }) => name);

const createApp = async (name: string): Promise<void> => {
  const { httpUrl, adminKey } = cluster.manager.server;
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const response = await fetch(`${httpUrl}/api/v1/apps`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name, publishFromLoopback: true }),
  });
  expect(response.status, await response.clone().text()).toBe(201);
};

async function publishTo(node: TestNode, name: string, app = 'live'): Promise<void> {
  publishers.push(await publish({ url: `${node.server.rtmpUrl}/${app}/${name}`, videoCodec: 'h264', audioCodec: 'aac' }));
}

async function watch(node: TestNode, name: string, app = 'live'): Promise<FlvViewer> {
  const viewer = await vi.waitFor(() => FlvViewer.open(`${node.server.httpUrl}/${app}/${name}.flv`), WAIT);
  viewers.push(viewer);
  const before = viewer.bytes;
  await vi.waitFor(() => expect(viewer.bytes).toBeGreaterThan(before + 20_000), WAIT);
  return viewer;
}

const managerBy = async (node: TestNode): Promise<{ readonly stale: boolean } | undefined> =>
  (await cluster.nodesBy(node)).find(({ id }) => id === cluster.manager.id);

const lost = (node: TestNode): boolean => node.server.log.some(({ code }) => code === 'cluster.coordination-lost');

describe('a cluster without its NATS', () => {
  it(
    'goes on: nobody who publishes or watches notices, known streams get new viewers, and all is well again after it',
    async () => {
      const viewer = await watch(far, 'known');
      signal('SIGSTOP');
      const began = performance.now();
      await vi.waitFor(() => expect([origin, near, far].every(lost)).toBe(true), WAIT);
      viewer.takeGapMs();

      // An edge that does not have the stream finds it in its replica.
      await watch(near, 'known');
      // A publisher is accepted, and watched on its node.
      await publishTo(origin, 'meanwhile');
      await watch(origin, 'meanwhile');
      await vi.waitFor(() => expect(performance.now() - began).toBeGreaterThan(OUTAGE_MS), { timeout: OUTAGE_MS * 2, interval: 100 });
      expect(viewer.hasEnded).toBe(false);
      const gapMs = viewer.takeGapMs();
      console.log(`longest time without a byte during the outage: ${Math.round(gapMs)} ms`);
      expect(gapMs).toBeLessThan(UNDISTURBED_MS);
      expect((await cluster.nodesBy(far)).some(({ stale }) => stale)).toBe(false);

      signal('SIGCONT');
      const [back, backAt] = [performance.now(), new Date().toISOString()];
      await watch(far, 'meanwhile');
      const reconciledMs = performance.now() - back;
      console.log(`a stream of the outage could be watched elsewhere ${Math.round(reconciledMs)} ms after it`);
      expect(reconciledMs, saidSince(backAt)).toBeLessThan(RECONCILED_MS);
      expect(viewer.hasEnded).toBe(false);
      expect((await cluster.nodesBy(far)).some(({ stale }) => stale)).toBe(false);
    },
    PATIENCE_MS,
  );

  it(
    'goes on without its manager as well',
    async () => {
      const viewer = await watch(far, 'known');
      cluster.manager.server.signal('SIGSTOP');
      viewer.takeGapMs();
      await vi.waitFor(async () => expect((await managerBy(far))?.stale).toBe(true), WAIT);
      await publishTo(origin, 'unmanaged');
      await watch(near, 'unmanaged');
      expect(viewer.hasEnded).toBe(false);
      expect(viewer.takeGapMs()).toBeLessThan(UNDISTURBED_MS);
      cluster.manager.server.signal('SIGCONT');
      await vi.waitFor(async () => expect((await managerBy(far))?.stale).toBe(false), { ...WAIT, timeout: RECONCILED_MS });
      await watch(far, 'unmanaged');
    },
    PATIENCE_MS,
  );

  it(
    'goes on where its NATS has lost everything: all is put back as it was, and nothing is claimed, pulled or ended',
    async () => {
      await createApp('event');
      await publishTo(origin, 'main', 'event');
      const watched = [await watch(far, 'known'), await watch(far, 'main', 'event')];
      const before = { apps: await appsBy(far), epochs: await epochsBy(far), nodes: (await cluster.nodesBy(far)).length };
      const all = [origin, near, far];
      const counts = (): readonly number[] => all.flatMap((node) => ['cluster.claimed', 'cluster.pull'].map((code) => countOf(node, code)));
      const reached = (): readonly number[] => all.map((node) => countOf(node, 'cluster.coordination-reached'));
      const [counted, reachedBefore] = [counts(), reached()];
      for (const viewer of watched) viewer.takeGapMs();
      signal('SIGKILL');
      rmSync(join(natsFolder, 'jetstream'), { recursive: true });
      await vi.waitFor(() => expect(reached()).toEqual(reachedBefore.map((count) => count + 1)), WAIT);
      // What nobody has put back is given up after ten seconds. The key that asks is among it.
      for (const until = performance.now() + 12_000; performance.now() < until; ) {
        for (const node of all) {
          const now = { apps: await appsBy(node), epochs: await epochsBy(node), nodes: (await cluster.nodesBy(node)).length };
          expect(now, node.id).toEqual(before);
        }
      }
      expect(countOf(cluster.manager, 'cluster.store-put-back')).toBe(1);
      expect(counts()).toEqual(counted);
      for (const viewer of watched) {
        expect(viewer.hasEnded).toBe(false);
        expect(viewer.takeGapMs()).toBeLessThan(UNDISTURBED_MS);
      }
      // What is new is told as ever.
      await createApp('afterwards');
      await vi.waitFor(async () => expect(await appsBy(far)).toContain('afterwards'), WAIT);
      await publishTo(origin, 'main', 'afterwards');
      await watch(near, 'main', 'afterwards');
    },
    PATIENCE_MS,
  );
});

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { HlsViewer } from './fixtures/hls-viewer.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const PATIENCE_MS = 120_000;
const STREAMS = ['one', 'two', 'three'] as const;
const MANAGER = { SLUICE_CLUSTER_COORDINATION: 'nats-server', SLUICE_CLUSTER_NATS_PORT: '0' };
const EDGE = { SLUICE_CLUSTER_DRAIN_MS: '8000' };
const ORIGIN = { SLUICE_CLUSTER_DRAIN_MS: '3000', SLUICE_APPS_LIVE_SECOND_PUBLISHER: 'standby' };

let cluster: TestCluster;
let origins: TestNode[];
let edges: TestNode[];
/** An encoder for each stream on each origin. */
const encoders = new Map<string, FfmpegPublisher>();
const viewers: HlsViewer[] = [];

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu', environment: MANAGER });
  origins = [
    await cluster.join({ roles: ['origin'], region: 'eu', environment: ORIGIN }),
    await cluster.join({ roles: ['origin'], region: 'eu', environment: ORIGIN }),
  ];
  edges = [
    await cluster.join({ roles: ['edge'], region: 'eu', environment: EDGE }),
    await cluster.join({ roles: ['edge'], region: 'eu', environment: EDGE }),
  ];
});
afterAll(async () => {
  await Promise.all(viewers.map((viewer) => viewer.close()));
  await Promise.all([...encoders.values()].map((encoder) => encoder.close()));
  expect(await cluster?.close()).toEqual([0, 0, 0, 0, 0]);
});

/** Publishes all streams to an origin, as encoders do that try again until they are taken. */
async function encode(place: number): Promise<void> {
  for (const name of STREAMS) {
    const url = `${origins[place]?.server.rtmpUrl}/live/${name}`;
    encoders.set(`${place} ${name}`, await vi.waitFor(() => publish({ url, videoCodec: 'h264', size: [320, 180] }), WAIT));
  }
}

/** Waits until each viewer has got more. */
async function playOn(): Promise<void> {
  const seen = viewers.map(({ segments }) => segments);
  await vi.waitFor(() => expect(viewers.every(({ segments }, index) => segments > (seen[index] ?? 0))).toBe(true), WAIT);
}

describe('a rolling restart of a whole cluster', () => {
  it(
    'loses no stream and no viewer',
    async () => {
      await encode(0);
      await encode(1);
      for (const [index, name] of STREAMS.entries()) {
        const url = `${edges[index % edges.length]?.server.httpUrl}/live/${name}/index.m3u8`;
        viewers.push(await vi.waitFor(() => HlsViewer.open(url), WAIT));
      }
      await playOn();
      for (const viewer of viewers) viewer.errors.length = 0;

      for (const [place, edge] of edges.entries()) {
        edges[place] = await cluster.restart(edge, EDGE);
        await playOn();
      }
      // What was asked of an edge that is going has led to the other one, without a hole.
      expect(viewers.flatMap(({ errors }) => errors)).toEqual([]);

      // With it goes the NATS server that it runs: everybody plays on by what they know.
      await cluster.restartManager();
      await playOn();
      await vi.waitFor(async () => expect((await cluster.nodesBy(cluster.manager)).filter(({ stale }) => !stale)).toHaveLength(5), WAIT);
      expect(viewers.flatMap(({ errors }) => errors)).toEqual([]);

      for (const [place, origin] of origins.entries()) {
        for (const name of STREAMS) void encoders.get(`${place} ${name}`)?.ended.catch(() => undefined);
        origins[place] = await cluster.restart(origin, ORIGIN);
        await encode(place);
        await playOn();
      }
      // Behind a change of origin the numbers begin anew, greater than before; nothing was refused.
      expect(viewers.flatMap(({ errors }) => errors).filter((error) => !/^segment \d+ came after \d+$/.test(error))).toEqual([]);
      const known = await cluster.nodesBy(cluster.manager);
      expect(known.filter(({ stale }) => !stale)).toHaveLength(5);
    },
    PATIENCE_MS,
  );
});

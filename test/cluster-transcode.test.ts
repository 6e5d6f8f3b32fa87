import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cleanUp, DatachannelViewer } from './fixtures/datachannel-viewer.ts';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';
import { ask } from './fixtures/whip-client.ts';

const WAIT = { timeout: 25_000, interval: 50 };
const PATIENCE_MS = 60_000;
const RUNG = '180p';
/** All nodes have the same apps. */
const environment = {
  SLUICE_TRANSCODE_ENABLED: 'true',
  SLUICE_APPS_LIVE_SECOND_PUBLISHER: 'standby',
  SLUICE_APPS_LIVE_LADDER_TEMPLATE: 'custom',
  SLUICE_APPS_LIVE_LADDER_RUNGS: JSON.stringify([{ name: RUNG, height: 180, bitrateBps: 200_000 }]),
};

let cluster: TestCluster;
let origin: TestNode;
let second: TestNode;
let makers: TestNode[];
let edge: TestNode;
const publishers: FfmpegPublisher[] = [];

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu' });
  // Each of them serves viewers, too, so that the tests can look at what it has.
  const maker = { roles: ['transcode', 'edge'], region: 'eu', environment };
  [origin, second, edge, ...makers] = await Promise.all([
    cluster.join({ roles: ['origin', 'edge'], region: 'eu', environment }),
    cluster.join({ roles: ['origin', 'edge'], region: 'eu', environment }),
    cluster.join({ roles: ['edge'], region: 'eu' }),
    cluster.join(maker),
    cluster.join(maker),
  ]);
  await publishTo(origin);
}, PATIENCE_MS);
afterAll(async () => {
  cleanUp();
  await Promise.all(publishers.map((publisher) => publisher.close()));
  expect((await cluster?.close())?.filter((code) => code !== 0 && code !== null)).toEqual([]);
});

async function publishTo({ server }: TestNode): Promise<void> {
  publishers.push(await publish({ url: `${server.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac' }));
}

interface Rung {
  readonly name: string;
  readonly state: string;
  readonly by?: string;
  readonly reason?: string;
}

const get = async (node: TestNode, path: string): Promise<Response> => {
  const response = await fetch(`${node.server.httpUrl}${path}`, { redirect: 'manual' });
  expect(response.status, path).toBe(200);
  return response;
};
const json = async <Body>(node: TestNode, path: string): Promise<Body> => (await get(node, `/api/v1${path}`)).json() as Promise<Body>;
const rungOn = async (node: TestNode): Promise<Rung | undefined> =>
  (await json<{ rungs: Rung[] }>(node, '/streams/live/show')).rungs.find(({ name }) => name === RUNG);
const tasksOn = async (node: TestNode): Promise<number> => (await json<{ tasksRunning: number }>(node, '/transcoding')).tasksRunning;
const digest = async (node: TestNode, file: string): Promise<string> =>
  createHash('sha256')
    .update(Buffer.from(await (await get(node, `/live/show/${RUNG}/${file}`)).arrayBuffer()))
    .digest('hex');

/** Whole segments of the rung on a node; to ask for them is to watch it there. */
async function segmentsOn(node: TestNode): Promise<readonly string[]> {
  const playlist = await (await get(node, `/live/show/${RUNG}/media.m3u8`)).text();
  return playlist.match(/^\d+\.m4s$/gm) ?? [];
}
const watched = (node: TestNode): Promise<readonly string[]> =>
  vi.waitFor(async () => {
    const segments = await segmentsOn(node);
    expect(segments.length).toBeGreaterThanOrEqual(2);
    return segments;
  }, WAIT);

/** The newest whole segment that all of the nodes have, byte for byte the same. */
const same = (nodes: readonly TestNode[]): Promise<string> =>
  vi.waitFor(async () => {
    const lists = await Promise.all(nodes.map(segmentsOn));
    const name = lists[0]?.findLast((candidate) => lists.every((list) => list.includes(candidate)));
    expect(name).toBeDefined();
    const digests = await Promise.all(nodes.map((node) => digest(node, name ?? '')));
    expect(new Set(digests).size, name).toBe(1);
    return name ?? '';
  }, WAIT);

describe('a cluster with transcode nodes', () => {
  it(
    'has a rung that a viewer of an edge asks for made by one of them, and plays it from any node',
    async () => {
      await watched(edge);
      const by = (await rungOn(origin))?.by;
      const maker = makers.find(({ id }) => id === by) as TestNode;
      expect(await rungOn(origin)).toMatchObject({ state: 'running', by: maker.id });
      expect(await rungOn(maker)).toMatchObject({ state: 'running' });
      expect(await Promise.all([origin, edge, ...makers].map(tasksOn))).toEqual([0, 0, ...makers.map(({ id }) => (id === by ? 1 : 0))]);
      await Promise.all([origin, maker].map(watched));
      await same([maker, edge, origin]);
    },
    PATIENCE_MS,
  );

  it(
    'goes on in the sessions of its viewers when the origin is killed and another publisher stands by',
    async () => {
      const viewer = await vi.waitFor(() => DatachannelViewer.play(`${edge.server.httpUrl}/live/show/whep`), WAIT);
      const layer = `${viewer.reply?.session}/layer`;
      const isPinned = (): Promise<void> =>
        vi.waitFor(async () => {
          const { body } = await ask('GET', layer);
          expect(JSON.parse(body)).toMatchObject({ active: RUNG, automatic: false, reason: 'pinned' });
        }, WAIT);
      const headers = { 'content-type': 'application/json' };
      expect((await ask('POST', layer, { headers, body: JSON.stringify({ encodingId: RUNG }) })).status).toBe(200);
      await Promise.all([isPinned(), publishTo(second)]);
      await vi.waitFor(() => expect(second.server.log.some(({ code }) => code === 'cluster.standby')).toBe(true), WAIT);
      const doomed = origin;
      origin = second;
      await doomed.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(doomed), 1);
      const killed = performance.now();
      await vi.waitFor(() => expect(edge.server.log.findLast(({ code }) => code === 'cluster.pull')?.['upstream']).toBe(second.id), WAIT);
      await vi.waitFor(async () => expect(await rungOn(second)).toMatchObject({ state: 'running' }), WAIT);
      const before = viewer.video.length;
      await vi.waitFor(() => expect(viewer.video.length).toBeGreaterThan(before + 60), WAIT);
      console.log(`two seconds of a rung were there ${Math.round(performance.now() - killed)} ms after the origin was killed`);
      expect(makers.map(({ id }) => id)).toContain((await rungOn(second))?.by);
      await isPinned();
      expect(viewer.state).toBe('connected');
      await ask('DELETE', `${viewer.reply?.session}`);
      viewer.close();
      await same([edge, second]);
    },
    PATIENCE_MS,
  );

  it(
    'goes on at its viewers when that node is killed, and when the other is, too',
    async () => {
      for (let left = makers.length; left > 0; left--) {
        const by = (await rungOn(origin))?.by;
        const doomed = makers.find(({ id }) => id === by) as TestNode;
        const before = Number.parseInt((await watched(edge)).at(-1) ?? '', 10);
        const began = performance.now();
        await doomed.server.kill();
        cluster.nodes.splice(cluster.nodes.indexOf(doomed), 1);
        await vi.waitFor(async () => expect(Number.parseInt((await segmentsOn(edge)).at(-1) ?? '', 10)).toBeGreaterThan(before + 1), WAIT);
        console.log(`a rung is at its second whole segment ${Math.round(performance.now() - began)} ms after its maker was killed`);
      }
      const rung = await rungOn(origin);
      expect(rung).toMatchObject({ state: 'running' });
      expect(rung?.by).toBeUndefined();
      expect(rung?.reason).toContain(makers[0]?.id);
      expect(await tasksOn(origin)).toBe(1);
      await same([edge, origin]);
    },
    PATIENCE_MS,
  );
});

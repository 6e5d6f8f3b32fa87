import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 60_000, interval: 200 };
const PATIENCE_MS = 120_000;
const RUNG = '180p';
const environment = {
  SLUICE_TRANSCODE_ENABLED: 'true',
  SLUICE_TRANSCODE_TASKS_MAX: '1',
  SLUICE_APPS_LIVE_LADDER_TEMPLATE: 'custom',
  SLUICE_APPS_LIVE_LADDER_RUNGS: JSON.stringify([{ name: RUNG, height: 180, bitrateBps: 200_000 }]),
};

let cluster: TestCluster;
let origin: TestNode;
const makers: TestNode[] = [];
const publishers: FfmpegPublisher[] = [];

const joinMaker = async (): Promise<TestNode> => {
  const maker = await cluster.join({ roles: ['transcode'], region: 'eu', environment });
  makers.push(maker);
  return maker;
};

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu' });
  [origin] = await Promise.all([cluster.join({ roles: ['origin', 'edge'], region: 'eu', environment }), joinMaker()]);
  for (const name of ['small', 'big']) {
    publishers.push(await publish({ url: `${origin.server.rtmpUrl}/live/${name}`, videoCodec: 'h264', audioCodec: 'aac' }));
  }
}, PATIENCE_MS);
afterAll(async () => {
  await Promise.all(publishers.map((publisher) => publisher.close()));
  expect((await cluster?.close())?.filter((code) => code !== 0 && code !== null)).toEqual([]);
});

interface Rung {
  readonly name: string;
  readonly state: string;
  readonly by?: string;
  readonly reason?: string;
}
interface Decision {
  readonly stream: string;
  readonly node?: string;
  readonly reason: string;
}

const json = async <Body>(node: TestNode, path: string): Promise<Body> => {
  const response = await fetch(`${node.server.httpUrl}/api/v1${path}`);
  expect(response.status, path).toBe(200);
  return (await response.json()) as Body;
};
const rungOf = async (stream: string): Promise<Rung | undefined> =>
  (await json<{ rungs: Rung[] }>(origin, `/streams/live/${stream}`)).rungs.find(({ name }) => name === RUNG);
/** To ask for segments is to watch; 404 while the rung is not offered. */
const segmentsOf = async (stream: string): Promise<readonly string[]> => {
  const response = await fetch(`${origin.server.httpUrl}/live/${stream}/${RUNG}/media.m3u8`, { redirect: 'manual' });
  return response.status === 200 ? ((await response.text()).match(/^\d+\.m4s$/gm) ?? []) : [];
};
/** Until the rung of a stream is made by one of `nodes` and has fresh segments, while the other streams are watched, too. */
const madeBy = async (stream: string, nodes: readonly TestNode[], others: readonly string[] = []): Promise<string> => {
  const before = Number.parseInt((await segmentsOf(stream)).at(-1) ?? '-1', 10);
  return vi.waitFor(async () => {
    const [segments] = await Promise.all([stream, ...others].map(segmentsOf));
    const rung = await rungOf(stream);
    expect(rung, JSON.stringify(rung)).toMatchObject({ state: 'running' });
    expect(nodes.map(({ id }) => id)).toContain(rung?.by);
    expect(Number.parseInt(segments?.at(-1) ?? '-1', 10)).toBeGreaterThan(before);
    return rung?.by ?? '';
  }, WAIT);
};
const decisions = async (): Promise<readonly Decision[]> => (await json<{ items: Decision[] }>(origin, '/transcoding/decisions')).items;

describe('a cluster whose transcode nodes are at their limit', () => {
  it(
    'makes what counts more instead of what counts less, and says so',
    async () => {
      await madeBy('small', makers);
      const weights = { rules: [{ app: 'live', stream: 'big', rung: '*', viewersMin: 0, weight: 10 }], pins: [] };
      const { httpUrl, adminKey } = cluster.manager.server;
      const put = await fetch(`${httpUrl}/api/v1/transcoding/weights`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(weights),
      });
      expect(put.status, await put.clone().text()).toBe(200);
      expect(await json(origin, '/transcoding/weights')).toEqual(weights);
      await madeBy('big', makers, ['small']);
      await vi.waitFor(async () => expect(await rungOf('small')).toMatchObject({ state: 'refused' }), WAIT);
      const decided = await decisions();
      // The newest ones are first.
      expect(decided.find(({ stream }) => stream === 'live/big')).toMatchObject({ node: makers[0]?.id });
      const refusal = decided.find(({ stream }) => stream === 'live/small');
      expect(refusal?.node).toBeUndefined();
      expect(['displaced', 'limit']).toContain(refusal?.reason);
      const pool = { allocator: cluster.manager.id, nodes: [{ node: makers[0]?.id, state: 'active', tasks: 1, tasksMax: 1 }], waiting: 1 };
      await vi.waitFor(async () => expect(await json(origin, '/transcoding/pool')).toEqual({ ...pool, epoch: expect.any(Number) }), WAIT);
    },
    PATIENCE_MS,
  );

  it(
    'makes both when another node comes, and the more important one goes on when its node is killed',
    async () => {
      const second = await joinMaker();
      // The one that had to give way is offered again, and watched again.
      await madeBy('small', [second], ['big']);
      const by = await madeBy('big', makers, ['small']);
      const doomed = makers.find(({ id }) => id === by) as TestNode;
      const began = performance.now();
      await doomed.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(doomed), 1);
      const left = makers.filter((maker) => maker !== doomed);
      const since = (): number => Math.round(performance.now() - began);
      const placedAnew = async (): Promise<void> => {
        await vi.waitFor(
          async () => {
            await Promise.all(['big', 'small'].map(segmentsOf));
            expect(left.map(({ id }) => id)).toContain((await rungOf('big'))?.by);
          },
          { ...WAIT, interval: 50 },
        );
        console.log(`a rung is placed anew ${since()} ms after its maker was killed, in place of another`);
      };
      await Promise.all([placedAnew(), madeBy('big', left, ['small'])]);
      console.log(`and has a new segment ${since()} ms after it was killed`);
      await vi.waitFor(async () => expect(await rungOf('small')).toMatchObject({ state: 'refused' }), WAIT);
    },
    PATIENCE_MS,
  );
});

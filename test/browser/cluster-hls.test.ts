import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { type FfmpegPublisher, publish } from '../fixtures/ffmpeg-publisher.ts';
import { RoundRobin } from '../fixtures/round-robin.ts';
import { TestCluster, type TestNode } from '../fixtures/test-cluster.ts';

const WAIT = { timeout: 30_000, interval: 50 };
const PATIENCE_MS = 240_000;
/** Eight processes and a browser. */
const START_MS_MAX = 240_000;
const EDGES = 4;
/** So much is played beyond what the buffer holds, so that whatever was missed has been seen. */
const PLAY_S = 3;
/** With one more start of the player in it. */
const PLAY_MS_MAX = 90_000;
/** A step between two looks that is no playing. */
const JUMP_S = 1;
/** None is to be seen; what a busy machine adds. */
const STALL_MS_MAX = 4_000;

let cluster: TestCluster;
let origins: readonly [TestNode, TestNode];
let edges: TestNode[];
let balancer: RoundRobin;
let browser: Browser;
let page: Page;
const complaints: string[] = [];
const publishers: FfmpegPublisher[] = [];

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu' });
  const origin = { roles: ['origin'], region: 'eu' };
  origins = await Promise.all([cluster.join(origin), cluster.join(origin)]);
  [browser, ...edges] = await Promise.all([
    launchBrowser(),
    ...Array.from({ length: EDGES }, () => cluster.join({ roles: ['edge'], region: 'us' })),
  ]);
  balancer = await RoundRobin.open(edges.map(({ server }) => server.httpUrl));
  await publishTo(origins[0]);
  page = await browser.newPage({ viewport: { width: 960, height: 540 } });
  page.on('pageerror', (error) => complaints.push(error.message));
  // Until all edges know of the stream, some of them say that there is none, and the page waits.
  await vi.waitFor(async () => {
    for (const { server } of edges) expect((await fetch(`${server.httpUrl}/live/show/index.m3u8`)).status).toBe(200);
  }, WAIT);
  await page.goto(`${balancer.httpUrl}/watch/live/show?transport=hls`);
  await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0, undefined, { timeout: WAIT.timeout });
  await measure();
  await play();
}, START_MS_MAX);
afterAll(async () => {
  await browser?.close();
  balancer?.close();
  await Promise.all(publishers.map((publisher) => publisher.close()));
  expect((await cluster?.close())?.filter((code) => code !== 0 && code !== null)).toEqual([]);
});

async function publishTo({ server }: TestNode): Promise<void> {
  publishers.push(await publish({ url: `${server.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac' }));
}

/** Kills a node as when its machine loses power; the balancer goes on to offer it requests. */
async function kill(node: TestNode): Promise<void> {
  await node.server.kill();
  cluster.nodes.splice(cluster.nodes.indexOf(node), 1);
  edges = edges.filter((edge) => edge !== node);
}

interface Measured {
  /** For how long the picture stood still at most. */
  stallMs: number;
  /** How much was played, without what was jumped over. */
  playedS: number;
  /** How much the buffer held at first. */
  bufferedS: number;
}

/** Measures from now on. */
const measure = (): Promise<void> =>
  page.evaluate((jumpS) => {
    const video = document.querySelector('video') as HTMLVideoElement;
    let [movedAt, at] = [performance.now(), video.currentTime];
    const ranges = video.buffered.length;
    const measured: Measured = { stallMs: 0, playedS: 0, bufferedS: ranges === 0 ? 0 : video.buffered.end(ranges - 1) - at };
    Object.assign(window, { measured });
    const look = (): void => {
      if ((window as unknown as { measured: Measured }).measured !== measured) return;
      // The player may have put another one in its place.
      const step = (document.querySelector('video')?.currentTime ?? 0) - at;
      at += step;
      const now = performance.now();
      if (step > 0 && step < jumpS) {
        measured.playedS += step;
        measured.stallMs = Math.max(measured.stallMs, now - movedAt);
        movedAt = now;
      }
      requestAnimationFrame(look);
    };
    look();
  }, JUMP_S);

/** Waits until what the buffer held at {@link measure} was played, and more; settles with the longest stall, in ms. */
function play(): Promise<number> {
  return vi.waitFor(
    async () => {
      const { stallMs, playedS, bufferedS, figures } = await page.evaluate(() => ({
        ...(window as unknown as { measured: Measured }).measured,
        figures: JSON.stringify({ ...Reflect.get(window, 'sluice') }),
      }));
      expect(playedS, figures).toBeGreaterThanOrEqual(bufferedS + PLAY_S);
      return Math.round(stallMs);
    },
    { timeout: PLAY_MS_MAX, interval: 100 },
  );
}

/** Nothing went wrong on the page, as far as it goes by itself. */
async function isWell(): Promise<void> {
  await vi.waitFor(async () => {
    const figures = await page.evaluate(() => ({ ...Reflect.get(window, 'sluice') }));
    expect(figures).toMatchObject({ phase: 'playing', protocol: 'LL-HLS', fatalErrors: 0 });
  }, WAIT);
  expect(complaints).toEqual([]);
}

/** From which node another one pulls the stream. */
const upstreamOf = ({ server }: TestNode): unknown => server.log.findLast(({ code }) => code === 'cluster.pull')?.['upstream'];
/** The edge that pulls the stream into the region, as all others see it. */
const regionalOrigin = (): Promise<TestNode> =>
  vi.waitFor(() => {
    const [regional, ...more] = edges.filter((edge) => upstreamOf(edge) === origins[0].id);
    expect(more).toEqual([]);
    expect(regional).toBeDefined();
    for (const edge of edges) expect([origins[0].id, regional?.id]).toContain(upstreamOf(edge));
    return regional as TestNode;
  }, WAIT);

describe('Chromium by LL-HLS at a node that is left', () => {
  it(
    'goes over to one of the edges that it is sent on to, and stays there',
    async () => {
      const left = await RoundRobin.open(edges.map(({ server }) => server.httpUrl));
      const viewer = await browser.newPage({ viewport: { width: 960, height: 540 } });
      try {
        await viewer.goto(`${left.httpUrl}/watch/live/show?transport=hls`);
        const playedS = (): Promise<number> => viewer.evaluate(() => document.querySelector('video')?.currentTime ?? 0);
        const plays = async (seconds: number): Promise<void> => {
          const from = await playedS();
          await vi.waitFor(async () => expect(await playedS()).toBeGreaterThan(from + seconds), WAIT);
        };
        await plays(1);
        const asked: string[] = [];
        viewer.on('request', (request) => {
          if (request.url().includes('/media.m3u8')) asked.push(new URL(request.url()).origin);
        });
        left.isLeft = true;
        await plays(5);
        const elsewhere = asked.filter((origin) => origin !== left.httpUrl);
        expect(elsewhere.length).toBeGreaterThan(5);
        expect(new Set(elsewhere).size, asked.join('\n')).toBe(1);
      } finally {
        await viewer.close();
        left.close();
      }
    },
    PATIENCE_MS,
  );
});

describe('Chromium by LL-HLS at a load balancer that asks another edge each time', () => {
  it(
    'plays on without a stall when one of the edges is killed',
    async () => {
      const regional = await regionalOrigin();
      await measure();
      await kill(edges.find((edge) => edge !== regional) as TestNode);
      const stall = await play();
      console.log(`by LL-HLS over ${EDGES} edges the picture stood still for at most ${stall} ms when one of them was killed`);
      await isWell();
      expect(stall).toBeLessThan(STALL_MS_MAX);
      for (const { server } of edges) expect(balancer.answered.get(server.httpUrl)).toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );

  it(
    'plays on without a stall when the regional origin is killed',
    async () => {
      const regional = await regionalOrigin();
      await measure();
      await kill(regional);
      const stall = await play();
      console.log(`by LL-HLS the picture stood still for at most ${stall} ms when the regional origin was killed`);
      expect((await regionalOrigin()).id).not.toBe(regional.id);
      await isWell();
      expect(stall).toBeLessThan(STALL_MS_MAX);
    },
    PATIENCE_MS,
  );

  it(
    'plays on when the origin is killed and the publisher comes back to another one',
    async () => {
      await measure();
      await kill(origins[0]);
      const killed = performance.now();
      await publishTo(origins[1]);
      const awayMs = Math.round(performance.now() - killed);
      await vi.waitFor(() => expect(edges.map(upstreamOf)).toContain(origins[1].id), WAIT);
      const stall = await play();
      console.log(`by LL-HLS the picture stood still for at most ${stall} ms when the publisher was away for ${awayMs} ms`);
      await isWell();
    },
    PATIENCE_MS,
  );
});

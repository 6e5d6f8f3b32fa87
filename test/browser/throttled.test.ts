import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { publish } from '../fixtures/ffmpeg-publisher.ts';
import { NetworkPath } from '../fixtures/network-path.ts';
import { gapsOf, measureGaps } from '../fixtures/picture-gaps.ts';
import { ServerProcess } from '../fixtures/server-process.ts';
import { WebrtcPage } from '../fixtures/webrtc-page.ts';

const PATIENCE_MS = 180_000;
const WAIT = { timeout: 60_000, interval: 100 };
/** The source has 800 kbit/s of pictures; the narrow way carries the rung alone. */
const RUNGS = JSON.stringify([{ name: '180p', height: 180, bitrateBps: 150_000, preset: 'ultrafast' }]);
const SOURCE = { encodingId: 'source', height: 360 };
const RUNG = { encodingId: '180p', height: 180 };
const NARROW_BPS = 450_000;
const WIDE_BPS = 20_000_000;
/** What was on its way before the way became narrow comes late or is lost; then a keyframe each second. */
const FREEZE_MS_MAX = 2_000;

let server: ServerProcess;
let browser: Browser;

beforeAll(async () => {
  const environment = { SLUICE_APPS_LIVE_LADDER_TEMPLATE: 'custom', SLUICE_APPS_LIVE_LADDER_RUNGS: RUNGS };
  [server, browser] = await Promise.all([ServerProcess.start({ environment }), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  expect(await server?.close()).toBe(0);
});

/** Publishes until the test ends. */
async function publishAs(name: string, { onTestFinished }: TestContext): Promise<void> {
  const publisher = await publish({ url: `${server.rtmpUrl}/live/${name}`, videoCodec: 'h264' });
  onTestFinished(() => publisher.close());
  await vi.waitFor(async () => {
    const response = await fetch(`${server.httpUrl}/api/v1/streams/live/${name}`);
    const { rungs } = (await response.json()) as { rungs: { name: string; state: string }[] };
    expect(rungs.filter(({ state }) => state !== 'left-out').map((rung) => rung.name)).toEqual(['180p']);
  }, WAIT);
}

interface Watched {
  readonly peer: RTCPeerConnection;
  readonly session: string;
}

const gapMs = async (page: Page): Promise<number> => (await gapsOf(page)).gapMs;

/** Of getStats: the height of the pictures that are decoded. */
const receivedHeight = ({ page }: WebrtcPage): Promise<number> =>
  page.evaluate(async () => {
    const report = await (window as unknown as Watched).peer.getStats();
    const all = Array.from(report.values(), (one: Record<string, unknown>) => one);
    return Number(all.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')?.['frameHeight']);
  });

// Time goes by while the way is probed, not with work: both run at a time.
describe.concurrent('a viewer by WebRTC whose way becomes narrow', () => {
  it(
    'gets the smaller rung at a keyframe, and the source again once there is room for it',
    async (test) => {
      await publishAs('webrtc', test);
      const path = new NetworkPath({ loss: 0, delayMs: 20, seed: 1 });
      test.onTestFinished(() => path.close());
      path.limit(WIDE_BPS);
      const viewer = await WebrtcPage.open(browser, { httpUrl: await path.open(server.httpUrl) });
      test.onTestFinished(() => viewer.close());
      await viewer.play('live/webrtc');
      await viewer.firstPictureMs();
      const session = await viewer.page.evaluate(() => (window as unknown as Watched).session);
      const becomes = ({ encodingId, height }: typeof SOURCE): Promise<void> =>
        vi.waitFor(async () => {
          const layers = (await (await fetch(`${server.httpUrl}${session}/layer`)).json()) as object;
          expect(layers).toMatchObject({ automatic: true, active: encodingId });
          expect(await receivedHeight(viewer)).toBe(height);
        }, WAIT);

      await becomes(SOURCE);
      await viewer.decodeMore(90);
      await measureGaps(viewer.page);
      for (const [bitsPerSecond, layer] of [
        [NARROW_BPS, RUNG],
        [WIDE_BPS, SOURCE],
      ] as const) {
        path.limit(bitsPerSecond);
        await becomes(layer);
        await viewer.decodeMore(60);
        console.log(`by WebRTC at ${layer.height}p the picture stood still for at most ${Math.round(await gapMs(viewer.page))} ms`);
      }
      expect(await gapMs(viewer.page)).toBeLessThanOrEqual(FREEZE_MS_MAX);
      expect(await viewer.connectionState()).toBe('connected');
      expect(viewer.complaints).toEqual([]);
    },
    PATIENCE_MS,
  );
});

describe.concurrent('a viewer by LL-HLS whose way becomes narrow', () => {
  it(
    'gets the smaller rung, and the source again once there is room for it',
    async (test) => {
      await publishAs('hls', test);
      const page = await browser.newPage();
      test.onTestFinished(() => page.close());
      const network = await page.context().newCDPSession(page);
      await network.send('Network.enable');
      const limit = (bitsPerSecond: number): Promise<unknown> =>
        network.send('Network.emulateNetworkConditions', {
          offline: false,
          latency: 20,
          downloadThroughput: bitsPerSecond / 8,
          uploadThroughput: bitsPerSecond / 8,
        });
      await limit(WIDE_BPS);
      await page.goto(`${server.httpUrl}/watch/live/hls?transport=hls`);
      const becomes = ({ height }: typeof SOURCE): Promise<void> =>
        vi.waitFor(async () => {
          expect(await page.evaluate(() => document.querySelector('video')?.videoHeight)).toBe(height);
        }, WAIT);

      await becomes(SOURCE);
      await measureGaps(page);
      for (const [bitsPerSecond, layer] of [
        [NARROW_BPS, RUNG],
        [WIDE_BPS, SOURCE],
      ] as const) {
        await limit(bitsPerSecond);
        await becomes(layer);
        const from = await page.evaluate(() => document.querySelector('video')?.currentTime ?? 0);
        await page.waitForFunction((until) => (document.querySelector('video')?.currentTime ?? 0) >= until, from + 3);
        console.log(`by LL-HLS at ${layer.height}p the picture stood still for at most ${Math.round(await gapMs(page))} ms`);
      }
      expect(await page.evaluate(() => ({ ...Reflect.get(window, 'sluice') }))).toMatchObject({ phase: 'playing', fatalErrors: 0 });
    },
    PATIENCE_MS,
  );
});

import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CLOCK_BAR_HEIGHT, readClockBar } from '../../src/io/demo/mod.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { type FfmpegPublisher, publish } from '../fixtures/ffmpeg-publisher.ts';
import { ServerProcess } from '../fixtures/server-process.ts';

/** Parts held back three times, and what encoder and screen take; ordinary HLS would be above 6 s. docs/benchmarks.md has what was measured. */
const GLASS_TO_GLASS_MS_MAX = 2500;
const WEBRTC_GLASS_TO_GLASS_MS_MAX = 1000;
const PATIENCE_MS = 30_000;

let server: ServerProcess;
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  server = await ServerProcess.start({ demo: true });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  expect(await server?.close()).toBe(0);
});
beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
});
afterEach(() => page.close());

const videoTime = (): Promise<number> => page.evaluate(() => document.querySelector('video')?.currentTime ?? 0);

/** Waits until the picture has run for so many seconds more. */
async function playFor(seconds: number): Promise<void> {
  const from = await videoTime();
  await page.waitForFunction((until) => (document.querySelector('video')?.currentTime ?? 0) >= until, from + seconds, {
    timeout: PATIENCE_MS,
  });
}

/** Milliseconds between the clock drawn into the picture that is on the screen and now; undefined when it cannot be read. */
async function glassToGlassMs(): Promise<number | undefined> {
  const shown = await page.evaluate((height) => {
    const video = document.querySelector('video') as HTMLVideoElement;
    const canvas = new OffscreenCanvas(video.videoWidth, height);
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.drawImage(video, 0, 0);
    const nowMs = Date.now();
    const { data } = context.getImageData(0, height >> 1, video.videoWidth, 1);
    return { nowMs, green: Array.from({ length: video.videoWidth }, (_, x) => data[x * 4 + 1] ?? 0) };
  }, CLOCK_BAR_HEIGHT);
  const clockMs = readClockBar(shown.green.length, (x) => shown.green[x] ?? 0);
  return clockMs === undefined ? undefined : shown.nowMs - clockMs;
}

/** The median of ten looks at the picture; at least five of them must show a readable clock. */
async function medianLatencyMs(by: string): Promise<number> {
  const latencies: number[] = [];
  for (let probe = 0; probe < 10; probe++) {
    await playFor(0.3);
    const latencyMs = await glassToGlassMs();
    if (latencyMs !== undefined) latencies.push(latencyMs);
  }
  latencies.sort((left, right) => left - right);
  expect(latencies.length).toBeGreaterThanOrEqual(5);
  const p50 = latencies[latencies.length >> 1] ?? Number.POSITIVE_INFINITY;
  console.log(`glass to glass by ${by}: p50 ${p50} ms of ${latencies.join(', ')}`);
  return p50;
}

describe('the watch page in Chromium', () => {
  it('plays the demo by WebRTC first, with its AAC sound as Opus, hardly behind live', async () => {
    await page.goto(`${server.httpUrl}/watch/live/demo`);
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0, undefined, { timeout: PATIENCE_MS });
    await playFor(5);
    expect(await medianLatencyMs('WebRTC')).toBeLessThanOrEqual(WEBRTC_GLASS_TO_GLASS_MS_MAX);
    const figures = await page.evaluate(() => ({ ...(window as unknown as { sluice?: object }).sluice }));
    console.log('the player says', JSON.stringify(figures));
    expect(figures).toMatchObject({ phase: 'playing', protocol: 'WebRTC', fatalErrors: 0 });
    expect(complaints).toEqual([]);
    const folder = process.env['SCREENSHOT_FOLDER'];
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: `${folder}/watch-page-webrtc.png` });
    }
  }, 90_000);

  it('plays the demo by LL-HLS when asked to, a few seconds behind live at most', async () => {
    await page.goto(`${server.httpUrl}/watch/live/demo?transport=hls`);
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0, undefined, { timeout: PATIENCE_MS });
    await playFor(8);
    const p50 = await medianLatencyMs('LL-HLS');
    expect(p50).toBeLessThanOrEqual(GLASS_TO_GLASS_MS_MAX);
    const figures = await page.evaluate(() => ({ ...(window as unknown as { sluice?: object }).sluice }));
    console.log('the player says', JSON.stringify(figures));
    expect(figures).toMatchObject({ phase: 'playing', protocol: 'LL-HLS', fatalErrors: 0 });
    expect(complaints).toEqual([]);
    const folder = process.env['SCREENSHOT_FOLDER'];
    if (folder !== undefined) {
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: `${folder}/watch-page.png` });
    }
  }, 90_000);

  it.each([
    ['sound', { videoCodec: 'h264' }],
    ['pictures', { audioCodec: 'aac' }],
  ] as const)(
    'plays a stream without %s by WebRTC',
    async (what, codecs) => {
      const publisher = await publish({ url: `${server.rtmpUrl}/live/without-${what}`, ...codecs });
      try {
        await page.goto(`${server.httpUrl}/watch/live/without-${what}`);
        await playFor(3);
        const figures = await page.evaluate(() => ({ ...(window as unknown as { sluice?: object }).sluice }));
        expect(figures).toMatchObject({ phase: 'playing', protocol: 'WebRTC', fatalErrors: 0 });
        expect(complaints).toEqual([]);
      } finally {
        await publisher.close();
      }
    },
    90_000,
  );

  it.each([
    ['a stream', { videoCodec: 'h264', audioCodec: 'aac' }],
    // Its tracks are known a second after it has begun, when no sound came.
    ['a stream without sound and with B-frames', { videoCodec: 'h264', bFrames: 2 }],
  ] as const)(
    'waits for %s that is not there and shows it by itself when it starts, by WebRTC',
    async (what, codecs) => {
      const name = what.replaceAll(' ', '-');
      await page.goto(`${server.httpUrl}/watch/live/${name}`);
      await page.waitForFunction(() => (window as unknown as { sluice?: { phase: string } }).sluice?.phase === 'waiting', undefined, {
        timeout: PATIENCE_MS,
      });
      let publisher: FfmpegPublisher | undefined;
      try {
        publisher = await publish({ url: `${server.rtmpUrl}/live/${name}`, ...codecs });
        await playFor(2);
        const figures = await page.evaluate(() => ({ ...(window as unknown as { sluice?: object }).sluice }));
        expect(figures).toMatchObject({ phase: 'playing', protocol: 'WebRTC' });
      } finally {
        await publisher?.close();
      }
      expect(complaints).toEqual([]);
    },
    90_000,
  );

  it('goes on by LL-HLS with the next publication of a stream that has ended', async () => {
    const url = `${server.rtmpUrl}/live/anew`;
    const codecs = { videoCodec: 'h264', audioCodec: 'aac' } as const;
    let publisher = await publish({ url, ...codecs });
    try {
      await page.goto(`${server.httpUrl}/watch/live/anew?transport=hls`);
      await playFor(3);
      await page.evaluate(() => {
        const phases = new Set<string>();
        setInterval(() => phases.add((window as unknown as { sluice: { phase: string } }).sluice.phase), 20);
        Object.assign(window, { phases });
      });
      await publisher.close();
      publisher = await publish({ url, ...codecs });
      const phases = (): Promise<string[]> => page.evaluate(() => [...(Reflect.get(window, 'phases') as Set<string>)]);
      await expect.poll(phases, { timeout: PATIENCE_MS, interval: 50 }).toContain('starting');
      await playFor(1);
      // Nothing was wrong: it was told that there is another one.
      expect(await phases()).not.toContain('recovering');
      expect(complaints).toEqual([]);
    } finally {
      await publisher.close();
    }
  }, 90_000);
});

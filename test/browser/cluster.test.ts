import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { type FfmpegPublisher, publish } from '../fixtures/ffmpeg-publisher.ts';
import { TestCluster, type TestNode } from '../fixtures/test-cluster.ts';
import { WebrtcPage } from '../fixtures/webrtc-page.ts';

const WAIT = { timeout: 20_000, interval: 100 };
const PATIENCE_MS = 90_000;
const TRANSCODED = { SLUICE_TRANSCODE_ENABLED: 'true' };

let cluster: TestCluster;
let origins: TestNode[];
let edge: TestNode;
let browser: Browser;
const pages: WebrtcPage[] = [];
const publishers: FfmpegPublisher[] = [];

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu' });
  origins = [
    await cluster.join({ roles: ['origin'], region: 'eu', environment: TRANSCODED }),
    await cluster.join({ roles: ['origin'], region: 'eu', environment: TRANSCODED }),
  ];
  edge = await cluster.join({ roles: ['edge'], region: 'us' });
  browser = await launchBrowser();
});
afterEach(async () => {
  await Promise.all([...pages.splice(0).map((page) => page.close()), ...publishers.splice(0).map((one) => one.close())]);
});
afterAll(async () => {
  await browser?.close();
  expect((await cluster?.close())?.filter((code) => code !== 0 && code !== null)).toEqual([]);
});

async function publishTo(node: TestNode | undefined, name: string): Promise<void> {
  const url = `${node?.server.rtmpUrl}/live/${name}`;
  publishers.push(await publish({ url, videoCodec: 'h264', audioCodec: 'aac', bFrames: 2 }));
}

/** Watches on the edge by WebRTC. */
async function watch(name: string): Promise<WebrtcPage> {
  const page = await WebrtcPage.open(browser, edge.server);
  pages.push(page);
  await vi.waitFor(() => page.play(`live/${name}`), WAIT);
  return page;
}

describe('Chromium at an edge of another region', () => {
  it(
    'watches by WebRTC, with sound, what OBS sends to an origin, in renditions that the origin makes for it',
    async () => {
      await publishTo(origins[0], 'obs');
      const viewer = await watch('obs');
      await viewer.decodeMore(60);
      await viewer.hear(50);
      expect((await viewer.stats('inbound-rtp', 'video'))[0]).toMatchObject({ codec: 'video/H264', packetsLost: 0 });
      expect((await viewer.stats('inbound-rtp', 'audio'))[0]).toMatchObject({ codec: 'audio/opus', packetsLost: 0 });
    },
    PATIENCE_MS,
  );

  it(
    'stays connected and plays on when the origin is killed and the publisher comes back to another one',
    async () => {
      const doomed = await cluster.join({ roles: ['origin'], region: 'eu', environment: TRANSCODED });
      await publishTo(doomed, 'moved');
      const viewer = await watch('moved');
      await viewer.decodeMore(30);
      await doomed.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(doomed), 1);
      await publishTo(origins[1], 'moved');
      const began = performance.now();
      await viewer.decodeMore(30);
      console.log(`a WebRTC viewer plays on ${Math.round(performance.now() - began)} ms after the publisher came back`);
      const [sound] = await viewer.stats('inbound-rtp', 'audio');
      await viewer.hear((sound?.packetsReceived ?? 0) + 50);
      expect(await viewer.connectionState()).toBe('connected');
    },
    PATIENCE_MS,
  );
});

import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { gapsOf, measureGaps } from '../fixtures/picture-gaps.ts';
import { ServerProcess } from '../fixtures/server-process.ts';
import { WebrtcPage } from '../fixtures/webrtc-page.ts';

const WAIT = { timeout: 15_000, interval: 100 };
const PATIENCE_MS = 60_000;
/** As the page that publishes simulcast makes them. */
const [SOURCE, SMALL] = [
  { encodingId: 'source', width: 960, height: 540 },
  { encodingId: 'l', width: 240, height: 134 },
];
const FREEZE_MS_MAX = 1_000;

let server: ServerProcess;
let browser: Browser;
const pages: WebrtcPage[] = [];

beforeAll(async () => {
  // Renditions are the publisher's alone.
  const environment = { SLUICE_TRANSCODE_ENABLED: 'false' };
  [server, browser] = await Promise.all([ServerProcess.start({ environment }), launchBrowser()]);
  await publishSimulcast();
});
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.close()));
});
afterAll(async () => {
  await browser?.close();
  expect(await server?.close()).toBe(0);
});

async function open(): Promise<WebrtcPage> {
  const page = await WebrtcPage.open(browser, server);
  pages.push(page);
  return page;
}

/** For as long as the browser is there. */
async function publishSimulcast(): Promise<void> {
  const source = await WebrtcPage.open(browser, server);
  await source.publish('live/show', { simulcast: true });
  await vi.waitFor(async () => {
    const response = await fetch(`${server.httpUrl}/api/v1/streams/live/show`);
    expect(response.status).toBe(200);
    expect([...((await response.json()) as { renditions: string[] }).renditions].sort()).toEqual(['l', 'm', 'source']);
  }, WAIT);
}

interface LayerState {
  readonly active: string;
  readonly automatic: boolean;
  readonly reason: string;
  readonly layers: readonly { readonly encodingId: string; readonly bitrate: number; readonly active: boolean }[];
}

/** Asks for a session's layers, or with a wish chooses one. */
async function layersOf(session: string, wish?: object): Promise<LayerState> {
  const headers = { 'content-type': 'application/json' };
  const post = wish === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(wish) };
  const response = await fetch(`${server.httpUrl}${session}/layer`, post);
  expect(response.status).toBe(200);
  return (await response.json()) as LayerState;
}

interface Watched {
  readonly peer: RTCPeerConnection;
  readonly session: string;
}

/** Of getStats: the pictures' width, and which stream of packets they come from. */
const pictures = (viewer: WebrtcPage): Promise<{ width: number; ssrc: number; lost: number }> =>
  viewer.page.evaluate(async () => {
    const report = await (window as unknown as Watched).peer.getStats();
    const all = Array.from(report.values(), (one: Record<string, unknown>) => one);
    const { frameWidth, ssrc, packetsLost } = all.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video') ?? {};
    return { width: Number(frameWidth), ssrc: Number(ssrc), lost: Number(packetsLost) };
  });

const becomesWide = (viewer: WebrtcPage, width: number): Promise<void> =>
  vi.waitFor(async () => expect((await pictures(viewer)).width).toBe(width), WAIT);

describe('a viewer by WebRTC of a stream with renditions', () => {
  it(
    'gets the layer that it asks for, and the first one again, without a freeze and over the same connection',
    async () => {
      const viewer = await open();
      await viewer.play('live/show');
      await viewer.firstPictureMs();
      const session = await viewer.page.evaluate(() => (window as unknown as Watched).session);
      const told = await layersOf(session);
      expect(told).toMatchObject({ automatic: true, layers: [SOURCE, { encodingId: 'm', width: 480 }, SMALL] });
      expect(told.layers.filter(({ active }) => active).map(({ encodingId }) => encodingId)).toEqual([told.active]);
      for (const { bitrate } of told.layers) expect(bitrate).toBeGreaterThan(0);

      // From a known place, however much the connection is thought to carry.
      await layersOf(session, { encodingId: 'source' });
      await becomesWide(viewer, SOURCE.width);
      const { ssrc } = await pictures(viewer);
      await measureGaps(viewer.page);
      for (const { encodingId, width } of [SMALL, SOURCE]) {
        expect(await layersOf(session, { mediaId: '0', encodingId })).toMatchObject({ automatic: false, reason: 'pinned' });
        await becomesWide(viewer, width);
        expect(await layersOf(session)).toMatchObject({ active: encodingId, automatic: false, reason: 'pinned' });
        await viewer.decodeMore(30);
      }
      const [after, { gapMs }] = await Promise.all([pictures(viewer), gapsOf(viewer.page)]);
      console.log(`the picture stood still for at most ${Math.round(gapMs)} ms while layers were changed`);
      expect(after).toMatchObject({ ssrc, lost: 0 });
      expect(gapMs).toBeLessThanOrEqual(FREEZE_MS_MAX);
      expect(await viewer.connectionState()).toBe('connected');
      expect(await layersOf(session, {})).toMatchObject({ automatic: true });

      const unknown = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"encodingId":"h"}' };
      expect((await fetch(`${server.httpUrl}${session}/layer`, unknown)).status).toBe(422);
      expect(viewer.complaints).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    "chooses in the watch page's menu",
    async () => {
      const page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
      try {
        await page.goto(`${server.httpUrl}/watch/live/show?transport=webrtc`);
        const menu = page.getByRole('combobox', { name: 'Quality' });
        await menu.locator('option', { hasText: 'l (134p)' }).waitFor({ state: 'attached' });
        await menu.selectOption({ label: 'l (134p)' });
        await page.waitForFunction(() => Reflect.get(window, 'sluice').width === 240, undefined, WAIT);
        await page.waitForFunction(() => Reflect.get(window, 'sluice').qualityReason === 'your choice', undefined, WAIT);
        // The picture is there first, and then the server is asked what it sends.
        await page.waitForFunction(() => Reflect.get(window, 'sluice').quality === 'l (134p)', undefined, WAIT);
        await page.keyboard.press('i');
        await page.getByText('l (134p): your choice').waitFor();
        await menu.selectOption({ label: 'Source (540p)' });
        await page.waitForFunction(() => Reflect.get(window, 'sluice').width === 960, undefined, WAIT);
        await menu.selectOption('-1');
        await page.waitForFunction(() => !String(Reflect.get(window, 'sluice').qualityReason).includes('choice'), undefined, WAIT);
        expect(await page.evaluate(() => Reflect.get(window, 'sluice').phase)).toBe('playing');
      } finally {
        await page.close();
      }
    },
    PATIENCE_MS,
  );
});

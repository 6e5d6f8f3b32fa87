import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { type FfmpegPublisher, publish } from '../fixtures/ffmpeg-publisher.ts';
import { gapsOf, measureGaps } from '../fixtures/picture-gaps.ts';
import { TestCluster, type TestNode } from '../fixtures/test-cluster.ts';

const WAIT = { timeout: 30_000, interval: 100 };
const PATIENCE_MS = 90_000;
/** A picture that stands still for so long is seen. */
const GAP_MS_MAX = 1_000;

let cluster: TestCluster;
let first: TestNode;
let second: TestNode;
let publisher: FfmpegPublisher;
let browser: Browser;

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu' });
  const edge = { roles: ['edge'], region: 'eu' };
  const origin = cluster.join({ roles: ['origin'], region: 'eu' });
  [first, second, browser] = await Promise.all([cluster.join(edge), cluster.join(edge), launchBrowser(), origin]);
  publisher = await publish({ url: `${(await origin).server.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'opus' });
});
afterAll(async () => {
  await browser?.close();
  await publisher?.close();
  expect(await cluster?.close()).toEqual([0, 0, 0, 0]);
});

async function change(node: TestNode, status: object): Promise<void> {
  const { httpUrl, adminKey } = cluster.manager.server;
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const response = await fetch(`${httpUrl}/api/v1/nodes/${node.id}`, { method: 'PATCH', headers, body: JSON.stringify(status) });
  expect(response.status).toBe(200);
}

/** Until all nodes see it so. */
const isSeen = (node: TestNode, status: string): Promise<void> =>
  vi.waitFor(async () => {
    for (const one of [cluster.manager, first, second])
      expect((await cluster.nodesBy(one)).find(({ id }) => id === node.id)?.status).toBe(status);
  }, WAIT);

async function viewers(node: TestNode, protocol: string): Promise<number> {
  const response = await fetch(`${node.server.httpUrl}/api/v1/streams/live/show`);
  if (response.status !== 200) return 0;
  const { places } = (await response.json()) as { places: { node: string; viewers: { byProtocol: Record<string, number> } }[] };
  return places.find((place) => place.node === node.id)?.viewers.byProtocol[protocol] ?? 0;
}

/** A watch page of the manager, which sends its viewers to edges; `complaints` are errors on it. */
async function watch(transport: string): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width: 960, height: 540 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && message.text().includes('Security Policy')) complaints.push(message.text());
  });
  await page.goto(`${cluster.manager.server.httpUrl}/watch/live/show?transport=${transport}`);
  await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 1, undefined, { timeout: WAIT.timeout });
  await measureGaps(page);
  return { page, complaints };
}

async function playsOn(page: Page): Promise<void> {
  const { pictures } = await gapsOf(page);
  await vi.waitFor(async () => expect((await gapsOf(page)).pictures).toBeGreaterThan(pictures + 60), WAIT);
}

describe('the watch page of a node that sends viewers on', () => {
  it.each([
    ['webrtc', 'webrtc'],
    ['hls', 'hls'],
  ])(
    'plays by %s from an edge, and goes over to another one without a stop when that drains',
    async (transport, protocol) => {
      await change(second, { status: 'draining' });
      await isSeen(second, 'draining');
      const { page, complaints } = await watch(transport);
      await vi.waitFor(async () => expect(await viewers(first, protocol)).toBe(1), WAIT);
      await change(second, { status: 'active' });
      await isSeen(second, 'active');
      await playsOn(page);
      await change(first, { status: 'draining' });
      await vi.waitFor(async () => expect([await viewers(first, protocol), await viewers(second, protocol)]).toEqual([0, 1]), WAIT);
      await playsOn(page);
      const { gapMs } = await gapsOf(page);
      console.log(`longest gap in the picture while the edge was left, by ${transport}: ${Math.round(gapMs)} ms`);
      expect(gapMs).toBeLessThan(GAP_MS_MAX);
      expect(complaints).toEqual([]);
      await page.close();
      await change(first, { status: 'active' });
      await isSeen(first, 'active');
    },
    PATIENCE_MS,
  );
});

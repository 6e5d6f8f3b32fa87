import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { isRefusalForNow, painted } from '../fixtures/console-page.ts';
import { type FfmpegPublisher, publish } from '../fixtures/ffmpeg-publisher.ts';
import { ServerProcess } from '../fixtures/server-process.ts';
import { TestCluster, type TestNode } from '../fixtures/test-cluster.ts';

const SITE = join(import.meta.dirname, '../../dist/console');
const IMAGES = process.env['SLUICE_SCREENSHOTS'];
const BUNDLE_BYTES_MAX = 250_000;
const WAIT_MS = 20_000;
const CHART_MS = 20_000;
const VIEWPORT = { width: 1280, height: 860 };

let cluster: TestCluster;
let origin: TestNode;
let edge: TestNode;
let doomed: TestNode;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let publisher: FfmpegPublisher;
/** What the browser said against the page: errors, and what the policy forbade. */
const complaints: string[] = [];

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager', 'origin'], region: 'eu' });
  [origin, edge, doomed] = await Promise.all([
    cluster.join({ roles: ['origin'], region: 'eu' }),
    cluster.join({ roles: ['edge'], region: 'us' }),
    cluster.join({ roles: ['edge'], region: 'us' }),
  ]);
  browser = await launchBrowser();
  context = await browser.newContext({ viewport: VIEWPORT, colorScheme: 'light' });
  page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' && !isRefusalForNow(message)) complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
});
afterAll(async () => {
  await publisher?.close();
  await browser?.close();
  await cluster?.close();
});

const open = (path: string, node = cluster.manager): Promise<unknown> => page.goto(node.server.httpUrl + path);
const heading = (name: string): Promise<void> => page.getByRole('heading', { level: 1, name, exact: true }).waitFor({ timeout: WAIT_MS });
const seen = (text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor({ timeout: WAIT_MS });
const card = (node: TestNode) => page.locator('.node', { hasText: node.id });

/** Watches a stream on a node until the answer is called. */
async function watchOn(node: TestNode, path: string): Promise<() => Promise<void>> {
  const watching = new AbortController();
  const viewer = await fetch(`${node.server.httpUrl}/${path}.flv`, { signal: watching.signal });
  expect(viewer.status).toBe(200);
  const read = (async () => {
    for await (const _chunk of viewer.body as unknown as AsyncIterable<Uint8Array>);
  })().catch(() => undefined);
  return () => {
    watching.abort();
    return read;
  };
}

/** With a folder for them, takes the documents' pictures; those with charts when there is something on these. */
async function shoot(name: string, afterMs = 0): Promise<void> {
  if (IMAGES === undefined) return;
  await page.waitForTimeout(afterMs);
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: join(IMAGES, `${name}.png`) });
}

/** Axe finds nothing serious and no two parts of one name, in both themes, and nothing sticks out on a phone. */
async function isSound(of = page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await of.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await painted(of);
    const axe = new AxeBuilder({ page: of });
    // Only colours are others in the dark.
    const { violations } = await (colorScheme === 'dark' ? axe.withRules(['color-contrast']) : axe).analyze();
    const bad = violations.filter(({ id, impact }) => impact === 'serious' || impact === 'critical' || id === 'landmark-unique');
    expect(bad.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)).toEqual([]);
  }
  await of.emulateMedia({ colorScheme: 'light' });
  await of.setViewportSize({ width: 375, height: 720 });
  expect(await of.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375);
  await of.setViewportSize(VIEWPORT);
}

describe('the console of a cluster', () => {
  it('loads at most 250 kB for its first view', () => {
    const html = readFileSync(join(SITE, 'index.html'), 'utf8');
    const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map((match) => match[1] as string);
    const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(SITE, file))).length, gzipSync(html).length);
    console.log(`first view of the console: ${Math.round(bytes / 1000)} kB gzipped in ${files.length} files`);
    expect(files.length).toBeGreaterThan(1);
    expect(bytes).toBeLessThanOrEqual(BUNDLE_BYTES_MAX);
  });

  it('signs in with a key, which it keeps nowhere, and every node takes the session', async () => {
    await open('/console/sign-in');
    await heading('Sign in');
    await isSound();
    await page.getByLabel('API key').fill('sk_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await seen(/no API key is like the one given/);
    await page.getByLabel('API key').fill(cluster.manager.server.adminKey);
    await page.keyboard.press('Enter');
    await heading('Overview');
    await seen('Administrator');
    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie, document.body.innerHTML]));
    expect(kept).not.toContain(cluster.manager.server.adminKey);
    expect(kept).not.toContain('sluice-session');
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ name: 'sluice-session', httpOnly: true, sameSite: 'Strict' });
    await open('/', edge);
    await seen('Administrator');
  });

  it('shows a stream within a second or so of its publication, who watches it, and the way it goes', async () => {
    await open('/');
    await heading('Overview');
    await seen('No alarms.');
    await page.getByRole('link', { name: 'Streams', exact: true }).click();
    await seen('Nobody publishes now.');
    publisher = await publish({ url: `${origin.server.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac' });
    const began = performance.now();
    await page.getByRole('link', { name: 'live/show' }).waitFor({ timeout: WAIT_MS });
    console.log(`a stream was on the page ${Math.round(performance.now() - began)} ms after it was published`);
    await isSound();
    const leave = await watchOn(edge, 'live/show');
    await page.getByRole('link', { name: 'live/show' }).click();
    await heading('live/show');
    await seen('1 viewer ');
    await page.locator('.way', { hasText: edge.id }).waitFor({ timeout: WAIT_MS });
    expect(await page.locator('.way', { hasText: edge.id }).textContent()).toContain(origin.id);
    await isSound();
    await page.getByRole('link', { name: 'Topology' }).click();
    await page.locator('.relay.busy').waitFor({ timeout: WAIT_MS, state: 'attached' });
    await isSound();
    await shoot('console-topology');
    await open('/');
    await seen('WebRTC 0 · HLS 0 · FLV 1 · RTMP 0');
    await isSound();
    await shoot('console-overview', CHART_MS);
    await leave();
  }, 60_000);

  it('has a page of each node, with what it is to which stream, and what may be done with it', async () => {
    const leave = await watchOn(edge, 'live/show');
    const region = (name: string) => page.getByRole('region', { name, exact: true });
    await page.getByRole('link', { name: 'Nodes', exact: true }).click();
    await card(edge).getByRole('link', { name: edge.id }).click();
    await heading(edge.id);
    const row = region('Streams of this node').getByRole('row', { name: 'live/show' });
    await row.getByText('regional origin').waitFor({ timeout: WAIT_MS });
    await row.getByRole('link', { name: origin.id }).waitFor({ timeout: WAIT_MS });
    await region('Relays').getByRole('row', { name: 'live/show' }).first().waitFor({ timeout: WAIT_MS });
    await seen('flv 1 · rtmp 0 · hls 0 · webrtc 0');
    await seen('since its process began');
    for (const name of ['CPU', 'Memory', 'Network in', 'Viewers', 'Event loop'])
      await page.locator('.meter-row', { hasText: name }).waitFor();
    expect(await page.locator('.chart canvas').count()).toBe(6);
    await isSound();
    await shoot('console-node', CHART_MS);
    // From the page of the stream, and by the keyboard from the picture of the cluster.
    await row.getByRole('link', { name: 'live/show' }).click();
    await page.locator('.way').getByRole('link', { name: edge.id }).click();
    await heading(edge.id);
    await page.getByRole('link', { name: 'Topology' }).click();
    await page.locator('.topology').getByRole('link', { name: origin.id }).focus();
    await page.keyboard.press('Enter');
    await heading(origin.id);
    await region('Streams of this node').getByRole('row', { name: 'live/show origin publisher' }).waitFor({ timeout: WAIT_MS });
    await page.getByRole('button', { name: `Disable ${origin.id}` }).click();
    await page.getByRole('dialog').getByText('1 stream').waitFor();
    await isSound();
    await page.keyboard.press('Escape');
    await leave();
  }, 60_000);

  it('disables a node, says who did it, and activates it again', async () => {
    await open(`/console/nodes/${doomed.id}`);
    await page.getByRole('button', { name: `Disable ${doomed.id}` }).click();
    await page.getByRole('dialog').getByText('nobody').waitFor({ timeout: WAIT_MS });
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await page.locator('.page-title .badge', { hasText: 'disabled' }).waitFor({ timeout: WAIT_MS });
    await seen(/^since .*, by somebody who was signed in with key:[0-9a-f]+/);
    await page.getByRole('region', { name: 'Events' }).getByText('node.changed').first().waitFor({ timeout: WAIT_MS });
    await page.getByRole('button', { name: `Activate ${doomed.id}` }).click();
    await page.locator('.page-title .badge.active').waitFor({ timeout: WAIT_MS });
    await open('/console/nodes/nobody');
    await seen('No node of this cluster has this id.');
    await isSound();
  }, 60_000);

  it.each([
    ['Transcoding', '/console/transcoding'],
    ['Sources and targets', '/console/sources'],
  ])('has nothing to complain of on %s', async (name, path) => {
    await open(path);
    await heading(name);
    await isSound();
  });

  it('drains a node when asked twice, and says who is left', async () => {
    await page.getByRole('link', { name: 'Nodes', exact: true }).click();
    await page.getByRole('button', { name: `Drain ${edge.id}` }).click();
    await page.getByRole('dialog').getByLabel('It may take').selectOption('');
    await isSound();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await card(edge).locator('.badge').textContent()).toBe('active');
    await page.getByRole('button', { name: `Drain ${edge.id}` }).click();
    await page.getByRole('dialog').getByLabel('It may take').selectOption('');
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await card(edge).getByText('Draining:').waitFor({ timeout: WAIT_MS });
    await shoot('console-nodes');
    await page.getByRole('button', { name: `Activate ${edge.id}` }).click();
    await card(edge).locator('.badge.active').waitFor({ timeout: WAIT_MS });
  }, 60_000);

  it('raises an alarm when a node is killed, and lets it be removed', async () => {
    await doomed.server.kill();
    cluster.nodes.splice(cluster.nodes.indexOf(doomed), 1);
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.locator('.alarms', { hasText: doomed.id }).waitFor({ timeout: WAIT_MS });
    await page.locator('.alarms').getByRole('link', { name: doomed.id }).click();
    await heading(doomed.id);
    await page.locator('.page-title .badge.stale').waitFor({ timeout: WAIT_MS });
    await page.locator('.alarms', { hasText: 'Node is stale' }).waitFor({ timeout: WAIT_MS });
    await page.getByRole('link', { name: 'Nodes', exact: true }).click();
    await card(doomed).locator('.badge.stale').waitFor({ timeout: WAIT_MS });
    await page.getByRole('button', { name: `Remove ${doomed.id}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove for good' }).click();
    await card(doomed).waitFor({ state: 'detached', timeout: WAIT_MS });
  }, 60_000);

  it('shows visitors from elsewhere who is live, and asks the others for a key where that is not for everybody', async () => {
    const elsewhere = await browser.newContext({ viewport: VIEWPORT, extraHTTPHeaders: { 'x-forwarded-for': '192.0.2.1' } });
    const visit = await elsewhere.newPage();
    await visit.goto(origin.server.httpUrl);
    await visit.getByRole('heading', { level: 1, name: 'Live streams' }).waitFor({ timeout: WAIT_MS });
    await visit.locator('.card', { hasText: 'show' }).waitFor({ timeout: WAIT_MS });
    await isSound(visit);
    await visit.goto(`${origin.server.httpUrl}/console/nodes`);
    await visit.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor({ timeout: WAIT_MS });
    await elsewhere.close();
  });

  it('ends a stream on another node', async () => {
    await open('/console/streams/live/show');
    await page.getByRole('button', { name: 'End stream' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End the stream' }).click();
    await seen('Nobody publishes this stream now.');
  });

  it('signs out, and did nothing that its own policy forbids', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await seen('Read only: on this machine');
    expect(await context.cookies()).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

describe('the console of a node on its own', () => {
  it('shows its streams, and says of the rest what a cluster would be', async () => {
    const server = await ServerProcess.start({ environment: { SLUICE_TRANSCODE_ENABLED: 'false' } });
    try {
      const alone = await publish({ url: `${server.rtmpUrl}/live/alone`, videoCodec: 'h264' });
      await page.goto(server.httpUrl);
      await seen('Read only: on this machine');
      await page.getByRole('link', { name: 'Streams', exact: true }).click();
      await page.getByRole('link', { name: 'live/alone' }).click();
      await page.locator('.way').waitFor({ timeout: WAIT_MS });
      expect(await page.getByRole('button', { name: 'End stream' }).count()).toBe(0);
      for (const name of ['Nodes', 'Topology']) {
        await page.getByRole('link', { name, exact: true }).click();
        await heading(name);
        await seen('This node is on its own');
      }
      await isSound();
      await alone.close();
    } finally {
      // A page that is left open complains of the server that is gone.
      await page.goto('about:blank');
      await server.close();
    }
    expect(complaints).toEqual([]);
  });
});

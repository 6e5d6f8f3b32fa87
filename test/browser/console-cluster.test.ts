import { readFile } from 'node:fs/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HookReceiver } from '../../src/io/webhooks/hook-receiver.fixture.ts';
import { launchBrowser } from '../fixtures/browser.ts';
import { ConsolePage } from '../fixtures/console-page.ts';
import { DevCluster, type DevNode } from '../fixtures/dev-cluster.ts';
import { type FfmpegPublisher, publish } from '../fixtures/ffmpeg-publisher.ts';

const TEST_MS = 120_000;
/** For what takes a heartbeat, an encoder's start, or a viewer's way to another node. */
const WAIT = { timeout: 60_000, interval: 200 };

let cluster: DevCluster;
/** Of both regions: one that has no room left may send who comes to the other one. */
let edges: DevNode[];
let browser: Browser;
let shown: ConsolePage;
/** Where somebody watches all the while. */
let watch: Page;
let hooks: HookReceiver;
let key: string;
const publishers: FfmpegPublisher[] = [];

beforeAll(async () => {
  hooks = await HookReceiver.start();
  cluster = await DevCluster.start({ SLUICE_ACCESS_ALLOWED_NETWORKS: '127.0.0.1' });
  edges = ['eu-edge', 'us-edge-1', 'us-edge-2'].map((name) => cluster.node(name));
  browser = await launchBrowser();
  shown = await ConsolePage.open(browser);
}, TEST_MS);
afterAll(async () => {
  for (const publisher of publishers) await publisher.close();
  await browser?.close();
  await cluster?.close();
  await hooks?.close();
}, TEST_MS);

const base = (): string => cluster.node('eu-manager').httpUrl;
const open = (path: string): Promise<void> => shown.go(base() + path);
const link = (name: string): Locator => shown.page.getByRole('link', { name, exact: true });
const card = ({ id }: DevNode): Locator => shown.page.locator('.node', { hasText: id });
const has = (locator: Locator): Promise<void> => locator.first().waitFor({ timeout: WAIT.timeout });
const publishAs = (name: string, withKey: string, size: [number, number] = [160, 90]): Promise<FfmpegPublisher> =>
  publish({ url: `${cluster.rtmpUrl}/news/${name}?key=${withKey}`, videoCodec: 'h264', size });

/** The picture goes on, by whichever protocol the page has chosen. */
async function plays(): Promise<void> {
  const playedS = (): Promise<number> => watch.evaluate(() => document.querySelector('video')?.currentTime ?? 0);
  let last = await playedS();
  let steps = 0;
  const stepped = async (): Promise<number> => {
    const now = await playedS();
    if (now > last) steps++;
    last = now;
    return steps;
  };
  await expect.poll(stepped, WAIT).toBeGreaterThan(5);
}

/** The edges that the watch page has the stream from. */
async function watchedOn(): Promise<readonly DevNode[]> {
  const { places } = (await cluster.ask(cluster.node('eu-manager'), 'streams/news/studio')) as {
    places: { node: string; viewers: { byProtocol: { webrtc?: number; hls?: number } } }[];
  };
  const watched = places.filter(({ viewers: { byProtocol } }) => (byProtocol.webrtc ?? 0) + (byProtocol.hls ?? 0) > 0);
  return edges.filter(({ id }) => watched.some(({ node }) => node === id));
}

describe('the console of `sluice dev` at work', () => {
  it(
    'is signed in to, has a key made, and shows what is published with it by itself',
    async () => {
      await shown.signIn(base(), cluster.adminKey);
      await link('Apps').click();
      await shown.button('Make an app').click();
      await shown.dialog.getByLabel('Name').fill('news');
      await shown.button('Make the app').click();
      await shown.heading('news');
      await shown.button('Make a key').click();
      await shown.button('Make the key').click();
      await shown.seen('The new stream key');
      key = await shown.copied('Stream key');
      await shown.button('Done').click();
      await link('Streams').click();
      await shown.seen('Nobody publishes now.');
      await shown.page.evaluate(() => Object.assign(window, { isSamePage: true }));
      publishers.push(await publishAs('studio', key, [640, 360]));
      await has(link('news/studio'));
      expect(await shown.page.evaluate(() => Reflect.get(window, 'isSamePage'))).toBe(true);
      await link('news/studio').click();
      await shown.heading('news/studio');
    },
    TEST_MS,
  );

  it(
    'leads to the watch page, and counts who watches',
    async () => {
      const path = await link('Watch').getAttribute('href');
      watch = await (await browser.newContext({ viewport: { width: 960, height: 540 } })).newPage();
      await watch.goto(cluster.node('us-manager').httpUrl + path);
      await plays();
      await has(shown.page.getByRole('region', { name: 'Viewers by protocol' }).getByRole('row', { name: /^(webrtc|hls) 1/ }));
    },
    TEST_MS,
  );

  it(
    'drains a node, and says who is left on it',
    async () => {
      // A page that has looked at one protocol and then chosen the other counts for both at first.
      await expect.poll(async () => (await watchedOn()).length, WAIT).toBe(1);
      const [left] = (await watchedOn()) as [DevNode];
      const staying = new AbortController();
      // One who stays to the end, beside one who goes to another node.
      const viewer = await fetch(`${left.httpUrl}/news/studio.flv`, { signal: staying.signal });
      const read = (async () => {
        for await (const _chunk of viewer.body as unknown as AsyncIterable<Uint8Array>);
      })().catch(() => undefined);
      await link('Nodes').click();
      await shown.button(`Drain ${left.id}`).click();
      await shown.dialog.getByLabel('It may take').selectOption('');
      await shown.dialog.getByRole('button', { name: 'Drain' }).click();
      await has(card(left).getByText(/Draining: 1 viewer/));
      await card(left).getByRole('link', { name: left.name, exact: true }).click();
      await shown.heading(left.name);
      await has(shown.page.getByText(/^Draining: 1 viewer/));
      await link('Nodes').click();
      await expect.poll(async () => (await watchedOn()).map((edge) => edge === left), WAIT).toEqual([false]);
      await plays();
      staying.abort();
      await read;
      await has(card(left).getByText('Draining: nobody left'));
      await shown.button(`Activate ${left.id}`).click();
      await has(card(left).locator('.badge.active'));
    },
    TEST_MS,
  );

  it(
    'rotates the stream key: who has the old one is not let in any more, who publishes goes on',
    async () => {
      await open('/console/apps/news?part=keys');
      await shown.button(/^Rotate /).click();
      await shown.dialog.getByLabel('The old secret still counts for').selectOption('0');
      await shown.dialog.getByRole('button', { name: 'Rotate' }).click();
      await shown.seen('The new stream key');
      const next = await shown.copied('Stream key');
      await shown.button('Done').click();
      // Other nodes know of it a moment later.
      await expect.poll(() => isRefused('late', key), WAIT).toBe(true);
      const second = await publishAs('second', next);
      await link('Streams').click();
      await has(link('news/second'));
      await second.close();
      await has(link('news/studio'));
      await plays();
    },
    TEST_MS,
  );

  it(
    'changes a ladder, and shows the new rendition, which is then made',
    async () => {
      await open('/console/apps/news?part=ladder');
      await shown.page.getByLabel('Made are').selectOption('custom');
      const leaveOut = shown.button(/^Leave out rung/);
      while ((await leaveOut.count()) > 0) await leaveOut.first().click();
      await shown.button('One more rung').click();
      await shown.page.getByLabel('Name', { exact: true }).fill('low');
      await shown.page.getByLabel('Height').fill('180');
      await shown.page.getByLabel('Bitrate, kbit/s').fill('200');
      await shown.button('Save').click();
      await shown.seen('Saved, on all nodes.');
      await shown.seen('Set here, for all nodes.');
      await shown.shoot('console-app');
      await link('Streams').click();
      await link('news/studio').click();
      const row = shown.page.getByRole('region', { name: 'Renditions' }).getByRole('row', { name: /^low/ });
      await has(row);
      const edge = cluster.node('us-edge-1');
      const textOf = async (path: string): Promise<string> => (await fetch(`${edge.httpUrl}/news/studio/${path}`)).text();
      await expect.poll(() => textOf('index.m3u8'), WAIT).toContain('low/media.m3u8');
      await expect.poll(() => textOf('low/media.m3u8'), WAIT).toMatch(/^\d+\.m4s$/m);
      // It is made while somebody asks for it.
      const makers = async (): Promise<readonly string[]> => {
        await textOf('low/media.m3u8');
        return row
          .filter({ has: shown.page.locator('.state.running') })
          .getByRole('link')
          .allTextContents();
      };
      await expect.poll(makers, WAIT).toEqual(['eu-transcode']);
      await shown.shoot('console-stream');
    },
    TEST_MS,
  );

  it(
    'sets what is transcoded first, and says what was decided',
    async () => {
      await link('Transcoding').click();
      await shown.seen('No rules: each viewer counts the same.');
      await shown.button('Change …').click();
      await shown.button('One more rule').click();
      await shown.page.getByLabel('App', { exact: true }).fill('news');
      await shown.page.getByLabel('Viewers from').fill('10');
      await shown.page.getByLabel('Weight').fill('5');
      await shown.button('One more pin').click();
      await shown.page.getByLabel('Stream').last().fill('news/studio');
      await shown.page.getByLabel('Rung').last().fill('low');
      expect(await shown.faults()).toEqual([]);
      await shown.button('Save').click();
      await shown.seen('news/*, rung *, from 10 viewers on');
      await shown.seen('Pinned:');
      await has(shown.page.getByRole('region', { name: 'What was decided' }).getByRole('row', { name: /news\/studio low/ }));
      await shown.shoot('console-transcoding');
      expect(await shown.faults()).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'downloads a recording through a node that has not got the file',
    async () => {
      await record('always');
      await open('/console/apps/news?part=recordings');
      const row = shown.page.getByRole('row', { name: /^studio/ }).first();
      const [download] = await Promise.all([
        shown.page.waitForEvent('download', { timeout: WAIT.timeout }),
        row.getByRole('link', { name: /^Download/ }).click({ timeout: WAIT.timeout }),
      ]);
      expect(download.suggestedFilename()).toMatch(/^news-studio-.*\.mp4$/);
      expect(new URL(download.url()).origin).not.toBe(base());
      expect((await readFile(await download.path())).subarray(4, 8).toString()).toBe('ftyp');
      await record('off');
      expect(await shown.faults()).toEqual([]);
      await shown.shoot('console-recordings');
    },
    TEST_MS,
  );

  it(
    'tells a webhook what happens, and shows what was sent',
    async () => {
      await open('/console/apps/news?part=webhooks');
      await shown.button('Make a webhook').click();
      await shown.dialog.getByLabel('Address').fill(hooks.url);
      await shown.button('Make the webhook').click();
      await shown.seen('The webhook’s secret');
      await shown.button('Done').click();
      await shown.button('Send a test').click();
      await has(shown.page.getByText(/^The test came through · status 204/));
      publishers.push(await publishAs('third', await newKey()));
      await expect
        .poll(() => hooks.events.some(({ type, stream }) => type === 'stream.started' && stream === 'news/third'), WAIT)
        .toBe(true);
      await has(
        shown.page
          .getByRole('region', { name: 'Deliveries' })
          .getByRole('row', { name: /stream\.started/ })
          .filter({ hasText: 'news/third' })
          .locator('.state.running'),
      );
      expect(await shown.faults()).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'raises an alarm when a node is killed, while the viewer of another one watches on',
    async () => {
      await link('Overview').click();
      await shown.heading('Overview');
      const watched = await watchedOn();
      const doomed = edges.find((edge) => !watched.includes(edge)) as DevNode;
      shown.lose({ url: doomed.httpUrl, id: doomed.id });
      cluster.kill(doomed);
      await has(shown.page.locator('.alarms li', { hasText: 'Node is stale' }).filter({ hasText: doomed.name }));
      await plays();
      await shown.page.locator('.alarms').getByRole('link', { name: doomed.name, exact: true }).click();
      await shown.heading(doomed.name);
      await shown.seen(doomed.id);
      await has(shown.page.locator('.page-title .badge.stale'));
    },
    TEST_MS,
  );

  it('did nothing that its own policy forbids', () => expect(shown.complaints).toEqual([]));
});

/** Whether a publisher with that key is sent away. */
async function isRefused(name: string, withKey: string): Promise<boolean> {
  try {
    await (await publishAs(name, withKey)).close();
    return false;
  } catch {
    return true;
  }
}

/** Says whether the streams of the app are recorded. */
async function record(mode: 'always' | 'off'): Promise<void> {
  const { status } = await fetch(`${base()}/api/v1/apps/news`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${cluster.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ recording: { mode } }),
  });
  expect(status).toBe(200);
}

async function newKey(): Promise<string> {
  const response = await fetch(`${base()}/api/v1/apps/news/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.adminKey}`, 'content-type': 'application/json' },
    body: '{}',
  });
  return ((await response.json()) as { key: string }).key;
}

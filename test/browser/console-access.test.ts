import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { ConsolePage } from '../fixtures/console-page.ts';
import { type FfmpegPublisher, publish } from '../fixtures/ffmpeg-publisher.ts';
import { TestCluster, type TestNode } from '../fixtures/test-cluster.ts';

const TEST_MS = 120_000;
const HOSTILE = '<img src=x onerror="document.title=1">';

let cluster: TestCluster;
let edge: TestNode;
let browser: Browser;
let shown: ConsolePage;
const publishers: FfmpegPublisher[] = [];

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager', 'origin'], region: 'eu' });
  edge = await cluster.join({ roles: ['edge'], region: 'us' });
  browser = await launchBrowser();
  shown = await ConsolePage.open(browser);
}, TEST_MS);
afterAll(async () => {
  for (const publisher of publishers) await publisher.close();
  await browser?.close();
  await cluster?.close();
}, TEST_MS);

const base = (): string => cluster.manager.server.httpUrl;
const open = (path: string): Promise<void> => shown.go(base() + path);
const closed = (): Promise<void> => shown.dialog.waitFor({ state: 'detached' });

/** Asks the API of the manager as its console would. */
async function ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${base()}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${cluster.manager.server.adminKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.status).toBeLessThan(300);
  return (await response.json()) as Record<string, unknown>;
}

/** How many viewers an app may have. */
async function limitOf(app: string): Promise<number | null> {
  return ((await ask('GET', `/apps/${app}`)) as { limits: { viewers: number | null } }).limits.viewers;
}

describe('apps and access in the console', () => {
  it(
    'makes an app and a key for it, and what the page says lets a publisher in',
    async () => {
      const { page } = shown;
      await shown.signIn(base(), cluster.manager.server.adminKey);
      await page.getByRole('link', { name: 'Apps', exact: true }).click();
      await shown.heading('Apps');
      await shown.button('Make an app').click();
      await shown.dialog.getByLabel('Name').fill('news');
      await shown.dialog.getByLabel('Note').fill('The news room');
      await shown.dialog.getByLabel('Who may play').selectOption('token');
      expect(await shown.faults()).toEqual([]);
      await shown.button('Make the app').click();
      await shown.heading('news');
      await shown.button('Make a key').click();
      await shown.dialog.getByLabel('Stream').fill('studio-1');
      await shown.dialog.getByLabel('It counts').selectOption('86400');
      await shown.dialog.getByLabel('Note').fill(HOSTILE);
      await shown.button('Make the key').click();
      await shown.seen('The new stream key');
      expect(await shown.faults()).toEqual([]);
      const key = await shown.copied('Stream key');
      expect(await shown.dialog.getByLabel('Stream key', { exact: true }).nth(1).inputValue()).toBe(`studio-1?key=${key}`);
      const server = await shown.copied('Server');
      await shown.dialog.getByRole('tab', { name: 'FFmpeg' }).click();
      expect(await shown.copied('Command')).toContain(`"${server}/studio-1?key=${key}"`);
      await shown.dialog.getByRole('tab', { name: 'WHIP' }).click();
      expect(await shown.copied('Bearer token')).toBe(key);
      await shown.button('Done').click();
      await closed();
      expect(await page.content()).not.toContain(key);
      await shown.seen(HOSTILE);
      publishers.push(await publish({ url: `${server}/studio-1?key=${key}`, videoCodec: 'h264' }));
      await page.getByRole('link', { name: 'Streams', exact: true }).click();
      await page.getByRole('link', { name: 'news/studio-1' }).waitFor();
    },
    TEST_MS,
  );

  it(
    'rotates a key with grace, deletes it, and the log says so without the secret',
    async () => {
      const { page } = shown;
      await open('/console/apps/news?part=keys');
      await shown.button(/^Rotate /).click();
      await shown.dialog.getByLabel('The old secret still counts for').selectOption('300');
      await shown.dialog.getByRole('button', { name: 'Rotate' }).click();
      await shown.seen('The new stream key');
      const key = await shown.copied('Stream key');
      await shown.button('Done').click();
      await closed();
      await shown.seen(/the old secret, too, until/);
      expect(await shown.faults()).toEqual([]);
      await shown.button(/^Delete [0-9a-f]{16}$/).click();
      await shown.button('Delete the key').click();
      await closed();
      await shown.seen('None was made yet.');
      await page.getByRole('link', { name: 'Audit', exact: true }).click();
      await shown.heading('Audit');
      await shown.seen('Rotate stream key');
      await shown.seen('Delete stream key');
      expect(await page.content()).not.toContain(key);
      await page.getByLabel('Search the log of changes').fill('createApp news');
      await shown.seen('1 change');
      expect(await shown.faults()).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'shows what a change was as a difference, and hostile text as text',
    async () => {
      await open('/console/apps/news');
      await shown.page.getByLabel('Note').fill(HOSTILE);
      await shown.page.getByLabel('Who may play').selectOption('domains');
      await shown.page.getByLabel('Domains', { exact: true }).fill('example.org\n*.example.org');
      await shown.button('Save').click();
      await shown.seen('Saved, on all nodes.');
      expect(await shown.faults()).toEqual([]);
      await open('/console/audit?find=changeApp');
      await shown.seen('playback.policy: "domains"');
      await shown.seen('note: "The news room"');
      expect(await shown.page.getByText(HOSTILE.replaceAll('"', '\\"')).count()).toBeGreaterThan(0);
      expect(await shown.page.locator('main img').count()).toBe(0);
      expect(await shown.page.title()).toContain('Audit');
      await shown.shoot('console-audit');
    },
    TEST_MS,
  );

  it(
    'makes a token that lets a viewer in, and revokes it',
    async () => {
      const { page } = shown;
      await ask('PATCH', '/apps/live', { playback: { policy: 'token' } });
      publishers.push(await publish({ url: `${cluster.manager.server.rtmpUrl}/live/show`, videoCodec: 'h264' }));
      await open('/console/apps/live?part=tokens');
      await shown.button('Add a key').click();
      await shown.dialog.getByRole('button', { name: 'Add the key' }).click();
      await shown.seen('The new token key');
      const secret = await shown.copied('Secret');
      await shown.button('Done').click();
      await closed();
      await page.getByLabel('Stream (stream)').fill('live/show');
      await page.getByLabel('Id (jti)').fill('viewer-1');
      await page.getByLabel('Secret of an HS256 key').fill(secret);
      await page.getByRole('button', { name: 'Sign', exact: true }).click();
      await page.getByLabel('Token', { exact: true }).waitFor();
      const address = await page.getByLabel('HLS', { exact: true }).inputValue();
      expect(address).toContain('/live/show/~ey');
      const status = async (): Promise<number> => (await fetch(address)).status;
      await expect.poll(status, { timeout: 30_000, interval: 300 }).toBe(200);
      expect((await fetch(`${base()}/live/show/index.m3u8`)).status).toBe(401);
      expect(await shown.faults()).toEqual([]);
      await shown.button('Revoke a token').click();
      await shown.dialog.getByLabel('jti').fill('viewer-1');
      await shown.dialog.getByRole('button', { name: 'Revoke' }).click();
      await closed();
      await page.getByRole('rowheader', { name: 'viewer-1' }).waitFor();
      await expect.poll(status, { timeout: 30_000, interval: 300 }).toBe(401);
      await ask('PATCH', '/apps/live', { playback: { policy: 'public' } });
    },
    TEST_MS,
  );

  it(
    'makes API keys and join tokens, shown once',
    async () => {
      await open('/console/keys');
      await shown.button('Make an API key').click();
      await shown.dialog.getByLabel('It may').selectOption('apps');
      await shown.dialog.getByLabel('news').check();
      await shown.button('Make the key').click();
      await shown.seen('The new API key');
      const key = await shown.copied('API key');
      await shown.button('Done').click();
      await closed();
      const asked = await fetch(`${base()}/api/v1/apps`, { headers: { authorization: `Bearer ${key}` } });
      expect(((await asked.json()) as { items: { name: string }[] }).items.map(({ name }) => name)).toEqual(['news']);
      await shown.button('Make a join token').click();
      await shown.dialog.getByLabel('Note').fill('rack 7');
      await shown.button('Make the token').click();
      expect(await shown.copied('On the new machine')).toContain('sluice join');
      await shown.button('Done').click();
      await closed();
      await shown.seen('rack 7');
      expect(await shown.faults()).toEqual([]);
      await shown.page
        .getByRole('row', { name: /app:news/ })
        .getByRole('button', { name: /^Delete / })
        .click();
      await shown.button('Delete the key').click();
      await closed();
      expect((await fetch(`${base()}/api/v1/apps`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(401);
    },
    TEST_MS,
  );
});

describe('what is set for all nodes', () => {
  it(
    'is limited for an app, and a version of the settings then, which is rolled back',
    async () => {
      await open('/console/apps/news?part=limits');
      await shown.page.getByLabel('Viewers', { exact: true }).last().fill('500');
      await shown.button('Save').click();
      await shown.seen('Saved, on all nodes.');
      await shown.seen(/ of 500$/);
      expect(await shown.faults()).toEqual([]);
      await shown.page.getByRole('link', { name: 'Configuration', exact: true }).click();
      await shown.heading('Configuration');
      await shown.seen('counts now');
      await shown
        .button(/^What changed in version/)
        .first()
        .click();
      await shown.seen('apps.news.limits.viewers: 500');
      expect(await shown.faults()).toEqual([]);
      await shown
        .button(/^Back to version/)
        .first()
        .click();
      await shown.dialog.getByText('apps.news.limits.viewers: 500').waitFor();
      await shown.dialog.getByRole('button', { name: 'Roll back' }).click();
      await closed();
      await expect.poll(() => limitOf('news'), { timeout: 30_000, interval: 300 }).toBe(null);
      await shown.page
        .getByText(/^rollBackSettings$/)
        .first()
        .waitFor();
    },
    TEST_MS,
  );

  it(
    'has webhooks, whose secret is shown once',
    async () => {
      await open('/console/apps/news?part=webhooks');
      await shown.button('Make a webhook').click();
      await shown.dialog.getByLabel('Address').fill('https://example.org/hooks');
      await shown.dialog.getByLabel('Note').fill('the chat');
      expect(await shown.faults()).toEqual([]);
      await shown.button('Make the webhook').click();
      await shown.seen('The webhook’s secret');
      const secret = await shown.copied('Secret');
      await shown.button('Done').click();
      await closed();
      await shown.page.getByRole('heading', { name: 'the chat' }).waitFor();
      await shown.seen('Nothing was sent yet.');
      expect(await shown.page.content()).not.toContain(secret);
      await shown.button('Turn off').click();
      await shown.button('Turn on').waitFor();
      expect(await shown.faults()).toEqual([]);
      await shown.button('Delete …').click();
      await shown.button('Delete the webhook').click();
      await closed();
      await shown.seen(/^None\. A webhook/);
    },
    TEST_MS,
  );
});

describe('the console of a cluster, besides', () => {
  beforeAll(() => ask('PATCH', '/apps/live', { playback: { policy: 'public' } }));

  it(
    'says why a viewer is sent where',
    async () => {
      await open('/console/routing');
      await shown.page.getByLabel('Stream', { exact: true }).fill('live/show');
      await shown.page.getByLabel('Region', { exact: true }).fill('us');
      await shown.button('Ask').click();
      await shown.page.getByRole('row', { name: new RegExp(`${edge.id}.*(in the client’s region|it has no room left)`) }).waitFor();
      await shown.page.getByRole('row', { name: new RegExp(`${cluster.manager.id}.*its roles are others`) }).waitFor();
      await shown.shoot('console-routing');
      expect(await shown.faults()).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'lists events as they come',
    async () => {
      await shown.page.getByRole('link', { name: 'Events', exact: true }).click();
      await shown.heading('Events');
      publishers.push(await publish({ url: `${cluster.manager.server.rtmpUrl}/live/second`, videoCodec: 'h264' }));
      await shown.page.locator('.events', { hasText: 'live/second' }).waitFor();
      await shown.seen('stream.started');
      expect(await shown.faults()).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'shows a stream’s health, its viewers and its way with the latency of each step',
    async () => {
      const { page } = shown;
      const watching = new AbortController();
      const viewer = await fetch(`${edge.server.httpUrl}/live/show.flv`, { signal: watching.signal });
      const read = (async () => {
        for await (const _chunk of viewer.body as unknown as AsyncIterable<Uint8Array>);
      })().catch(() => undefined);
      await open('/console/streams/live/show');
      await page.locator('.way', { hasText: edge.id }).waitFor();
      await page.locator('.hop-latency').waitFor();
      await page.getByRole('region', { name: 'Viewers by protocol' }).getByRole('row', { name: /flv 1/ }).waitFor();
      await page.getByRole('region', { name: 'Viewers by region' }).getByRole('row', { name: /us 1/ }).waitFor();
      expect(await page.locator('.chart canvas').count()).toBe(5);
      expect(await shown.faults()).toEqual([]);
      watching.abort();
      await read;
    },
    TEST_MS,
  );

  it.each([
    ['Configuration', '/console/config'],
    ['live', '/console/apps/live?part=limits'],
    ['live', '/console/apps/live?part=ladder'],
    ['live', '/console/apps/live?part=webhooks'],
    ['live', '/console/apps/live?part=recordings'],
  ])(
    'has nothing to complain of on %s at %s',
    async (name, path) => {
      await open(path);
      await shown.heading(name);
      await expect.poll(() => shown.page.getByText('Loading …').count(), { timeout: 30_000 }).toBe(0);
      expect(await shown.faults()).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'says when the node that serves it is gone, and where else the console is',
    async () => {
      const other = await ConsolePage.open(browser);
      await other.signIn(base(), cluster.manager.server.adminKey);
      await other.page.goto(`${edge.server.httpUrl}/console/nodes`);
      await other.page.locator('.node', { hasText: cluster.manager.id }).waitFor();
      await other.seen(/^live$/);
      other.lose({ url: edge.server.httpUrl, id: edge.id });
      await edge.server.kill();
      cluster.nodes.splice(cluster.nodes.indexOf(edge), 1);
      await other.seen(`Node ${edge.id} does not answer.`);
      expect(await other.faults()).toEqual([]);
      await other.page.locator('.other-nodes').getByRole('link', { name: cluster.manager.id }).click();
      await other.heading('Nodes');
      expect(new URL(other.page.url()).origin).toBe(base());
      expect(other.complaints).toEqual([]);
    },
    TEST_MS,
  );

  it('did nothing that its own policy forbids', () => expect(shown.complaints).toEqual([]));
});

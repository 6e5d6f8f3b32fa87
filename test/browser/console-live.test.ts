import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../fixtures/browser.ts';
import { ConsolePage } from '../fixtures/console-page.ts';
import { TestCluster, type TestNode } from '../fixtures/test-cluster.ts';

const TEST_MS = 120_000;
const APP = '/apps/sport';

let cluster: TestCluster;
let edge: TestNode;
let browser: Browser;
let shown: ConsolePage;

/** Pages that hear of changes and never look by themselves: whatever repeats is off. */
function neverPoll(): void {
  const real = window.setInterval.bind(window);
  const seldomer = (run: TimerHandler, ms = 0): number => (ms >= 500 ? 0 : real(run, ms));
  Object.assign(window, { setInterval: seldomer });
}

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager', 'origin'], region: 'eu' });
  edge = await cluster.join({ roles: ['edge'], region: 'us' });
  browser = await launchBrowser();
  shown = await ConsolePage.open(browser);
  await shown.context.addInitScript(neverPoll);
  await shown.signIn(edge.server.httpUrl, cluster.manager.server.adminKey);
}, TEST_MS);
afterAll(async () => {
  await browser?.close();
  await cluster?.close();
}, TEST_MS);

/** A change by the API of the manager, while the page is of the edge. */
async function change(method: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${cluster.manager.server.httpUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${cluster.manager.server.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBeLessThan(300);
}

/** The page is open, has what there is, and hears of what comes. */
async function isListening(path: string, heading: string): Promise<void> {
  const heard = shown.page.waitForResponse((response) => response.url().includes('/api/v1/events'));
  await shown.go(edge.server.httpUrl + path);
  await heard;
  await shown.heading(heading);
  await shown.page.getByText('Loading …').first().waitFor({ state: 'detached' });
  await shown.page.locator('.live-dot').waitFor();
}

interface Heard {
  readonly what: string;
  readonly path: string;
  readonly heading: string;
  readonly by: readonly [method: string, path: string, body: unknown];
  readonly seen: string | RegExp;
}

const HEARD: readonly Heard[] = [
  { what: 'an app', path: '/console/apps', heading: 'Apps', by: ['POST', '/apps', { name: 'sport' }], seen: 'sport' },
  {
    what: 'the settings of an app',
    path: '/console/apps',
    heading: 'Apps',
    by: ['PATCH', APP, { note: 'The sports desk' }],
    seen: 'The sports desk',
  },
  {
    what: 'a stream key',
    path: '/console/apps/sport?part=keys',
    heading: 'sport',
    by: ['POST', `${APP}/keys`, { stream: 'camera-1' }],
    seen: 'camera-1',
  },
  {
    what: 'a token that was revoked',
    path: '/console/apps/sport?part=tokens',
    heading: 'sport',
    by: ['POST', `${APP}/revoked-tokens`, { jti: 'viewer-7', expiresInS: 3600 }],
    seen: 'viewer-7',
  },
  {
    what: 'a webhook',
    path: '/console/apps/sport?part=webhooks',
    heading: 'sport',
    by: ['POST', `${APP}/webhooks`, { kind: 'events', url: 'https://hooks.example.org/sport', events: { types: ['stream.started'] } }],
    seen: /hooks\.example\.org/,
  },
  {
    what: 'a ladder, as another version of what is set',
    path: '/console/config',
    heading: 'Configuration',
    by: ['PUT', `${APP}/ladder`, { template: 'abr', always: false, lingerMs: 0 }],
    seen: 'Version 3',
  },
  {
    what: 'weights',
    path: '/console/transcoding',
    heading: 'Transcoding',
    by: ['PUT', '/transcoding/weights', { rules: [{ app: 'sport', stream: 'final-*', rung: '*', viewersMin: 0, weight: 7 }], pins: [] }],
    seen: /final-/,
  },
  {
    what: 'an API key',
    path: '/console/keys',
    heading: 'Keys',
    by: ['POST', '/api-keys', { scopes: ['read'], note: 'robot 4' }],
    seen: 'robot 4',
  },
  {
    what: 'an entry of the log of changes',
    path: '/console/audit',
    heading: 'Audit',
    by: ['PATCH', APP, { note: 'Seen' }],
    seen: /note: "Seen"/,
  },
];

describe('a page of one node', () => {
  it.each(HEARD)(
    'shows $what that came by another node, without looking for it',
    async ({ path, heading, by, seen }) => {
      await isListening(path, heading);
      expect(await shown.page.getByText(seen).count()).toBe(0);
      const began = performance.now();
      await change(...by);
      await shown.seen(seen);
      console.log(`${path}: seen after ${Math.round(performance.now() - began)} ms`);
    },
    TEST_MS,
  );
});

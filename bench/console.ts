import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../test/fixtures/browser.ts';
import type { BenchCase, BenchRow } from './bench-case.ts';
import { SimulatedConsole } from './console-server.ts';

const STREAMS = 10_000;
const NODES = 200;
const REQUESTS = 200;
const SCROLLS_MAX = 400;
const WAIT_MS = 60_000;
const SEARCHES = ['', 'stream-04', 'app-7 stream', 'STREAM-09999', 'nothing like it'];

/** The console of a cluster of 10,000 streams and 200 nodes, which are records alone: how soon its API answers, how soon it is seen, and what its tab takes. */
export const consoleBench: BenchCase = {
  name: 'console',
  async run() {
    const server = await SimulatedConsole.start(STREAMS, NODES);
    const browser = await launchBrowser();
    try {
      return [
        row(
          'console: list of 10,000 streams and 200 nodes, p95',
          await p95(server.url, listPath),
          200,
          'ms',
          `${REQUESTS} pages of 200, one after the other`,
        ),
        row(
          'console: search among 10,000 streams, p95',
          await p95(server.url, searchPath),
          200,
          'ms',
          `${REQUESTS} searches, one after the other`,
        ),
        row(
          'console: first view, cold cache',
          await firstViewMs(browser, server.url),
          1_500,
          'ms',
          'Chromium on the same machine; the worst of 3',
        ),
        ...(await tabRows(browser, server.url)),
      ];
    } finally {
      await browser.close();
      await server.close();
    }
  },
};

const row = (name: string, value: number, atMost: number, unit: string, note: string): BenchRow => ({
  name,
  value: Math.round(value * 10) / 10,
  unit,
  bar: { atMost },
  note,
});

const listPath = (index: number): string => {
  const cursor = Buffer.from(`after:app-${index % 40}/stream-0`).toString('base64url');
  return index % 10 === 0 ? '/nodes?limit=200' : `/streams?limit=200&cursor=${cursor}`;
};
const searchPath = (index: number): string => `/streams?limit=200&search=${encodeURIComponent(SEARCHES[index % SEARCHES.length] ?? '')}`;

async function p95(url: string, pathOf: (index: number) => string): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < REQUESTS; index++) {
    const began = performance.now();
    const response = await fetch(`${url}/api/v1${pathOf(index)}`);
    await response.json();
    if (response.status !== 200) throw new Error(`${pathOf(index)} was answered with ${response.status}`);
    times.push(performance.now() - began);
  }
  times.sort((left, right) => left - right);
  return times[Math.floor(times.length * 0.95)] ?? 0;
}

async function firstViewMs(browser: Browser, url: string): Promise<number> {
  let worst = 0;
  for (let turn = 0; turn < 3; turn++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const began = performance.now();
    await page.goto(url, { waitUntil: 'commit' });
    await page.locator('.figure').first().waitFor({ timeout: WAIT_MS });
    worst = Math.max(worst, performance.now() - began);
    await context.close();
  }
  return worst;
}

/** What the tab takes that has all streams in its list, and then all nodes. */
async function tabRows(browser: Browser, url: string): Promise<readonly BenchRow[]> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}/console/streams`);
  await page.getByText('200 or more streams').waitFor({ timeout: WAIT_MS });
  await scrollToEnd(page);
  const rows = await page.locator('.stream-row').count();
  const bytes = await privateBytes(browser);
  await page.goto(`${url}/console/nodes`);
  await page
    .locator('.node')
    .nth(NODES - 1)
    .waitFor({ timeout: WAIT_MS, state: 'attached' });
  const ofNodes = await privateBytes(browser);
  await context.close();
  return [
    row(
      'console: memory of the tab with 10,000 streams',
      bytes / 1e6,
      200,
      'MB',
      `private pages of its process, all scrolled through; ${rows} rows in the page`,
    ),
    row('console: memory of the tab with 200 nodes', ofNodes / 1e6, 200, 'MB', 'the same tab, afterwards'),
  ];
}

async function scrollToEnd(page: Page): Promise<void> {
  const list = page.locator('.stream-rows');
  for (let turn = 0; turn < SCROLLS_MAX; turn++) {
    if ((await page.getByText(`${STREAMS.toLocaleString('en')} streams`, { exact: true }).count()) > 0) return;
    await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.waitForTimeout(50);
  }
  throw new Error('the list did not come to its end');
}

/** Of the renderer that has most: Chromium keeps a spare one. */
async function privateBytes(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return Math.max(...processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => privateOf(id)));
}

function privateOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0);
}

import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { TestCluster, type TestNode } from './fixtures/test-cluster.ts';

const WAIT = { timeout: 40_000, interval: 50 };
const PATIENCE_MS = 120_000;

let cluster: TestCluster;
let origin: TestNode;
let edge: TestNode;
let publisher: FfmpegPublisher;

beforeAll(async () => {
  cluster = await TestCluster.found({ roles: ['manager'], region: 'eu' });
  origin = await cluster.join({ roles: ['origin', 'edge', 'transcode'], region: 'eu', environment: { SLUICE_TRANSCODE_ENABLED: 'true' } });
  edge = await cluster.join({ roles: ['edge'], region: 'eu' });
  publisher = await publish({ url: `${origin.server.rtmpUrl}/live/show`, videoCodec: 'h264', audioCodec: 'aac' });
}, PATIENCE_MS);
afterAll(async () => {
  await publisher?.close();
  expect((await cluster?.close())?.filter((code) => code !== 0 && code !== null)).toEqual([]);
});

/** Calls the API of the manager, who has neither the stream nor its viewers. */
async function call<Body>(method: string, path: string, body?: object): Promise<Body> {
  const { httpUrl, adminKey } = cluster.manager.server;
  const response = await fetch(`${httpUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.ok, text).toBe(true);
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}

/** The renditions in the multivariant playlist of a node. */
async function offeredBy(node: TestNode): Promise<readonly string[]> {
  const response = await fetch(`${node.server.httpUrl}/live/show/index.m3u8`, { redirect: 'manual' });
  expect(response.status).toBe(200);
  return [...(await response.text()).matchAll(/^(\w+)\/media\.m3u8/gm)].map(([, name]) => name ?? '').sort();
}

const offers = (rungs: readonly string[], others: readonly string[] = []): Promise<void> =>
  vi.waitFor(async () => {
    for (const node of [edge, origin]) {
      const offered = await offeredBy(node);
      expect(offered).toEqual(expect.arrayContaining([...rungs]));
      for (const other of others) expect(offered).not.toContain(other);
    }
  }, WAIT);

const isWatched = (rung: string): Promise<void> =>
  vi.waitFor(async () => {
    const playlist = await (await fetch(`${edge.server.httpUrl}/live/show/${rung}/media.m3u8`, { redirect: 'manual' })).text();
    expect(playlist.match(/^\d+\.m4s$/gm)?.length ?? 0).toBeGreaterThanOrEqual(2);
  }, WAIT);

it(
  "a ladder that is changed by one node counts for a stream that runs on another, and shows in the edge's playlist",
  async () => {
    await offers([], ['r180', 'r240']);
    await call('PUT', '/apps/live/ladder', { template: 'custom', rungs: [{ name: 'r180', height: 180, bitrateBps: 200_000 }] });
    await offers(['r180']);
    await isWatched('r180');
    const document = { apps: { live: { ladder: { template: 'custom', rungs: [{ name: 'r240', height: 240, bitrateBps: 200_000 }] } } } };
    const dry = await call<{ changes: { path: string }[] }>('POST', '/config?dryRun=true', document);
    expect(dry.changes.length).toBeGreaterThan(0);
    await offers(['r180']);
    const applied = await call<{ version: number }>('POST', '/config', document);
    await offers(['r240'], ['r180']);
    await isWatched('r240');
    await call('POST', `/config/versions/${applied.version - 1}/rollback`);
    await offers(['r180'], ['r240']);
    await isWatched('r180');
    await call('DELETE', '/apps/live/ladder');
    await offers([], ['r180', 'r240']);
  },
  PATIENCE_MS,
);

it('routing rules count on every node at once', async () => {
  const regionBy = async (node: TestNode): Promise<string> => {
    const response = await fetch(`${node.server.httpUrl}/cluster?explain=1`);
    return ((await response.json()) as { region: string }).region;
  };
  expect(await regionBy(edge)).toBe('eu');
  await call('PUT', '/cluster/routing', { networks: { asia: ['127.0.0.0/8', '::1'] } });
  await vi.waitFor(
    async () => expect(await Promise.all([origin, edge, cluster.manager].map(regionBy))).toEqual(['asia', 'asia', 'asia']),
    WAIT,
  );
  await call('DELETE', '/cluster/routing');
  await vi.waitFor(async () => expect(await regionBy(edge)).toBe('eu'), WAIT);
});

it(
  'join tokens are made by any node, and nodes that ask one that is no manager are told who is',
  async () => {
    const { key } = await call<{ key: string }>('POST', '/api-keys', { scopes: ['admin'], note: 'of all nodes' });
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const ask = (path: string, body: object): Promise<Response> =>
      fetch(`${edge.server.httpUrl}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const made = await vi.waitFor(async () => {
      const response = await ask('/cluster/tokens', { roles: ['edge'], note: 'by an edge' });
      expect(response.status).toBe(201);
      return (await response.json()) as { id: string; token: string };
    }, WAIT);
    const { items } = await call<{ items: { id: string; note: string }[] }>('GET', '/cluster/tokens');
    expect(items).toContainEqual(expect.objectContaining({ id: made.id, note: 'by an edge' }));
    // What it is pinned to is the authority of the cluster, as it is on the manager.
    const pin = (token: string): string => token.split('.').at(-1) ?? '';
    expect(pin(made.token)).toBe(pin(await cluster.createToken(['edge'])));
    const refused = await ask('/cluster/join', {});
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({
      code: 'cluster.not-manager',
      detail: expect.stringContaining(cluster.manager.server.httpUrl),
    });
  },
  PATIENCE_MS,
);

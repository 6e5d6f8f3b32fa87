import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { appParamsSchema } from './access-schemas.ts';
import { EventFeed, eventOperations } from './event-feed.ts';
import { GuardedKeys } from './guarded-keys.ts';
import type { Operation } from './operation.ts';
import { sourceOperations } from './sources.ts';
import { type TargetReport, targetOperations } from './targets.ts';
import { testApi, testKeys } from './test-api.fixture.ts';

const target = (stream: string): TargetReport => ({
  stream,
  name: 'backup',
  origin: 'api',
  protocol: 'rtmp',
  url: 'rtmp://192.0.2.1',
  rendition: 'source',
  state: 'sending',
  stateMs: 0,
  reason: undefined,
  nextAttemptInMs: undefined,
  retries: 0,
  bytesSent: 0,
  framesDropped: 0,
});
const source = (stream: string) =>
  ({
    stream,
    url: 'rtsp://192.0.2.1/',
    mode: 'always',
    state: 'running',
    sinceMs: 0,
    attempts: 1,
    lastError: undefined,
    format: undefined,
    framesIn: 0,
    malformedFrames: 0,
  }) as const;

let removed: string[];
let isLocal: boolean;
let isKeyThere: boolean;
let fastify: FastifyInstance;
let feed: EventFeed;

beforeEach(async () => {
  removed = [];
  isLocal = false;
  isKeyThere = true;
  feed = new EventFeed({ run: 'n1.1' });
  const plain = { summary: '', description: '', success: { status: 204 }, handle: () => undefined } as const;
  const targets = {
    reports: (path?: string) => ['mine/a', 'theirs/a'].filter((each) => path === undefined || each === path).map(target),
    add: (path: string) => target(path),
    remove: (path: string, name: string) => removed.push(`${path}/${name}`) > 0,
  };
  const operations: Operation[] = [
    ...targetOperations(targets, (path) => path === 'mine/a' || path === 'theirs/a'),
    ...sourceOperations({ report: () => ['mine/door', 'theirs/door'].map(source) }),
    ...eventOperations(feed),
    { ...plain, id: 'deleteApp', method: 'DELETE', path: '/apps/:app', scope: 'admin', params: appParamsSchema },
    {
      ...plain,
      id: 'deleteThings',
      method: 'DELETE',
      path: '/things',
      scope: 'app',
      handle: ({ grant }) => void removed.push(...['mine', 'theirs'].filter((app) => grant.maySee(app))),
    },
    { ...plain, id: 'listNodes', method: 'GET', path: '/nodes', scope: 'read' },
    { ...plain, id: 'addNode', method: 'POST', path: '/nodes', scope: 'admin' },
  ];
  const known = testKeys({ sk_admin: 'admin', sk_read: 'read', sk_mine: ['mine'], sk_none: [] });
  const both = { id: 'both', name: '', held: 'read', apps: ['mine'] } as const;
  const keys = new GuardedKeys(
    { find: (text) => (text === 'sk_both' ? both : known.find(text)), byId: (id) => (isKeyThere ? known.byId(id) : undefined) },
    () => monotonicMs(0),
  );
  fastify = await testApi({ operations, keys, isLocal: () => isLocal, publicReads: false });
});
afterEach(async () => {
  feed.close();
  await fastify.close();
});

type Method = 'GET' | 'POST' | 'DELETE';
const call = async (key: string | undefined, method: Method, path: string, payload?: object) => {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fastify.inject({ method, url: `/api/v1${path}`, headers, ...(payload === undefined ? {} : { payload }) });
  return { status: response.statusCode, body: response.body === '' ? undefined : response.json() };
};
const WISH = { name: 'backup', url: 'rtmp://192.0.2.1/live/key' };

describe('the key of an app', () => {
  it.each([
    ['GET', '/streams/theirs/a/targets', undefined, 'api.stream-not-found'],
    ['POST', '/streams/theirs/a/targets', WISH, 'api.stream-not-found'],
    ['DELETE', '/streams/theirs/a/targets/backup', undefined, 'api.stream-not-found'],
    ['DELETE', '/apps/theirs', undefined, 'apps.not-found'],
  ] as const)('finds nothing of another tenant: %s %s', async (method, path, payload, code) => {
    for (const local of [false, true]) {
      isLocal = local;
      const answer = await call('sk_mine', method, path, payload);
      expect([answer.status, answer.body.code]).toEqual([404, code]);
      const nobodys = await call('sk_mine', method, path.replace('theirs', 'nobody'), payload);
      expect(JSON.stringify(answer.body).replaceAll('theirs', 'nobody')).toBe(JSON.stringify(nobodys.body));
    }
    expect(removed).toEqual([]);
  });

  it('does the daily work of its own app, also where nothing is public', async () => {
    expect((await call('sk_mine', 'GET', '/streams/mine/a/targets')).body.items).toHaveLength(1);
    expect((await call('sk_mine', 'POST', '/streams/mine/a/targets', WISH)).status).toBe(201);
    expect((await call('sk_mine', 'DELETE', '/streams/mine/a/targets/backup')).status).toBe(204);
    expect(removed).toEqual(['mine/a/backup']);
  });

  it.each([false, true])('lists what is its own alone, on the same machine or not (%j)', async (local) => {
    isLocal = local;
    const streams = async (key: string | undefined, path: string): Promise<string[]> =>
      (await call(key, 'GET', path)).body.items.map(({ stream }: { stream: string }) => stream);
    expect(await streams('sk_mine', '/targets')).toEqual(['mine/a']);
    expect(await streams('sk_mine', '/sources')).toEqual(['mine/door']);
    expect(await streams('sk_none', '/sources')).toEqual([]);
    expect(await streams('sk_read', '/sources')).toEqual(['mine/door', 'theirs/door']);
    if (local) expect(await streams(undefined, '/sources')).toEqual(['mine/door', 'theirs/door']);
  });

  it('changes what is its own, also where it reads everything', async () => {
    expect((await call('sk_both', 'GET', '/targets')).body.items).toHaveLength(2);
    expect((await call('sk_both', 'DELETE', '/things')).status).toBe(204);
    expect(removed).toEqual(['mine']);
    expect((await call('sk_both', 'DELETE', '/streams/theirs/a/targets/backup')).status).toBe(403);
    expect((await call('sk_read', 'DELETE', '/things')).status).toBe(403);
  });

  it('is told that the cluster is none of its business', async () => {
    for (const local of [false, true]) {
      isLocal = local;
      for (const [method, path] of [
        ['GET', '/nodes'],
        ['POST', '/nodes'],
        ['DELETE', '/apps/mine'],
      ] as const)
        expect(await call('sk_mine', method, path)).toMatchObject({ status: 403, body: { code: 'api.scope-missing' } });
    }
  });
});

describe('who shows nothing', () => {
  it('reads on the same machine, and changes nothing there', async () => {
    isLocal = true;
    expect((await call(undefined, 'GET', '/nodes')).status).toBe(204);
    expect((await call(undefined, 'GET', '/streams/theirs/a/targets')).status).toBe(200);
    expect((await call(undefined, 'DELETE', '/streams/theirs/a/targets/backup')).status).toBe(401);
    expect((await call('sk_wrong', 'GET', '/nodes')).status).toBe(401);
  });
});

describe('events', () => {
  /** What a listener has heard so far, and whether the server has hung up. */
  async function listen(key: string, lastId?: string): Promise<{ text: string; isOver: boolean }> {
    if (!fastify.server.listening) await fastify.listen({ host: '127.0.0.1', port: 0 });
    const { port } = fastify.server.address() as AddressInfo;
    const heard = { text: '', isOver: false };
    const headers = { authorization: `Bearer ${key}`, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) };
    get({ host: '127.0.0.1', port, path: '/api/v1/events', headers }, (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        heard.text += chunk;
      });
      response.on('end', () => {
        heard.isOver = true;
      });
    });
    await vi.waitFor(() => expect(heard.text).toContain('event: hello'), 10_000);
    return heard;
  }

  it('are told to the key of an app as far as they concern it, also those that it has missed', async () => {
    const [mine, all] = [await listen('sk_mine'), await listen('sk_read')];
    feed.add({ type: 'stream.started', data: { path: 'theirs/a', state: 'live' } });
    feed.add({ type: 'target.changed', data: { name: 'theirs/a/backup', state: 'sending' } });
    feed.add({ type: 'stream-key.changed', data: { id: 'k1', app: 'theirs' } });
    feed.add({ type: 'node.changed', data: { node: 'n2', status: 'active' } });
    feed.add({ type: 'api-key.changed', data: { id: 'k2' } });
    feed.add({ type: 'app.changed', data: { app: 'mine' } });
    feed.add({ type: 'source.changed', data: { name: 'mine/door', state: 'running' } });
    await vi.waitFor(() => expect(mine.text).toContain('mine/door'), 10_000);
    await vi.waitFor(() => expect(all.text).toContain('mine/door'), 10_000);
    expect(mine.text.match(/event: .*/g)).toEqual(['event: hello', 'event: app.changed', 'event: source.changed']);
    expect(all.text.match(/event: .*/g)).toHaveLength(8);
    const again = await listen('sk_mine', 'n1.1-0');
    await vi.waitFor(() => expect(again.text).toContain('mine/door'), 10_000);
    expect(again.text).not.toMatch(/theirs|n2|k2/);
  });

  it('end with the key', async () => {
    const mine = await listen('sk_mine');
    isKeyThere = false;
    feed.add({ type: 'app.changed', data: { app: 'mine' } });
    await vi.waitFor(() => expect(mine.isOver).toBe(true), 10_000);
    expect(mine.text).not.toContain('app.changed');
  });
});

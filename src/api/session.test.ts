import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { monotonicMs, wallMs } from '../core/mod.ts';
import { EventFeed, eventOperations } from './event-feed.ts';
import type { KnownKey, NotedChange } from './grant.ts';
import { GuardedKeys } from './guarded-keys.ts';
import type { Operation } from './operation.ts';
import { sessionOperations } from './session.ts';
import { SessionCookies } from './session-cookies.ts';
import { testApi, testKeys } from './test-api.fixture.ts';

const SECRET = Buffer.alloc(32, 7);
const OTHER = Buffer.alloc(32, 9);
const HOUR_MS = 3_600_000;
const KEYS = { sk_admin: 'admin', sk_read: 'read', sk_one: ['one'] } as const;

/** The keys that there are, in the order of the tests. */
let known: Map<string, KnownKey>;
let changes: NotedChange[];
let now = 0;
const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

/** A server with one operation that changes something and one that is for those who may read. */
async function server(
  options: { secrets?: readonly Uint8Array[]; publicReads?: boolean; isLocal?: boolean; feed?: EventFeed } = {},
): Promise<FastifyInstance> {
  now = Date.UTC(2026, 0, 2);
  changes = [];
  const made = testKeys(KEYS);
  known = new Map(Object.keys(KEYS).map((text) => [text, made.find(text) as KnownKey]));
  const keys = new GuardedKeys({ find: (text) => known.get(text), byId: (id) => [...known.values()].find((key) => key.id === id) }, () =>
    monotonicMs(now),
  );
  const sessions = new SessionCookies({
    secrets: () => options.secrets ?? [SECRET],
    wall: () => wallMs(now),
    keyOf: (id) => keys.byId(id),
  });
  const publicReads = options.publicReads ?? false;
  const plain = { summary: '', description: '', success: { status: 204 }, handle: () => undefined } as const;
  const operations: Operation[] = [
    ...sessionOperations({
      keys,
      sessions,
      publicReads,
      server: { node: 'n1', version: '1.0.0', isInCluster: false },
    }),
    { ...plain, id: 'read', method: 'GET', path: '/secrets', scope: 'read' },
    { ...plain, id: 'change', method: 'DELETE', path: '/things', scope: 'admin' },
    ...(options.feed === undefined ? [] : eventOperations(options.feed)),
  ];
  const fastify = await testApi({
    operations,
    keys,
    sessions,
    publicReads,
    isLocal: () => options.isLocal ?? false,
    changed: (change) => changes.push(change),
  });
  closings.push(() => fastify.close());
  return fastify;
}

async function signIn(fastify: FastifyInstance, key: string): Promise<{ status: number; cookie: string; header: string }> {
  const response = await fastify.inject({ method: 'POST', url: '/api/v1/session', payload: { key } });
  const header = String(response.headers['set-cookie'] ?? '');
  return { status: response.statusCode, cookie: header.split(';')[0] ?? '', header };
}

const statusOf = async (
  fastify: FastifyInstance,
  method: 'GET' | 'DELETE',
  url: string,
  headers: Record<string, string>,
): Promise<number> => (await fastify.inject({ method, url, headers })).statusCode;

describe('sign-in', () => {
  it('turns a key into a cookie that scripts do not see, and that does what the key does', async () => {
    const fastify = await server();
    const { status, cookie, header } = await signIn(fastify, 'sk_admin');
    expect(status).toBe(200);
    expect(header).toMatch(/; Max-Age=43200; Path=\/api; HttpOnly; SameSite=Strict$/);
    expect(header).not.toContain('sk_admin');
    expect(await statusOf(fastify, 'GET', '/api/v1/secrets', { cookie })).toBe(204);
    expect(await statusOf(fastify, 'DELETE', '/api/v1/things', { cookie, 'x-sluice-console': '1' })).toBe(204);
    const session = await fastify.inject({ url: '/api/v1/session', headers: { cookie } });
    expect(session.json()).toMatchObject({ scope: 'admin', by: 'session', expiresAt: '2026-01-02T12:00:00.000Z', server: { node: 'n1' } });
  });

  it('says who one is without a session, too', async () => {
    const scopeAt = async (options: Parameters<typeof server>[0], headers = {}): Promise<unknown> =>
      (await (await server(options)).inject({ url: '/api/v1/session', headers })).json();
    expect(await scopeAt({})).toMatchObject({ scope: 'none' });
    expect(await scopeAt({ publicReads: true })).toMatchObject({ scope: 'public' });
    expect(await scopeAt({ isLocal: true })).toMatchObject({ scope: 'read', by: 'local' });
    expect(await scopeAt({}, { authorization: 'Bearer sk_admin' })).toMatchObject({ scope: 'admin', by: 'key' });
  });

  it('is over when it is ended, and after twelve hours', async () => {
    const fastify = await server();
    const first = await signIn(fastify, 'sk_read');
    const second = await signIn(fastify, 'sk_read');
    const end = await fastify.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie: first.cookie } });
    expect(end.statusCode).toBe(204);
    expect(end.headers['set-cookie']).toContain('Max-Age=0');
    expect(await statusOf(fastify, 'GET', '/api/v1/secrets', { cookie: first.cookie })).toBe(401);
    expect(await statusOf(fastify, 'GET', '/api/v1/secrets', { cookie: second.cookie })).toBe(204);
    now += 12 * HOUR_MS;
    expect(await statusOf(fastify, 'GET', '/api/v1/secrets', { cookie: second.cookie })).toBe(401);
  });

  it('is over at once when its key is deleted, and lasts no longer than the key', async () => {
    const fastify = await server();
    const { cookie } = await signIn(fastify, 'sk_admin');
    known.delete('sk_admin');
    expect(await statusOf(fastify, 'GET', '/api/v1/secrets', { cookie })).toBe(401);
    expect((await fastify.inject({ url: '/api/v1/session', headers: { cookie } })).json()).toMatchObject({ scope: 'none' });
    known.set('sk_read', { id: 'read', name: '', held: 'read', apps: [], expiresAtMs: now + HOUR_MS });
    const brief = await signIn(fastify, 'sk_read');
    expect(brief.header).toContain('; Max-Age=3600;');
    now += HOUR_MS;
    expect(await statusOf(fastify, 'GET', '/api/v1/secrets', { cookie: brief.cookie })).toBe(401);
  });

  it('does what its key may now, not what it might when it began', async () => {
    const fastify = await server();
    const { cookie } = await signIn(fastify, 'sk_admin');
    known.set('sk_admin', { id: 'admin', name: '', held: 'read', apps: [] });
    expect(await statusOf(fastify, 'DELETE', '/api/v1/things', { cookie, 'x-sluice-console': '1' })).toBe(403);
  });

  it('says in the log of changes which key is behind it', async () => {
    const fastify = await server();
    known.set('sk_admin', { id: 'admin', name: 'night shift', held: 'admin', apps: [] });
    const { cookie } = await signIn(fastify, 'sk_admin');
    await statusOf(fastify, 'DELETE', '/api/v1/things', { cookie, 'x-sluice-console': '1' });
    await statusOf(fastify, 'DELETE', '/api/v1/things', { authorization: 'Bearer sk_admin' });
    await fastify.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie } });
    expect(changes.map(({ action, who }) => [action, who])).toEqual([
      ['beginSession', 'key:admin (night shift)'],
      ['change', 'session of key:admin (night shift)'],
      ['change', 'key:admin (night shift)'],
      ['endSession', 'session of key:admin (night shift)'],
    ]);
  });

  it('is not for keys of single apps', async () => {
    const fastify = await server();
    expect((await signIn(fastify, 'sk_one')).status).toBe(403);
    const standing = await fastify.inject({ url: '/api/v1/session', headers: { authorization: 'Bearer sk_one' } });
    expect(standing.json()).toMatchObject({ scope: 'none' });
  });

  it('is refused after ten wrong keys from an address, also with the right one, and later taken again', async () => {
    const fastify = await server();
    for (let attempt = 0; attempt < 10; attempt++) expect((await signIn(fastify, `sk_${attempt}`)).status).toBe(401);
    expect((await signIn(fastify, 'sk_admin')).status).toBe(429);
    // In whatever way keys are shown.
    expect(await statusOf(fastify, 'GET', '/api/v1/secrets', { authorization: 'Bearer sk_admin' })).toBe(429);
    now += 60_000;
    expect((await signIn(fastify, 'sk_admin')).status).toBe(200);
  });

  it.each([
    ['no body', undefined],
    ['no key', {}],
    ['a key that is no text', { key: ['sk_admin'] }],
    ['more than a key', { key: 'sk_admin', scope: 'admin' }],
    ['an endless key', { key: 'k'.repeat(300) }],
  ])('refuses %s', async (_what, payload) => {
    const fastify = await server();
    const response = await fastify.inject({ method: 'POST', url: '/api/v1/session', ...(payload === undefined ? {} : { payload }) });
    expect([400, 415]).toContain(response.statusCode);
    expect(response.headers['set-cookie']).toBeUndefined();
  });
});

describe('a session cookie', () => {
  it('is taken by every node that has the secret, also while it is being changed', async () => {
    const { cookie } = await signIn(await server({ secrets: [OTHER] }), 'sk_read');
    expect(await statusOf(await server({ secrets: [SECRET, OTHER] }), 'GET', '/api/v1/secrets', { cookie })).toBe(204);
    expect(await statusOf(await server({ secrets: [SECRET] }), 'GET', '/api/v1/secrets', { cookie })).toBe(401);
  });

  it('is not taken when anything in it was changed', async () => {
    const fastify = await server();
    const { cookie } = await signIn(fastify, 'sk_read');
    const [body = '', signature = ''] = cookie.slice('sluice-session='.length).split('.');
    const raised = Buffer.from(Buffer.from(body, 'base64url').toString().replace('read', 'admin')).toString('base64url');
    const empty = createHmac('sha256', '').update(raised).digest('base64url');
    for (const token of [
      `${raised}.${signature}`,
      `${raised}.${empty}`,
      `${raised}.`,
      `${raised}`,
      `.${signature}`,
      `${body}.${signature.slice(1)}`,
      'x'.repeat(5000),
    ])
      expect(await statusOf(fastify, 'GET', '/api/v1/secrets', { cookie: `sluice-session=${token}` })).toBe(401);
  });

  it('does not raise who may only read', async () => {
    const fastify = await server();
    const { cookie } = await signIn(fastify, 'sk_read');
    expect(await statusOf(fastify, 'DELETE', '/api/v1/things', { cookie, 'x-sluice-console': '1' })).toBe(403);
  });

  it('changes nothing for another site', async () => {
    const fastify = await server();
    const { cookie } = await signIn(fastify, 'sk_admin');
    const change = (headers: Record<string, string>): Promise<number> =>
      statusOf(fastify, 'DELETE', '/api/v1/things', { cookie, host: 'sluice.test', ...headers });
    expect(await change({})).toBe(403);
    expect(await change({ origin: 'http://sluice.test' })).toBe(403);
    expect(await change({ 'x-sluice-console': '1', origin: 'http://evil.test' })).toBe(403);
    expect(await change({ 'x-sluice-console': '1', origin: 'null' })).toBe(403);
    expect(await change({ 'x-sluice-console': '1', origin: 'http://sluice.test' })).toBe(204);
  });

  it('does not stand in for a key that is wrong', async () => {
    const fastify = await server();
    const { cookie } = await signIn(fastify, 'sk_admin');
    expect(await statusOf(fastify, 'GET', '/api/v1/secrets', { cookie, authorization: 'Bearer sk_wrong' })).toBe(401);
  });
});

/** Reads a server's events until `until` is in the text. */
async function events(fastify: FastifyInstance, until: string, lastId?: string, cookie = '', query = ''): Promise<string> {
  if (!fastify.server.listening) await fastify.listen({ host: '127.0.0.1', port: 0 });
  const { port } = fastify.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const headers = { cookie, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) };
    const request = httpRequest({ host: '127.0.0.1', port, path: `/api/v1/events${query}`, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
        if (!text.includes(until)) return;
        request.destroy();
        resolve(text);
      });
    });
    request.on('error', reject);
    request.end();
  });
}

describe('events', () => {
  const feed = (): EventFeed => {
    const made = new EventFeed({ run: 'abc', eventsMax: 3 });
    closings.push(() => made.close());
    return made;
  };
  const add = (to: EventFeed, path: string): void => to.add({ type: 'stream.started', data: { path } });

  it('are for those who may read', async () => {
    expect(await statusOf(await server({ feed: feed() }), 'GET', '/api/v1/events', {})).toBe(401);
  });

  it('come as they happen, with ids', async () => {
    const list = feed();
    const fastify = await server({ feed: list });
    const { cookie } = await signIn(fastify, 'sk_read');
    add(list, 'live/before');
    const text = events(fastify, '"live/now"', undefined, cookie);
    while (list.listenerCount === 0) await new Promise((resolve) => setImmediate(resolve));
    add(list, 'live/now');
    expect(await text).toBe(
      'retry: 1000\nid: abc-1\nevent: hello\ndata: {"isResumed":false}\n\nid: abc-2\nevent: stream.started\ndata: {"path":"live/now"}\n\n',
    );
  });

  it('go on after the one that was heard last, as far as they are kept', async () => {
    const list = feed();
    const fastify = await server({ feed: list, isLocal: true });
    for (const name of ['a', 'b', 'c', 'd', 'e']) add(list, `live/${name}`);
    expect(await events(fastify, '"live/e"', 'abc-3')).toMatch(/isResumed":true[\s\S]*id: abc-4[\s\S]*id: abc-5/);
    for (const id of ['abc-1', 'other-3', 'abc-99', 'nonsense', '-'])
      expect(await events(fastify, 'hello', id)).toContain('"isResumed":false');
    expect(await events(fastify, '"isResumed":true', 'abc-5')).toContain('id: abc-5');
  });

  it('say why they do not go on', async () => {
    const list = feed();
    const fastify = await server({ feed: list, isLocal: true });
    for (const name of ['a', 'b', 'c', 'd', 'e']) add(list, `live/${name}`);
    expect(await events(fastify, 'reset', 'abc-1')).toMatch(/hello\n[^\n]*\n\nevent: reset\ndata: {"reason":"too-old"}\n\n$/);
    expect(await events(fastify, 'reset', 'n2.5f2c-3')).toContain('data: {"reason":"other-server"}');
    expect(await events(fastify, '"live/e"', 'abc-4')).not.toContain('reset');
  });

  it('take the id of a new listener from the query, too', async () => {
    const list = feed();
    const fastify = await server({ feed: list, isLocal: true });
    for (const name of ['a', 'b']) add(list, `live/${name}`);
    expect(await events(fastify, '"live/b"', undefined, '', '?lastEventId=abc-1')).toMatch(/isResumed":true[\s\S]*id: abc-2/);
    expect(await statusOf(fastify, 'GET', '/api/v1/events?lastEventID=abc-1', {})).toBe(400);
  });

  it('are refused to more listeners than may be', async () => {
    const list = new EventFeed({ run: 'abc', listenersMax: 0 });
    closings.push(() => list.close());
    expect(await statusOf(await server({ feed: list, isLocal: true }), 'GET', '/api/v1/events', {})).toBe(503);
  });
});

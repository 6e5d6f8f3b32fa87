import { hash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessControl, type AccessDecision, AccessReplica, NO_COUNTERS, NO_FIGURES, NO_LIMITS, UrlPolicy } from '../../access/mod.ts';
import { type AppUsageResource, apiKeyOperations, appOperations, appUsageOperations } from '../../api/mod.ts';
import { testApi } from '../../api/test-api.fixture.ts';
import { monotonicMs, streamRef, wallMs } from '../../core/mod.ts';
import { StoreCalls } from '../cluster/mod.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { testSettings } from '../settings/settings.fixture.ts';
import { sha256Bytes } from './hashed-key.ts';
import { ApiKeyStore, AppStore, AuditLog, TokenVerifier, usageResource } from './mod.ts';

const ADMIN = 'sk_admin-of-the-folder';
const OWN_KEY = { name: 'admin', scope: 'admin', sha256: hash('sha256', ADMIN), createdAt: '2026-01-01T00:00:00.000Z' } as const;
let fastify: FastifyInstance;
let store: EmbeddedStore;
let replica: AccessReplica;
let control: AccessControl;
let clock: number;
let lines: string[];
let stored: string[];
let measured: string[];

beforeEach(async () => {
  clock = Date.now();
  lines = [];
  stored = [];
  measured = [];
  store = new EmbeddedStore({ file: join(mkdtempSync(join(tmpdir(), 'sluice-access-')), 'store.sqlite') });
  replica = new AccessReplica(store, { appDeleted: () => undefined });
  const policy = new UrlPolicy({ allowedNetworks: [], allowedFolders: [] });
  const wall = (): number => clock;
  const verifier = new TokenVerifier({ policy, wall });
  const ports = { sha256: sha256Bytes, now: () => monotonicMs(0), wall: () => wallMs(clock), verify: verifier.verify };
  control = new AccessControl(
    [{ name: 'live', keys: ['from-file'], publishFromLoopback: true, secondPublisher: 'reject' }],
    replica,
    ports,
  );
  const calls = new StoreCalls(store);
  const keys = new ApiKeyStore({ store: calls, replica, own: { apiKeys: [OWN_KEY] }, wall });
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const audit = new AuditLog({ store: calls, wall, log });
  const apps = new AppStore({
    store: calls,
    replica,
    control,
    policy,
    settings: testSettings({ calls, replica, control, wall }),
    wall,
    usageOf: (app) => {
      measured.push(app);
      return NO_FIGURES;
    },
  });
  fastify = await testApi({
    operations: [...appOperations(apps), ...appUsageOperations({ usageOf }), ...apiKeyOperations(keys, audit)],
    keys,
    changed: audit.note,
    publicReads: true,
    isLocal: () => true,
    version: '0.0.0',
  });
  await expect.poll(() => replica.isRead).toBe(true);
});

afterEach(async () => {
  await fastify.close();
  replica.close();
  store.close();
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what is in an answer is what the tests look at.
  readonly body: any;
}

async function call(key: string | undefined, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<Answer> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fastify.inject({ method, url: `/api/v1${path}`, headers, ...(body === undefined ? {} : { payload: body }) });
  const answer = { status: response.statusCode, body: response.body === '' ? undefined : response.json() };
  if (answer.body?.code === undefined) stored.push(answer.body?.key ?? '', answer.body?.secret ?? '');
  return answer;
}

function usageOf(app: string): AppUsageResource | undefined {
  const figures = { ...NO_FIGURES, viewers: 3 };
  return control.app(app) === undefined ? undefined : usageResource(app, figures, '2026-11', NO_COUNTERS, control.limitsOf(app));
}

async function keyFor(...scopes: string[]): Promise<string> {
  const { status, body } = await call(ADMIN, 'POST', '/api-keys', { scopes });
  expect(status).toBe(201);
  return body.key;
}

function publish(key: string, app: string, name = 'show'): AccessDecision | undefined {
  let decision: AccessDecision | undefined;
  control.admit({ act: 'publish', ref: streamRef(app, name), credential: { key }, address: '192.0.2.1' }, (made) => {
    decision = made;
  });
  return decision;
}

describe('apps by the API', () => {
  it('are made, found, changed and deleted, with their keys', async () => {
    expect((await call(ADMIN, 'POST', '/apps', { name: 'news', note: 'n' })).status).toBe(201);
    expect((await call(ADMIN, 'POST', '/apps', { name: 'news' })).body.code).toBe('apps.exists');
    expect((await call(ADMIN, 'GET', '/apps')).body.items.map(({ name }: { name: string }) => name)).toEqual(['live', 'news']);
    const patched = await call(ADMIN, 'PATCH', '/apps/news', { playback: { policy: 'domains', domains: ['Example.org'] } });
    expect(patched.body.playback).toEqual({ policy: 'domains', domains: ['example.org'], networks: [] });
    expect((await call(ADMIN, 'GET', '/apps/news')).body).toEqual(patched.body);
    const { body: key } = await call(ADMIN, 'POST', '/apps/news/keys', {});
    expect(publish(key.key, 'news')).toBe('allowed');
    expect((await call(ADMIN, 'DELETE', '/apps/news')).status).toBe(204);
    expect(publish(key.key, 'news')).toEqual({ refused: 'app-unknown' });
    await call(ADMIN, 'POST', '/apps', { name: 'news' });
    expect(publish(key.key, 'news')).toEqual({ refused: 'key-wrong' });
  });

  it('are measured for the page that is asked for alone', async () => {
    for (const name of ['a', 'b', 'c']) await call(ADMIN, 'POST', '/apps', { name });
    const { body } = await call(ADMIN, 'GET', '/apps?limit=2');
    expect(body.items).toMatchObject([
      { name: 'a', usage: { viewers: 0 } },
      { name: 'b', usage: { viewers: 0 } },
    ]);
    expect(measured).toEqual(['a', 'b']);
  });

  it('of the configuration are shown, can be changed, and cannot be deleted', async () => {
    expect((await call(ADMIN, 'GET', '/apps/live')).body).toMatchObject({ configured: true, configuredKeys: 1, publishFromLoopback: true });
    expect((await call(ADMIN, 'PATCH', '/apps/live', { playback: { policy: 'token' } })).status).toBe(200);
    expect(control.isOpen('live')).toBe(false);
    expect((await call(ADMIN, 'DELETE', '/apps/live')).body.code).toBe('apps.configured');
    expect(publish('from-file', 'live')).toBe('allowed');
  });

  it.each([
    [{ name: 'api' }, 'apps.name'],
    [{ name: '../x' }, 'api.bad-request'],
    [{ name: 'a', more: 1 }, 'api.bad-request'],
    [{ name: 'a', playback: { policy: 'domains' } }, 'apps.playback'],
    [{ name: 'a', playback: { policy: 'domains', domains: ['https://x'] } }, 'apps.playback'],
    [{ name: 'a', playback: { policy: 'networks', networks: ['10.0.0.0/99'] } }, 'apps.playback'],
    [{ name: 'a', tokens: { jwksUrl: 'http://example.org/keys' } }, 'apps.key-set'],
    [{ name: 'a', tokens: { jwksUrl: 'https://127.0.0.1/keys' } }, 'apps.key-set'],
    [{ name: 'a', tokens: { jwksUrl: 'file:///etc/passwd' } }, 'apps.key-set'],
  ])('that are wished for wrongly (%j) are refused', async (wish, code) => {
    expect((await call(ADMIN, 'POST', '/apps', wish)).body.code).toBe(code);
    expect(replica.apps.get('a')).toBeUndefined();
  });
});

describe('limits by the API', () => {
  const NONE = { streams: null, viewers: null, bitrateInBps: null, bitrateOutBps: null, transcodeMinutes: null, recordingMinutes: null };

  it('are set one by one, shown beside what is used, and taken away by null', async () => {
    expect((await call(ADMIN, 'GET', '/apps/live')).body.limits).toEqual(NONE);
    const set = await call(ADMIN, 'PATCH', '/apps/live', { limits: { viewers: 5, streams: 0 } });
    expect(set.body.limits).toEqual({ ...NONE, viewers: 5, streams: 0 });
    expect((await call(ADMIN, 'PATCH', '/apps/live', { limits: { streams: null } })).body.limits).toEqual({ ...NONE, viewers: 5 });
    expect((await call(ADMIN, 'PATCH', '/apps/live', { note: 'n' })).body.limits.viewers).toBe(5);
    expect(control.limitsOf('live')).toEqual({ ...NO_LIMITS, viewers: 5 });
    const usage = (await call(ADMIN, 'GET', '/apps/live/usage')).body;
    expect(usage).toMatchObject({ app: 'live', now: { viewers: { used: 3, limit: 5 }, streams: { used: 0, limit: null } } });
    const [listed] = (await call(ADMIN, 'GET', '/apps')).body.items;
    expect(listed).toMatchObject({ name: 'live', usage: { streams: 0, viewers: 0 } });
    const audit = (await call(ADMIN, 'GET', '/audit')).body.items;
    expect(
      audit.some(({ after }: { after?: { limits?: object } }) => JSON.stringify(after?.limits) === JSON.stringify({ ...NONE, viewers: 5 })),
    ).toBe(true);
  });

  it.each([-1, 1.5, 1e15, Number.NaN, 'many', {}, []])('of %j are refused', async (value) => {
    const text = Number.isNaN(value) ? '{"limits":{"viewers":NaN}}' : JSON.stringify({ limits: { viewers: value } });
    const headers = { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' };
    const response = await fastify.inject({ method: 'PATCH', url: '/api/v1/apps/live', headers, payload: text });
    expect(response.statusCode).toBe(400);
    expect(control.limitsOf('live')).toEqual(NO_LIMITS);
  });

  it('of what is not known are refused', async () => {
    for (const limits of [{ storageMinutes: 5 }, {}, { viewers: 5, more: 1 }])
      expect((await call(ADMIN, 'PATCH', '/apps/live', { limits })).body.code).toBe('api.bad-request');
  });

  it('are not set by those whom they hold back', async () => {
    const key = await keyFor('app:live');
    await call(ADMIN, 'PATCH', '/apps/live', { limits: { viewers: 5 } });
    for (const limits of [{ viewers: null }, { viewers: 1_000 }, { streams: 1 }])
      expect((await call(key, 'PATCH', '/apps/live', { note: 'n', limits })).body.code).toBe('api.scope-missing');
    expect(control.limitsOf('live')).toEqual({ ...NO_LIMITS, viewers: 5 });
    expect((await call(key, 'PATCH', '/apps/live', { note: 'n' })).body).toMatchObject({ note: 'n', limits: { viewers: 5 } });
  });

  it('and usage of other apps are not there for the key of one', async () => {
    await call(ADMIN, 'POST', '/apps', { name: 'news' });
    const key = await keyFor('app:live');
    expect((await call(key, 'GET', '/apps/live/usage')).status).toBe(200);
    for (const app of ['news', 'nowhere']) {
      expect((await call(key, 'GET', `/apps/${app}/usage`)).body.code).toBe('apps.not-found');
      expect((await call(key, 'PATCH', `/apps/${app}`, { limits: { viewers: 1 } })).body.code).toBe('apps.not-found');
    }
    expect((await call(ADMIN, 'GET', '/apps/nowhere/usage')).body.code).toBe('apps.not-found');
  });
});

describe('sessions of what is taken away', () => {
  it('are told to end on all nodes, where that is asked for', async () => {
    const ids = (): readonly string[] => [...replica.withdrawals.values()].map(({ id }) => id);
    const { body: made } = await call(ADMIN, 'POST', '/apps/live/keys', {});
    const { body: kept } = await call(ADMIN, 'POST', '/apps/live/keys', {});
    let by = '';
    const letInBy = (credential: string): void => {
      by = credential;
    };
    const request = {
      act: 'publish',
      ref: streamRef('live', 'show'),
      credential: { key: made.key },
      address: '192.0.2.1',
      letInBy,
    } as const;
    control.admit(request, () => undefined);
    await call(ADMIN, 'DELETE', `/apps/live/keys/${kept.id}`);
    expect(ids()).toEqual([]);
    expect((await call(ADMIN, 'DELETE', `/apps/live/keys/${made.id}?endSessions=true`)).status).toBe(204);
    expect(ids()).toEqual([by]);
    await call(ADMIN, 'POST', '/apps/live/revoked-tokens', { jti: 'a', expiresInS: 10 });
    expect(ids()).toHaveLength(1);
    await call(ADMIN, 'POST', '/apps/live/revoked-tokens', { jti: 'b', expiresInS: 10, endSessions: true });
    expect(ids()).toHaveLength(2);
  });
});

describe('keys by the API', () => {
  it('are for one stream, expire, rotate, and are shown once', async () => {
    const { body: made } = await call(ADMIN, 'POST', '/apps/live/keys', { stream: 'show', expiresInS: 60, note: 'studio' });
    expect(publish(made.key, 'live')).toBe('allowed');
    expect(publish(made.key, 'live', 'other')).toEqual({ refused: 'key-stream' });
    const { body: next } = await call(ADMIN, 'POST', `/apps/live/keys/${made.id}/rotate`, { graceS: 10 });
    expect([publish(made.key, 'live'), publish(next.key, 'live')]).toEqual(['allowed', 'allowed']);
    clock += 10_000;
    expect([publish(made.key, 'live'), publish(next.key, 'live')]).toEqual([{ refused: 'key-expired' }, 'allowed']);
    const { body: page } = await call(ADMIN, 'GET', '/apps/live/keys');
    expect(page.items).toMatchObject([{ id: made.id, stream: 'show', note: 'studio' }]);
    expect(JSON.stringify(page)).not.toContain('"key"');
    expect((await call(ADMIN, 'DELETE', `/apps/live/keys/${made.id}`)).status).toBe(204);
    expect((await call(ADMIN, 'DELETE', `/apps/live/keys/${made.id}`)).body.code).toBe('apps.key-not-found');
  });

  it('for tokens are a secret of the server, or a public key', async () => {
    const { body: made } = await call(ADMIN, 'POST', '/apps/live/token-keys', { algorithm: 'HS256' });
    expect(made.secret).toMatch(/^[\w-]{43}$/);
    expect((await call(ADMIN, 'GET', '/apps/live')).body.tokens.keys).toEqual([
      { id: made.id, algorithm: 'HS256', createdAt: made.createdAt },
    ]);
    for (const wish of [{ algorithm: 'ES256' }, { algorithm: 'ES256', publicKey: 'x' }, { algorithm: 'HS256', publicKey: 'x' }])
      expect((await call(ADMIN, 'POST', '/apps/live/token-keys', wish)).body.code).toBe('apps.public-key');
    expect((await call(ADMIN, 'DELETE', `/apps/live/token-keys/${made.id}`)).status).toBe(204);
    expect((await call(ADMIN, 'DELETE', `/apps/live/token-keys/${made.id}`)).status).toBe(404);
  });

  it('of the API do what their scopes say until they expire or are deleted', async () => {
    const reader = await keyFor('read');
    expect((await call(reader, 'GET', '/apps/live')).status).toBe(200);
    expect((await call(reader, 'PATCH', '/apps/live', { note: 'x' })).body.code).toBe('api.scope-missing');
    expect((await call(reader, 'GET', '/api-keys')).body.code).toBe('api.scope-missing');
    const { body: brief } = await call(ADMIN, 'POST', '/api-keys', { scopes: ['admin'], expiresInS: 10 });
    expect((await call(brief.key, 'GET', '/api-keys')).status).toBe(200);
    clock += 10_000;
    expect((await call(brief.key, 'GET', '/api-keys')).body.code).toBe('api.key-wrong');
    const id = reader.slice(3, 19);
    expect((await call(ADMIN, 'DELETE', `/api-keys/${id}`)).status).toBe(204);
    expect((await call(reader, 'GET', '/apps')).body.code).toBe('api.key-wrong');
    expect((await call(`${brief.key}x`, 'GET', '/apps')).body.code).toBe('api.key-wrong');
    expect((await call(undefined, 'GET', '/apps')).body.code).toBe('api.key-missing');
    expect((await call(ADMIN, 'POST', '/api-keys', { scopes: ['app:../x'] })).body.code).toBe('api.bad-request');
  });
});

describe("a key for one app, with another tenant's ids", () => {
  it('gets what it would get if they did not exist, whatever it tries', async () => {
    await call(ADMIN, 'POST', '/apps', { name: 'mine' });
    await call(ADMIN, 'POST', '/apps', { name: 'theirs' });
    const tenant = await keyFor('app:mine');
    const { body: key } = await call(ADMIN, 'POST', '/apps/theirs/keys', {});
    const { body: tokenKey } = await call(ADMIN, 'POST', '/apps/theirs/token-keys', { algorithm: 'HS256' });
    const tries = [
      ['GET', ''],
      ['PATCH', '', { note: 'x' }],
      ['GET', '/keys'],
      ['POST', '/keys', {}],
      ['POST', `/keys/${key.id}/rotate`, {}],
      ['DELETE', `/keys/${key.id}`],
      ['POST', '/token-keys', { algorithm: 'HS256' }],
      ['DELETE', `/token-keys/${tokenKey.id}`],
      ['GET', '/revoked-tokens'],
      ['POST', '/revoked-tokens', { jti: 'x' }],
    ] as const;
    for (const [method, path, body] of tries) {
      const theirs = await call(tenant, method, `/apps/theirs${path}`, body);
      const nobodys = await call(tenant, method, `/apps/nobody${path}`, body);
      expect([method, path, theirs.status, theirs.body.code]).toEqual([method, path, 404, 'apps.not-found']);
      expect(JSON.stringify(theirs.body).replaceAll('theirs', 'nobody')).toBe(JSON.stringify(nobodys.body));
    }
    // Under its own app, another's ids are none.
    expect((await call(tenant, 'DELETE', `/apps/mine/keys/${key.id}`)).status).toBe(404);
    expect((await call(tenant, 'POST', `/apps/mine/keys/${key.id}/rotate`, {})).status).toBe(404);
    expect((await call(tenant, 'DELETE', `/apps/mine/token-keys/${tokenKey.id}`)).status).toBe(404);
    expect(publish(key.key, 'theirs')).toBe('allowed');
    expect((await call(tenant, 'GET', '/apps')).body.items.map(({ name }: { name: string }) => name)).toEqual(['mine']);
    expect((await call(tenant, 'PATCH', '/apps/mine', { note: 'x' })).status).toBe(200);
    for (const [method, path] of [
      ['POST', '/apps'],
      ['DELETE', '/apps/mine'],
      ['GET', '/api-keys'],
    ] as const)
      expect((await call(tenant, method, path, method === 'POST' ? { name: 'more' } : undefined)).body.code).toBe('api.scope-missing');
  });
});

describe('the log of changes', () => {
  it('says who changed what, from what to what, the newest first, and holds no secret', async () => {
    await call(ADMIN, 'POST', '/apps', { name: 'mine' });
    const tenant = await keyFor('app:mine');
    clock += 1000;
    await call(tenant, 'PATCH', '/apps/mine', { note: 'new' });
    clock += 1000;
    await call(ADMIN, 'POST', '/apps/mine/keys', {});
    await call(ADMIN, 'POST', '/apps/mine/token-keys', { algorithm: 'HS256' });
    await call(ADMIN, 'POST', '/apps/mine/revoked-tokens', { jti: 'viewer-1' });
    const entries = async (key: string): Promise<{ action: string; target: string; who: string; before: unknown; after: unknown }[]> =>
      (await call(key, 'GET', '/audit')).body.items;
    await expect.poll(async () => (await entries(ADMIN)).length).toBe(6);
    const found = (await call(ADMIN, 'GET', '/audit?search=CHANGE%20mine')).body.items;
    expect(found.map(({ action }: { action: string }) => action)).toEqual(['changeApp']);
    const all = await entries(ADMIN);
    const change = all.find(({ action }) => action === 'changeApp');
    expect(change).toMatchObject({ target: '/apps/mine', who: `key:${tenant.slice(3, 19)}`, before: { note: '' }, after: { note: 'new' } });
    expect(
      all
        .slice(-2)
        .map(({ action }) => action)
        .sort(),
    ).toEqual(['createApiKey', 'createApp']);
    expect((await entries(tenant)).map(({ action }) => action)).not.toContain('createApiKey');
    expect(await entries(tenant)).toHaveLength(5);
    const written = JSON.stringify(all) + lines.join('');
    for (const secret of stored.filter((text) => text !== '')) expect(written).not.toContain(secret);
  });

  it('has nothing of what was refused', async () => {
    await call(ADMIN, 'POST', '/apps', { name: 'api' });
    await call(undefined, 'POST', '/apps', { name: 'mine' });
    expect((await call(ADMIN, 'GET', '/audit')).body.items).toEqual([]);
  });
});

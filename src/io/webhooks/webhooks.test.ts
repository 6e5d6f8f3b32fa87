import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AccessDecision, type AccessRequest, UrlPolicy } from '../../access/mod.ts';
import { type NotedChange, webhookOperations } from '../../api/mod.ts';
import { testApi, testKeys } from '../../api/test-api.fixture.ts';
import type { StoreEntry } from '../../cluster/mod.ts';
import { streamRef } from '../../core/mod.ts';
import { systemClock } from '../clock.ts';
import { StoreCalls } from '../cluster/mod.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { openGate } from '../open-gate.fixture.ts';
import { HookReceiver, hangUp, status } from './hook-receiver.fixture.ts';
import { Webhooks } from './webhooks.ts';

const WAIT = { timeout: 20_000, interval: 20 };

let folder: string;
let store: EmbeddedStore;
let hooks: Webhooks;
let fastify: FastifyInstance;
let receiver: HookReceiver;
let noted: NotedChange[];
let lines: string[];

const node = (nodeId: string, dataFolder: string): Webhooks =>
  new Webhooks({
    store,
    dataFolder,
    nodeId,
    policy: new UrlPolicy({ allowedNetworks: ['127.0.0.1'], allowedFolders: [] }),
    hasApp: (name) => name === 'live' || name === 'news',
    clock: systemClock,
    log: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    random: () => 0.999,
  });

async function start(): Promise<void> {
  hooks = node('n1', folder);
  fastify = await testApi({
    operations: webhookOperations(hooks.registry),
    keys: testKeys({ sk_admin: 'admin', sk_read: 'read', sk_live: ['live'], sk_news: ['news'] }),
    changed: (change) => noted.push(change),
    publicReads: true,
    isLocal: () => true,
    version: '0.0.0',
  });
  await vi.waitFor(() => expect(hooks.isRead).toBe(true), WAIT);
}

async function stop(): Promise<void> {
  await fastify.close();
  await hooks.close();
}

beforeEach(async () => {
  noted = [];
  lines = [];
  folder = mkdtempSync(join(tmpdir(), 'sluice-hooks-'));
  store = new EmbeddedStore({ file: join(folder, 'store.sqlite') });
  receiver = await HookReceiver.start();
  await start();
});

afterEach(async () => {
  await stop();
  store.close();
  await receiver.close();
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what is in an answer is what the tests look at.
  readonly body: any;
}

async function call(key: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fastify.inject({ method, url: `/api/v1/apps${path}`, headers, ...(body === undefined ? {} : { payload: body }) });
  return { status: response.statusCode, body: response.body === '' ? undefined : response.json() };
}

async function make(settings: object, kind: 'admission' | 'events' = 'events', key = 'sk_live'): Promise<{ id: string; secret: string }> {
  // A machine that is busy must not make a hook look slow.
  const all = kind === 'admission' ? { timeoutMs: 10_000, ...settings } : settings;
  const { status: code, body } = await call(key, 'POST', '/live/webhooks', { kind, url: receiver.url, [kind]: all });
  expect([code, body.code]).toEqual([201, undefined]);
  await untilShown(body.id, { id: body.id });
  return body;
}

/** Settles when this node has heard of a change. */
async function untilShown(id: string, hook: object): Promise<void> {
  await vi.waitFor(async () => expect((await call('sk_admin', 'GET', `/live/webhooks/${id}`)).body).toMatchObject(hook), WAIT);
}

const started = (name: string, data: Readonly<Record<string, unknown>> = {}): void =>
  hooks.publish({ type: 'stream.started', app: 'live', stream: `live/${name}`, lane: `live/${name}`, data });

function admit(request: Partial<AccessRequest> = {}): Promise<AccessDecision> {
  return new Promise((resolve) => {
    hooks.behind(openGate).admit(
      {
        act: 'publish',
        ref: streamRef('live', 'show'),
        credential: { key: 'stream-secret' },
        address: '192.0.2.7',
        protocol: 'rtmp',
        ...request,
      },
      resolve,
    );
  });
}

describe('webhooks by the API', () => {
  it('are made, shown, changed, rotated and deleted, and show their secret once', async () => {
    const made = await make({ types: ['stream.started'] });
    expect(made.secret).toMatch(/^whsec_[\w-]{43}$/);
    const { body: shown } = await call('sk_read', 'GET', `/live/webhooks/${made.id}`);
    expect(shown).toMatchObject({
      kind: 'events',
      url: receiver.url,
      enabled: true,
      events: { types: ['stream.started'], retryForS: 86_400 },
    });
    const patch = { url: 'https://hooks.example.org/in?key=hidden', note: 'n', events: { retryForS: 5 } };
    const { body: changed } = await call('sk_live', 'PATCH', `/live/webhooks/${made.id}`, patch);
    expect(changed).toMatchObject({
      url: 'https://hooks.example.org/in?…',
      note: 'n',
      events: { types: ['stream.started'], retryForS: 5 },
    });
    const { body: rotated } = await call('sk_live', 'POST', `/live/webhooks/${made.id}/rotate`, { graceS: 60 });
    expect([rotated.secret === made.secret, typeof rotated.oldSecretUntil]).toEqual([false, 'string']);
    const { body: list } = await call('sk_read', 'GET', '/live/webhooks');
    expect(list.items).toHaveLength(1);
    expect((await call('sk_live', 'DELETE', `/live/webhooks/${made.id}`)).status).toBe(204);
    await untilShown(made.id, { code: 'webhooks.not-found' });
    const told = JSON.stringify([shown, changed, list, noted, lines]);
    for (const secret of [made.secret, rotated.secret, 'hidden']) expect(told).not.toContain(secret);
    expect(noted.map(({ action, app }) => `${action} ${app}`)).toEqual([
      'createWebhook live',
      'changeWebhook live',
      'rotateWebhookSecret live',
      'deleteWebhook live',
    ]);
  });

  it('are not there for keys of other apps, and not changed by keys that may only read', async () => {
    const { id } = await make({ types: ['stream.started'] });
    const calls = [
      ['GET', ''],
      ['PATCH', '', { note: 'x' }],
      ['DELETE', ''],
      ['POST', '/test'],
      ['POST', '/rotate', {}],
      ['GET', '/deliveries'],
      ['GET', '/dead-letters'],
      ['POST', '/dead-letters/x/retry'],
      ['DELETE', '/dead-letters/x'],
    ] as const;
    for (const [method, path, body] of calls) {
      expect((await call('sk_news', method, `/live/webhooks/${id}${path}`, body)).body.code).toBe('apps.not-found');
      expect((await call('sk_news', method, `/news/webhooks/${id}${path}`, body)).body.code).toBe('webhooks.not-found');
      if (method !== 'GET')
        expect((await call('sk_read', method, `/live/webhooks/${id}${path}`, body)).body.code).toBe('api.scope-missing');
    }
    expect((await call('sk_admin', 'GET', '/nowhere/webhooks')).body.code).toBe('apps.not-found');
  });

  it.each([
    [{ kind: 'events', url: 'https://10.0.0.1/', events: { types: ['stream.ended'] } }, 'webhooks.url'],
    [{ kind: 'events', url: 'http://169.254.169.254/latest', events: { types: ['stream.ended'] } }, 'webhooks.url'],
    [{ kind: 'events', url: 'https://u:p@hooks.example.org/', events: { types: ['stream.ended'] } }, 'webhooks.url'],
    [{ kind: 'events', url: 'javascript:alert(1)', events: { types: ['stream.ended'] } }, 'webhooks.url'],
    [{ kind: 'events', url: 'https://hooks.example.org/' }, 'webhooks.settings'],
    [{ kind: 'admission', url: 'https://hooks.example.org/', events: { types: ['stream.ended'] } }, 'webhooks.settings'],
    [{ kind: 'events', url: 'https://hooks.example.org/', events: { types: ['node.gone'] } }, 'webhooks.events'],
    [{ kind: 'events', url: 'https://hooks.example.org/', events: { types: ['made.up'] } }, 'api.bad-request'],
    [{ kind: 'admission', url: 'https://hooks.example.org/', admission: { for: ['play'], timeoutMs: 60_000 } }, 'api.bad-request'],
    [{ kind: 'admission', url: 'https://hooks.example.org/', admission: { for: ['play'] }, secret: 'mine' }, 'api.bad-request'],
  ])('that are wished for wrongly (%j) are refused', async (wish, code) => {
    expect((await call('sk_live', 'POST', '/live/webhooks', wish)).body.code).toBe(code);
  });

  it('that tell of the cluster are left alone by keys of apps', async () => {
    const { id } = await make({ types: ['node.changed'] }, 'events', 'sk_admin');
    const { body } = await call('sk_live', 'PATCH', `/live/webhooks/${id}`, { url: 'https://evil.example.org/' });
    expect(body.code).toBe('webhooks.events');
    hooks.publish({ type: 'node.changed', lane: 'n2', data: { node: 'n2' } });
    await vi.waitFor(() => expect(receiver.events).toMatchObject([{ type: 'node.changed', data: { node: 'n2' } }]), WAIT);
    expect(receiver.events[0].app).toBeUndefined();
  });

  it('keep what they have not delivered of the cluster from keys of apps', async () => {
    const { id } = await make({ types: ['node.changed', 'stream.started'], retryForS: 0 }, 'events', 'sk_admin');
    receiver.answer = status(500);
    hooks.publish({ type: 'node.changed', lane: 'n2', data: { node: 'n2' } });
    started('show');
    const types = async (key: string): Promise<string[]> => {
      const { body } = await call(key, 'GET', `/live/webhooks/${id}/dead-letters`);
      return body.items.map(({ type }: { type: string }) => type).sort();
    };
    await vi.waitFor(async () => expect(await types('sk_admin')).toEqual(['node.changed', 'stream.started']), WAIT);
    expect(await types('sk_live')).toEqual(['stream.started']);
  });

  it('show their log also where a later build has written to it', async () => {
    const { id } = await make({ types: ['stream.started'] });
    started('show');
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), WAIT);
    const entry = {
      id: 'a',
      type: 'stream.started',
      node: 'n9',
      at: '2026-01-02T03:04:05.000Z',
      status: 'delivered',
      attempts: 1,
      durationMs: 1,
    };
    const items = [
      entry,
      { ...entry, id: 'b', status: 'folded' },
      { ...entry, id: 'c', attempts: undefined },
      { ...entry, id: 'd', httpStatus: 'ok' },
    ];
    await new StoreCalls(store).change(`webhook-log/${id}/n9`, () => Buffer.from(JSON.stringify({ v: 1, items })));
    await vi.waitFor(async () => {
      const { status: code, body } = await call('sk_live', 'GET', `/live/webhooks/${id}/deliveries`);
      expect([code, body.items.map(({ node: by }: { node: string }) => by).sort()]).toEqual([200, ['n1', 'n9']]);
    }, WAIT);
  });

  it('of newer software are listed and left as they are, go unreached, and lose no events', async () => {
    const told = await make({ types: ['stream.started'] });
    const asked = await make({ for: ['publish'], whenDown: 'allow' }, 'admission');
    const calls = new StoreCalls(store);
    const records = async (): Promise<string[]> =>
      Promise.all([told, asked].map(async ({ id }) => Buffer.from((await calls.get(`webhooks/${id}`))?.value ?? []).toString()));
    const rewrite = async (from: string, to: string): Promise<void> => {
      for (const { id } of [told, asked]) {
        const { value, revision } = (await calls.get(`webhooks/${id}`)) as StoreEntry;
        const next = Buffer.from(Buffer.from(value).toString().replace(from, to));
        // Past what keeps this software from writing over what newer software has written.
        await new Promise((resolve) => store.update(`webhooks/${id}`, next, revision, resolve));
      }
    };
    await rewrite('{"v":1,', '{"v":2,"fresh":"kept",');
    for (const { id } of [told, asked]) await untilShown(id, { problem: expect.stringContaining('newer software') });
    const newer = await records();
    const { body: list } = await call('sk_live', 'GET', '/live/webhooks');
    expect(list.items.map(({ kind, url, problem }: Record<string, string>) => [kind, url, problem !== undefined]).sort()).toEqual([
      ['admission', receiver.url, true],
      ['events', receiver.url, true],
    ]);
    for (const [method, path, wish] of [
      ['PATCH', '', { enabled: false }],
      ['POST', '/rotate', { graceS: 0 }],
    ] as const)
      expect((await call('sk_live', method, `/live/webhooks/${told.id}${path}`, wish)).body.code).toBe('webhooks.newer');
    expect((await call('sk_live', 'POST', `/live/webhooks/${told.id}/test`)).body).toMatchObject({ ok: false });
    expect(await admit()).toBe('allowed');
    started('show');
    await vi.waitFor(async () => {
      const { body } = await call('sk_live', 'GET', `/live/webhooks/${told.id}/deliveries`);
      expect(body.items).toMatchObject([{ status: 'retrying', detail: expect.stringContaining('newer software') }]);
    }, WAIT);
    expect(receiver.received).toEqual([]);
    expect(await records()).toEqual(newer);
    // As a node that was updated reads it.
    await rewrite('{"v":2,', '{"v":1,');
    await vi.waitFor(() => expect(receiver.events).toMatchObject([{ type: 'stream.started', stream: 'live/show' }]), WAIT);
    await rewrite('{"v":1,', '{"v":2,');
    await untilShown(told.id, { problem: expect.stringContaining('newer software') });
    expect((await call('sk_live', 'DELETE', `/live/webhooks/${told.id}`)).status).toBe(204);
    expect((await call('sk_live', 'GET', `/live/webhooks/${told.id}`)).body.code).toBe('webhooks.not-found');
  });

  it('are bounded in number', async () => {
    for (let count = 0; count < 16; count++) await make({ types: ['stream.started'] });
    const wish = { kind: 'events', url: receiver.url, events: { types: ['stream.started'] } };
    expect((await call('sk_live', 'POST', '/live/webhooks', wish)).body.code).toBe('webhooks.too-many');
  });

  it('are tested, with what came back', async () => {
    const { id } = await make({ types: ['stream.started'] });
    receiver.answer = status(418, 'tea\r\npot');
    const { body } = await call('sk_live', 'POST', `/live/webhooks/${id}/test`);
    expect(body).toMatchObject({ ok: false, httpStatus: 418, body: 'tea pot' });
    const asked = await make({ for: ['play'] }, 'admission');
    receiver.answer = status(200, '{"allow":false,"reason":"not today"}');
    const { body: answer } = await call('sk_live', 'POST', `/live/webhooks/${asked.id}/test`);
    expect(answer).toMatchObject({ ok: true, httpStatus: 200, verdict: 'refused', detail: 'not today' });
    expect(receiver.events).toMatchObject([{ type: 'webhook.test' }, { type: 'play', test: true }]);
    receiver.answer = hangUp;
    expect((await call('sk_live', 'POST', `/live/webhooks/${asked.id}/test`)).body).toMatchObject({ ok: false, verdict: 'down' });
  });
});

describe('admission', () => {
  it('is refused with the reason of the hook, which is told no secret', async () => {
    const { id } = await make({ for: ['publish'] }, 'admission');
    receiver.answer = status(200, '{"allow":false,"reason":"no\\n contract"}');
    expect(await admit()).toEqual({ refused: 'hook-refused', because: 'no contract' });
    expect(receiver.events).toMatchObject([
      { v: 1, type: 'publish', app: 'live', stream: 'live/show', protocol: 'rtmp', address: '192.0.2.7', node: 'n1' },
    ]);
    expect(receiver.received[0]?.body).not.toContain('stream-secret');
    await vi.waitFor(async () => {
      const { body } = await call('sk_live', 'GET', `/live/webhooks/${id}/deliveries`);
      expect(body.items).toMatchObject([
        { status: 'refused', type: 'publish', httpStatus: 200, attempts: 1, node: 'n1', detail: 'no contract' },
      ]);
    }, WAIT);
  });

  it('goes by what is set while the hook is slow, broken or gone', async () => {
    const { id } = await make({ for: ['publish'], timeoutMs: 100, whenDown: 'allow' }, 'admission');
    receiver.answer = () => undefined;
    expect(await admit()).toBe('allowed');
    receiver.answer = status(200, '<html>');
    expect(await admit()).toBe('allowed');
    await call('sk_live', 'PATCH', `/live/webhooks/${id}`, { admission: { whenDown: 'refuse' } });
    await untilShown(id, { admission: { whenDown: 'refuse' } });
    expect(await admit()).toEqual({ refused: 'hook-unavailable' });
    receiver.answer = hangUp;
    expect(await admit()).toEqual({ refused: 'hook-unavailable' });
    expect(lines.filter((line) => line.includes('webhook.down'))).toHaveLength(1);
  });

  it('of viewers is asked for once in a while, and publishers who are refused are told of', async () => {
    await make({ for: ['play'], cacheS: 3_600 }, 'admission');
    const gate = hooks.behind(openGate);
    const play = (): Promise<AccessDecision> =>
      new Promise((resolve) => gate.admit({ act: 'play', ref: streamRef('live', 'show'), credential: {}, address: '192.0.2.7' }, resolve));
    expect(gate.isOpen('live')).toBe(false);
    expect(await Promise.all([play(), play(), play()])).toEqual(['allowed', 'allowed', 'allowed']);
    expect(await play()).toBe('allowed');
    expect(receiver.received).toHaveLength(1);
  });
});

describe('events', () => {
  it('are delivered in the order of their stream, after failures too', async () => {
    await make({ types: ['stream.started', 'stream.ended'] });
    let failures = 2;
    receiver.answer = (response, received) => (failures-- > 0 ? status(500) : status(204))(response, received);
    started('show');
    hooks.publish({ type: 'stream.ended', app: 'live', stream: 'live/show', lane: 'live/show', data: {} });
    hooks.publish({ type: 'stream.held', app: 'live', stream: 'live/show', lane: 'live/show', data: {} });
    hooks.publish({ type: 'stream.started', app: 'news', stream: 'news/show', lane: 'news/show', data: {} });
    await vi.waitFor(
      () => expect(receiver.events.map(({ type }) => type)).toEqual(['stream.started', 'stream.started', 'stream.started', 'stream.ended']),
      WAIT,
    );
    expect(new Set(receiver.events.map(({ id }) => id)).size).toBe(2);
    await vi.waitFor(() => expect(hooks.waiting).toBe(0), WAIT);
  });

  it('outlive the process that accepted them', async () => {
    const { id } = await make({ types: ['stream.started'] });
    receiver.answer = hangUp;
    for (const name of ['a', 'b', 'c']) started(name);
    await vi.waitFor(async () => {
      const { body } = await call('sk_live', 'GET', `/live/webhooks/${id}/deliveries`);
      expect(body.items.filter(({ status: each }: { status: string }) => each === 'retrying')).toHaveLength(3);
    }, WAIT);
    await stop();
    const before = receiver.received.length;
    receiver.answer = status(204);
    await start();
    const arrived = (): string[] => receiver.events.slice(before).map(({ stream }) => stream);
    await vi.waitFor(() => expect(arrived().sort()).toEqual(['live/a', 'live/b', 'live/c']), WAIT);
    await vi.waitFor(async () => {
      const { body } = await call('sk_live', 'GET', `/live/webhooks/${id}/deliveries`);
      expect(body.items.map(({ status: each }: { status: string }) => each)).toEqual(['delivered', 'delivered', 'delivered']);
    }, WAIT);
    await vi.waitFor(() => expect(hooks.waiting).toBe(0), WAIT);
    await stop();
    await start();
    started('d');
    await vi.waitFor(() => expect(arrived().at(-1)).toBe('live/d'), WAIT);
    expect(arrived()).toHaveLength(4);
  });

  it('that happen before the hooks were read are told of then, in their order', async () => {
    await make({ types: ['stream.started', 'stream.ended'] });
    const other = node('n2', join(folder, 'other'));
    expect(other.isRead).toBe(false);
    for (const type of ['stream.started', 'stream.ended'] as const)
      other.publish({ type, app: 'live', stream: 'live/early', lane: 'live/early', data: {} });
    await vi.waitFor(() => expect(receiver.events.map(({ type }) => type)).toEqual(['stream.started', 'stream.ended']), WAIT);
    await other.close();
  });

  it('that do not arrive become dead letters, which are sent again or deleted', async () => {
    const { id } = await make({ types: ['stream.started'], retryForS: 0 });
    receiver.answer = status(500);
    for (const name of ['a', 'b']) started(name, { protocol: 'rtmp' });
    const letters = async (): Promise<{ id: string; event: { stream: string } }[]> =>
      (await call('sk_read', 'GET', `/live/webhooks/${id}/dead-letters`)).body.items;
    await vi.waitFor(async () => expect(await letters()).toHaveLength(2), WAIT);
    const all = await letters();
    expect(all[0]).toMatchObject({
      type: 'stream.started',
      attempts: 1,
      httpStatus: 500,
      event: { app: 'live', data: { protocol: 'rtmp' } },
    });
    receiver.answer = status(204);
    const [again, other] = all as unknown as [{ id: string }, { id: string }];
    expect((await call('sk_live', 'POST', `/live/webhooks/${id}/dead-letters/${again.id}/retry`)).status).toBe(204);
    await vi.waitFor(() => expect(receiver.events.at(-1)).toMatchObject({ id: again.id }), WAIT);
    expect((await call('sk_live', 'POST', `/live/webhooks/${id}/dead-letters/${again.id}/retry`)).body.code).toBe(
      'webhooks.delivery-not-found',
    );
    expect((await call('sk_live', 'DELETE', `/live/webhooks/${id}/dead-letters/${other.id}`)).status).toBe(204);
    expect((await call('sk_live', 'DELETE', `/live/webhooks/${id}/dead-letters/..%2F..%2Fapps`)).body.code).toBe(
      'webhooks.delivery-not-found',
    );
    expect(await letters()).toEqual([]);
    expect(receiver.received).toHaveLength(3);
  });

  it('of another node are in the log and among the dead letters of this one, which sends them again', async () => {
    const { id } = await make({ types: ['stream.started'], retryForS: 0 });
    const other = node('n2', join(folder, 'other'));
    await vi.waitFor(() => expect(other.isRead).toBe(true), WAIT);
    receiver.answer = status(500);
    other.publish({ type: 'stream.started', app: 'live', stream: 'live/far', lane: 'live/far', data: {} });
    const read = async (list: string): Promise<{ id: string; node?: string; status?: string }[]> =>
      (await call('sk_read', 'GET', `/live/webhooks/${id}/${list}`)).body.items;
    await vi.waitFor(async () => expect(await read('deliveries')).toMatchObject([{ node: 'n2', status: 'dead', httpStatus: 500 }]), WAIT);
    await vi.waitFor(async () => expect(await read('dead-letters')).toHaveLength(1), WAIT);
    await other.close();
    receiver.answer = status(204);
    const [letter] = await read('dead-letters');
    expect((await call('sk_live', 'POST', `/live/webhooks/${id}/dead-letters/${letter?.id}/retry`)).status).toBe(204);
    await vi.waitFor(
      () => expect(receiver.events.map((event) => [event.id, event.node])).toEqual(Array.from({ length: 2 }, () => [letter?.id, 'n2'])),
      WAIT,
    );
  });

  it('are dropped with their hook, and so are its letters and its log', async () => {
    const { id } = await make({ types: ['stream.started'] });
    receiver.answer = status(503);
    started('a');
    await vi.waitFor(() => expect(hooks.waiting).toBe(1), WAIT);
    await call('sk_live', 'DELETE', `/live/webhooks/${id}`);
    await vi.waitFor(() => expect(hooks.waiting).toBe(0), WAIT);
    await stop();
    await start();
    expect(hooks.waiting).toBe(0);
  });

  it('tell of publishers who were refused once a minute', async () => {
    await make({ types: ['publisher.refused'] });
    await make({ for: ['publish'] }, 'admission');
    receiver.answer = (response, { body }) => status(body.includes('"type":"publish"') ? 403 : 204)(response, { headers: {}, body });
    for (let attempt = 0; attempt < 3; attempt++) expect(await admit()).toEqual({ refused: 'hook-refused' });
    const told = (): unknown[] => receiver.events.filter(({ type }) => type === 'publisher.refused');
    await vi.waitFor(
      () => expect(told()).toMatchObject([{ stream: 'live/show', data: { reason: 'hook-refused', address: '192.0.2.7' } }]),
      WAIT,
    );
    await vi.waitFor(() => expect(hooks.waiting).toBe(0), WAIT);
    expect(told()).toHaveLength(1);
  });
});

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError, type Operation } from '../../api/mod.ts';
import { testApi, testKeys } from '../../api/test-api.fixture.ts';
import { StoreCalls } from '../cluster/mod.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { KeptAnswers } from './kept-answers.ts';

const HOUR_MS = 3_600_000;
let store: EmbeddedStore;
let now: number;
let made: number;
let goOn: (() => void) | undefined;

beforeEach(() => {
  store = new EmbeddedStore({ file: join(mkdtempSync(join(tmpdir(), 'sluice-answers-')), 'store.sqlite') });
  now = Date.UTC(2026, 0, 2);
  made = 0;
  goOn = undefined;
});
afterEach(() => store.close());

/** A node of a cluster whose store is `store`. */
async function node(options: { perCallerMax?: number } = {}, calls = new StoreCalls(store)): Promise<FastifyInstance> {
  const plain = { method: 'POST', summary: '', description: '', scope: 'admin', success: { status: 201, schema: {} as never } } as const;
  const operations: Operation[] = [
    {
      ...plain,
      id: 'make',
      path: '/things',
      handle: async ({ body }) => {
        made += 1;
        const { wait, fail } = (body ?? {}) as { wait?: boolean; fail?: boolean };
        if (wait === true)
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
        if (fail === true) throw new ApiError('apps.too-many', 'too many');
        return { number: made, secret: `top secret ${made}` };
      },
    },
  ];
  const fastify = await testApi({
    report: () => undefined,
    operations,
    keys: testKeys({ sk_one: 'admin', sk_two: 'admin' }),
    keeper: new KeptAnswers({ store: calls, wall: () => now, ...options }),
    publicReads: true,
    isLocal: () => false,
    version: '1',
  });
  return fastify;
}

async function post(
  fastify: FastifyInstance,
  key: string | undefined,
  body: unknown = {},
  caller = 'sk_one',
): Promise<[number, unknown, unknown]> {
  const answer = await fastify.inject({
    method: 'POST',
    url: '/api/v1/things',
    payload: body as object,
    headers: { authorization: `Bearer ${caller}`, ...(key === undefined ? {} : { 'idempotency-key': key }) },
  });
  const { number, code } = answer.json();
  return [answer.statusCode, number ?? code, answer.headers['idempotency-replayed']];
}

describe('a POST with an idempotency key', () => {
  it('is carried out once, and answered again by any node', async () => {
    const [first, second] = [await node(), await node()];
    expect(await post(first, '"k1"')).toEqual([201, 1, undefined]);
    expect(await post(second, '"k1"')).toEqual([201, 1, 'true']);
    expect(await post(first, 'k1')).toEqual([201, 1, 'true']);
    expect(await post(first, '"k2"')).toEqual([201, 2, undefined]);
    expect(await post(first, undefined)).toEqual([201, 3, undefined]);
  });

  it('is refused with another body, and is another caller’s own', async () => {
    const fastify = await node();
    await post(fastify, '"k"', { a: 1 });
    expect(await post(fastify, '"k"', { a: 2 })).toEqual([422, 'api.idempotency-key-reused', undefined]);
    expect(await post(fastify, '"k"', { a: 2 }, 'sk_two')).toEqual([201, 2, undefined]);
  });

  it('is refused while the same request is being carried out, on any node', async () => {
    const [first, second] = [await node(), await node()];
    const pending = post(first, '"k"', { wait: true });
    await expect.poll(() => goOn).toBeDefined();
    expect(await post(second, '"k"', { wait: true })).toEqual([409, 'api.request-in-progress', undefined]);
    goOn?.();
    expect(await pending).toEqual([201, 1, undefined]);
    expect(await post(second, '"k"', { wait: true })).toEqual([201, 1, 'true']);
  });

  it('may be tried again when it failed, or the node that had it died', async () => {
    const fastify = await node();
    expect(await post(fastify, '"k"', { fail: true })).toEqual([409, 'apps.too-many', undefined]);
    expect(await post(fastify, '"k"', { fail: true })).toEqual([409, 'apps.too-many', undefined]);
    expect(made).toBe(2);
    void post(fastify, '"dead"', { wait: true });
    await expect.poll(() => goOn).toBeDefined();
    now += 60_000;
    const again = post(fastify, '"dead"', { wait: true });
    await expect.poll(() => made).toBe(4);
    goOn?.();
    expect((await again)[0]).toBe(201);
  });

  it('is forgotten after a day', async () => {
    const fastify = await node();
    await post(fastify, '"k"');
    now += 23 * HOUR_MS;
    expect(await post(fastify, '"k"')).toEqual([201, 1, 'true']);
    now += HOUR_MS;
    expect(await post(fastify, '"k"')).toEqual([201, 2, undefined]);
  });

  it.each(['""', '"', 'a b', '"a', 'x'.repeat(129), `"${'x'.repeat(129)}"`, '"\\x"', 'ü'])('refuses the key %s', async (key) => {
    expect((await post(await node(), key)).slice(0, 2)).toEqual([400, 'api.idempotency-key']);
    expect(made).toBe(0);
  });

  it('is carried out though the store cannot be tidied up just then', async () => {
    const calls = new StoreCalls(store);
    calls.list = () => Promise.reject(new ApiError('cluster.store-unavailable', 'busy'));
    const fastify = await node({}, calls);
    expect(await post(fastify, '"k"')).toEqual([201, 1, undefined]);
    expect(await post(fastify, '"k"')).toEqual([201, 1, 'true']);
  });

  it('leaves nothing in the store that can be read, nor more than may be', async () => {
    const fastify = await node({ perCallerMax: 3 });
    for (let count = 0; count < 65; count++) {
      now += 1;
      await post(fastify, `"secret-key-${count}"`);
    }
    const entries = await new StoreCalls(store).list('idempotency/');
    expect(entries.length).toBeLessThanOrEqual(4);
    const text = entries.map(({ key, value }) => key + Buffer.from(value).toString('latin1')).join();
    for (const secret of ['top secret', 'secret-key', 'sk_one']) expect(text).not.toContain(secret);
  });
});

import { expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { GuardedKeys } from './guarded-keys.ts';
import type { Operation } from './operation.ts';
import { testApi, testKeys } from './test-api.fixture.ts';

const plain = { summary: '', description: '', success: { status: 204 }, handle: () => undefined } as const;
const operations: Operation[] = [
  { ...plain, id: 'read', method: 'GET', path: '/things', scope: 'read' },
  { ...plain, id: 'look', method: 'GET', path: '/open', scope: 'public' },
];

async function server() {
  let now = 0;
  const keys = new GuardedKeys(testKeys({ sk_admin: 'admin', sk_read: 'read' }), () => monotonicMs(now));
  const fastify = await testApi({ operations, keys });
  const call = async (key: string | undefined, remoteAddress = '192.0.2.1', path = 'things') => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const { statusCode, headers: answered } = await fastify.inject({ url: `/api/v1/${path}`, remoteAddress, headers });
    return { status: statusCode, retryAfter: answered['retry-after'] };
  };
  const guess = async (times: number, address?: string): Promise<number[]> => {
    const statuses = [];
    for (let guessed = 0; guessed < times; guessed++) statuses.push((await call(`sk_${guessed}`, address)).status);
    return statuses;
  };
  return { call, guess, wait: (ms: number) => (now += ms) };
}

it('an address that shows wrong keys is not heard for a while, and learns nothing then', async () => {
  const { call, guess, wait } = await server();
  expect(await guess(12)).toEqual([...Array<number>(10).fill(401), 429, 429]);
  expect(await call('sk_read')).toEqual({ status: 429, retryAfter: '6' });
  wait(6_000);
  expect(await guess(2)).toEqual([401, 429]);
  wait(6_000);
  expect((await call('sk_read')).status).toBe(204);
});

it('who has shown a right key from there before goes on, and others are not concerned', async () => {
  const { call, guess } = await server();
  expect((await call('sk_read')).status).toBe(204);
  await guess(20);
  expect((await call('sk_read')).status).toBe(204);
  expect((await call('sk_admin')).status).toBe(429);
  expect((await call('sk_admin', '192.0.2.2')).status).toBe(204);
  expect((await call(undefined, '192.0.2.1', 'open')).status).toBe(204);
});

it('addresses of one network of IPv6 are one', async () => {
  const { call, guess } = await server();
  await guess(5, '2001:db8:0:1::1');
  await guess(5, '2001:db8:0:1:2::2');
  expect((await call('sk_read', '2001:db8:0:1:3::3')).status).toBe(429);
  expect((await call('sk_read', '2001:db8:0:2::1')).status).toBe(204);
});

it('only so many are remembered', () => {
  const keys = new GuardedKeys(testKeys({ sk_read: 'read' }), () => monotonicMs(0));
  for (let last = 0; last < 10_002; last++) keys.find('sk_read', `10.0.${last >> 8}.${last & 255}`);
  for (const address of ['10.0.0.0', '10.0.39.17']) for (let guessed = 0; guessed < 10; guessed++) keys.find('sk_wrong', address);
  expect(() => keys.find('sk_read', '10.0.0.0')).toThrow('too many wrong keys');
  expect(keys.find('sk_read', '10.0.39.17')).toBeDefined();
});

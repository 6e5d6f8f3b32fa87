import type { FastifyInstance } from 'fastify';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { appPatchSchema, appWishSchema } from './access-schemas.ts';
import type { Operation } from './operation.ts';
import { pageQuerySchema } from './schemas.ts';
import { testApi, testKeys } from './test-api.fixture.ts';

let fastify: FastifyInstance;
let done: unknown[];

beforeEach(() => {
  done = [];
});
beforeAll(async () => {
  const plain = { summary: '', description: '', success: { status: 204 } } as const;
  const handle: Operation['handle'] = ({ body, query }) => void done.push(body ?? query);
  fastify = await testApi({
    operations: [
      { ...plain, id: 'create', method: 'POST', path: '/apps', scope: 'admin', body: appWishSchema, handle },
      { ...plain, id: 'change', method: 'PATCH', path: '/apps/:app', scope: 'app', body: appPatchSchema, handle },
      { ...plain, id: 'list', method: 'GET', path: '/apps', scope: 'public', query: pageQuerySchema, handle },
    ],
    keys: testKeys({ sk_admin: 'admin', sk_read: 'read', sk_mine: ['mine'] }),
  });
});

async function send(payload: unknown, key: string | null = 'sk_admin', url = '/apps', method: 'POST' | 'PATCH' = 'POST') {
  const headers = { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
  const response = await fastify.inject({ method, url: `/api/v1${url}`, headers, payload: JSON.stringify(payload) });
  const { code, detail } = response.statusCode === 204 ? {} : response.json();
  return { status: response.statusCode, code, detail };
}

it.each([
  [{ name: 5 }, 'body.name must be a text like ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$; it is a whole number'],
  [{ name: 'a', note: null }, 'body.note must be a text of at most 100 characters; it is null or left out'],
  [{ name: 'a', publishFromLoopback: 'true' }, 'body.publishFromLoopback must be true or false; it is another text'],
  [{ name: 'a', publishFromLoopback: 1 }, 'body.publishFromLoopback must be true or false; it is a whole number'],
  [{ name: 'a', limits: { viewers: '5' } }, 'body.limits.viewers must be a whole number of 0 to 1000000000000 or null; it is another text'],
  [{ name: 'a', limits: { viewers: true } }, 'body.limits.viewers must be a whole number of 0 to 1000000000000 or null; it is true'],
  [{ name: 'a', playback: { policy: 'secret' } }, '"public" or "token" or "domains" or "networks"; it is another text'],
  [{ name: 'a', playback: { policy: 'networks', networks: '192.0.2.0/24' } }, 'body.playback.networks must be a list of at most 100 items'],
  [{ name: 'a', playback: { policy: 'networks', networks: [5] } }, 'body.playback.networks[0] must be a text of 2 to 64 characters'],
  [{ name: 'a', ladder: 1 }, 'body.ladder is not known: body takes name, note, '],
  [
    { name: 'a', playback: { policy: 'public', domain: 'x' } },
    'body.playback.domain is not known: body.playback takes policy, domains, networks',
  ],
  [{ note: 'a' }, 'body.name is missing: it must be a text like '],
  [[], 'body must be an object; it is a list'],
  [null, 'body must be an object; it is null or left out'],
  ['name', 'body must be an object; it is another text'],
])('a body %j is refused, with what would be right', async (payload, said) => {
  const { status, code, detail } = await send(payload);
  expect([status, code]).toEqual([400, 'api.bad-request']);
  expect(detail).toContain(said);
  expect(done).toEqual([]);
});

it('a choice is told once', async () => {
  const { detail } = await send({ name: 'a', secondPublisher: 7 });
  expect(detail).toBe('body.secondPublisher must be "reject" or "takeover" or "standby"; it is a whole number');
});

it('a value that is refused is not repeated: it may be a secret', async () => {
  expect((await send({ name: 'not a name: s3cret' })).detail).not.toContain('s3cret');
});

it('what is right is taken as it stands', async () => {
  const body = { name: 'a', note: '5', limits: { viewers: null, streams: 5 } };
  expect((await send(body)).status).toBe(204);
  expect(done).toEqual([body]);
});

it.each([
  ['limit=5', { limit: 5 }],
  ['', { limit: 50 }],
])('numbers of a query are texts: %j', async (query, read) => {
  expect((await fastify.inject(`/api/v1/apps?${query}`)).statusCode).toBe(204);
  expect(done).toEqual([read]);
});

it.each(['limit=1.5', 'limit=1e2', 'limit=', 'limit=0x10', 'limit=%205', 'limit=true', 'limit=5&limit=6'])(
  'a query with %s is refused',
  async (query) => {
    const response = await fastify.inject(`/api/v1/apps?${query}`);
    expect([response.statusCode, response.json().detail]).toEqual([
      400,
      expect.stringMatching(/^query\.limit must be a whole number of 1 to 200/),
    ]);
  },
);

it.each([
  ['no key', null, '/apps', 401, 'api.key-missing'],
  ['a wrong key', 'sk_wrong', '/apps', 401, 'api.key-wrong'],
  ['a key that may only read', 'sk_read', '/apps', 403, 'api.scope-missing'],
  ['the key of an app, for what no app may', 'sk_mine', '/apps', 403, 'api.scope-missing'],
  ['the key of another tenant', 'sk_mine', '/apps/theirs', 404, 'apps.not-found'],
] as const)('who has %s is told that, whatever the body is', async (_who, key, url, status, code) => {
  for (const payload of [{ bad: 1 }, {}, 'x'.repeat(100_000)])
    expect(await send(payload, key, url, url === '/apps' ? 'POST' : 'PATCH')).toMatchObject({ status, code });
  const headers = { 'content-type': 'text/xml', ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
  const other = await fastify.inject({ method: url === '/apps' ? 'POST' : 'PATCH', url: `/api/v1${url}`, headers, payload: '<x/>' });
  expect(other.statusCode).toBe(status);
});

import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WAIT } from './contract.fixture.ts';
import {
  bytes,
  type Client,
  create,
  get,
  good,
  how,
  list,
  remove,
  request,
  Seen,
  text,
  uniqueName,
  update,
} from './coordination-clients.fixture.ts';
import { CutLink } from './cut-link.fixture.ts';
import { TestNats } from './nats-servers.fixture.ts';
import type { NatsStore } from './nats-store.ts';

const LONG_WAIT = { timeout: 25_000, interval: 20 };
/** Each kill may cost two elections, one of the store's leader and one of JetStream's, of 4 to 9 seconds for each attempt. */
const ELECTIONS_MS_MAX = 90_000;
const closing: (() => Promise<void> | void)[] = [];
let nats: TestNats;

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A client, closed after the test. */
function client(cluster: string, servers?: readonly string[], password?: string): ReturnType<TestNats['client']> {
  const made = nats.client(cluster, servers, password);
  closing.push(made.close);
  return made;
}

const connections = ({ bus }: Client): boolean[] => {
  const told: boolean[] = [];
  bus.onConnected((isConnected) => told.push(isConnected));
  return told;
};

describe('one nats-server', () => {
  beforeAll(async () => {
    nats = await TestNats.start(1);
  });
  afterAll(() => nats.stop());

  it('keeps two clusters apart', async () => {
    const one = client('red');
    const other = client('blue');
    good(await create(one.store, 'a/b', 'of red'));
    expect(good(await list(other.store, ''))).toEqual([]);
    const heard: string[] = [];
    for (const { bus } of [one, other]) bus.subscribe('a/**', (_, message) => heard.push(text(message)));
    one.bus.serve('ask', (_, reply) => reply(bytes('red')));
    await vi.waitFor(async () => expect(how(await request(one.bus, 'ask', 'x'))).toBe('ok'), WAIT);
    expect(how(await request(other.bus, 'ask', 'x'))).toBe('nobody');
    other.bus.publish('a/c', bytes('of blue'));
    await vi.waitFor(() => expect(heard).toEqual(['of blue']), WAIT);
    expect(() => nats.client('a.b')).toThrow('is not usable');
  });

  it.each(['cut', 'freeze'] as const)('is lost when the link is %s, and told completely afterwards', async (how_) => {
    const link = await CutLink.to(nats.servers[0]!.port);
    closing.push(() => link.close());
    const near = client('cuts', [link.url]);
    const far = client('cuts');
    const base = uniqueName();
    const gone = good(await create(far.store, `${base}/gone`, 'x'));
    const changed = good(await create(far.store, `${base}/changed`, 'x'));
    good(await create(far.store, `${base}/same`, 'x'));
    const told = connections(near);
    const seen = new Seen(near.store, `${base}/`);
    const heard: string[] = [];
    near.bus.subscribe('news', (_, message) => heard.push(text(message)));
    await vi.waitFor(() => expect(seen.isCurrent).toBe(true), WAIT);

    link[how_]();
    await vi.waitFor(() => expect([seen.told.at(-1), told.at(-1)]).toEqual(['lost', false]), WAIT);
    expect(seen.known.size).toBe(3);
    const began = performance.now();
    const results = await Promise.all([
      get(near.store, `${base}/same`),
      create(near.store, `${base}/late`, 'x'),
      list(near.store, `${base}/`),
    ]);
    expect(results.map(({ ok }) => ok)).toEqual([false, false, false]);
    expect(results.every((result) => !result.ok && result.failure === 'unavailable' && result.detail !== '')).toBe(true);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(how(await request(near.bus, 'news', 'x'))).toBe('unavailable');
    near.bus.publish('news', bytes('never told'));
    good(await remove(far.store, `${base}/gone`, gone));
    good(await update(far.store, `${base}/changed`, 'y', changed));
    // Nothing is left of the deletion when the watcher comes back.
    far.store.purgeDeletions(0);

    link.restore();
    await vi.waitFor(() => expect(seen.isCurrent).toBe(true), WAIT);
    expect(seen.object).toEqual({ [`${base}/changed`]: 'y', [`${base}/same`]: 'x' });
    expect(told.at(-1)).toBe(true);
    await vi.waitFor(() => {
      far.bus.publish('news', bytes('after'));
      expect(heard).toContain('after');
    }, WAIT);
    expect(heard).not.toContain('never told');
    expect(good(await get(near.store, `${base}/late`))).toBeUndefined();
    good(await create(near.store, `${base}/late`, 'x'));
    await vi.waitFor(() => expect(seen.known.size).toBe(3), WAIT);
  });

  it('lets clients start before it, and come back after it was restarted', async () => {
    const [server] = nats.servers;
    const base = uniqueName();
    const before = client('restarts');
    const seen = new Seen(before.store, `${base}/`);
    const revision = good(await create(before.store, `${base}/a`, 'x'));
    await server!.kill('SIGKILL');
    const early = client('restarts');
    const late = new Seen(early.store, `${base}/`);
    await vi.waitFor(() => expect([seen.told.at(-1), late.told.at(-1)]).toEqual(['lost', 'lost']), WAIT);
    const waiting = get(early.store, `${base}/a`);
    await server!.start();
    await vi.waitFor(() => expect([seen.isCurrent, late.isCurrent]).toEqual([true, true]), WAIT);
    expect(['ok', 'unavailable']).toContain(how(await waiting));
    expect(late.object).toEqual({ [`${base}/a`]: 'x' });
    expect(good(await update(early.store, `${base}/a`, 'y', revision))).toBeGreaterThan(revision);
  });

  it('says why when it does not let a client in', async () => {
    const wrong = client('denied', undefined, 'a wrong one');
    const told = connections(wrong);
    const result = await get(wrong.store, 'a');
    expect(result).toMatchObject({ ok: false, failure: 'unavailable', detail: expect.stringMatching(/authorization/i) });
    expect(told).toEqual([false]);
  });
});

describe('three nats-servers', () => {
  beforeAll(async () => {
    nats = await TestNats.start(3);
  });
  afterAll(() => nats.stop());

  it('serve on while one is restarted, and while the leader of the store is killed', { timeout: ELECTIONS_MS_MAX }, async () => {
    const writer = client('three');
    const reader = client('three');
    const base = uniqueName();
    let revision = await eventuallyCreated(writer.store, `${base}/count`, '0');
    const seen = new Seen(reader.store, `${base}/`);
    await vi.waitFor(() => expect(seen.isCurrent).toBe(true), LONG_WAIT);

    let count = 0;
    const countOn = async (): Promise<void> => {
      await vi.waitFor(async () => {
        const result = await update(writer.store, `${base}/count`, `${count + 1}`, revision);
        // No answer: it may have been written all the same.
        const there = good(await get(writer.store, `${base}/count`))!;
        if (result.ok) expect(there.revision).toBe(result.value);
        expect(Number(text(there.value))).toBe(count + 1);
        revision = there.revision;
      }, LONG_WAIT);
      count += 1;
    };
    await countOn();
    await vi.waitFor(() => expectWhole(writer), LONG_WAIT);
    for (const choose of ['follower', 'leader'] as const) {
      const leader = await leaderOf(writer);
      const server = nats.servers.find(({ name }) => (choose === 'leader' ? name === leader : name !== leader))!;
      await server.kill('SIGKILL');
      for (let round = 0; round < 5; round += 1) await countOn();
      await vi.waitFor(() => expect([seen.isCurrent, seen.object[`${base}/count`]]).toEqual([true, `${count}`]), LONG_WAIT);
      await server.start();
      for (let round = 0; round < 5; round += 1) await countOn();
      await vi.waitFor(() => expect([seen.isCurrent, seen.object[`${base}/count`]]).toEqual([true, `${count}`]), LONG_WAIT);
      await vi.waitFor(() => expectWhole(writer), LONG_WAIT);
    }
    expect(seen.told.filter((what) => what.includes('went back'))).toEqual([]);
  });
});

async function eventuallyCreated(store: NatsStore, key: string, value: string): Promise<number> {
  await vi.waitFor(async () => good(await create(store, key, value)), LONG_WAIT).catch(() => undefined);
  return good(await get(store, key))!.revision;
}

async function info(client_: ReturnType<TestNats['client']>): Promise<{ leader: string; current: number }> {
  const manager = await jetstreamManager(client_.link.connection!, { checkAPI: false });
  const { cluster } = await manager.streams.info('KV_sluice_three');
  return { leader: cluster?.leader ?? '', current: cluster?.replicas?.filter(({ current }) => current).length ?? 0 };
}

const leaderOf = async (of: ReturnType<TestNats['client']>): Promise<string> => (await info(of)).leader;

/** All three have everything, and so the next may be killed. */
async function expectWhole(of: ReturnType<TestNats['client']>): Promise<void> {
  expect(await Promise.all(nats.servers.map((server) => server.isHealthy()))).toEqual([true, true, true]);
  expect((await info(of)).current).toBe(2);
}

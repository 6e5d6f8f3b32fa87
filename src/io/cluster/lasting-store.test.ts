import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { CLUSTER_IDENTITY_KEY, type Store } from '../../cluster/mod.ts';
import { utf8Decode, utf8Encode } from '../../core/mod.ts';
import { LastingStore } from './lasting-store.ts';
import { StoreKeeper } from './store-keeper.ts';

const TICK_MS = 10;

let engine: MemoryEngine;
const endings: (() => void)[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  engine = new MemoryEngine();
});
afterEach(() => {
  for (const end of endings.splice(0)) end();
  vi.useRealTimers();
});

/** In the engine's time and in that of timers. */
async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += TICK_MS) {
    engine.advance(TICK_MS);
    await vi.advanceTimersByTimeAsync(TICK_MS);
  }
}

const put = (key: string, value: string): void => engine.client().store.create(key, utf8Encode(value), () => undefined);
const remove = (key: string): void => {
  const { store } = engine.client();
  store.get(key, (found) => store.delete(key, found.ok ? (found.value?.revision ?? 0) : 0, () => undefined));
};

function forgetAll(): void {
  engine.stop();
  engine.advance(100);
  engine.wipe();
  engine.start();
}

/** What a watcher knows by what it is told, as replicas do. */
class Replica {
  readonly rows = new Map<string, string>();
  /** How often it knew less than before, or was told what it must not be. */
  losses = 0;
  private told: Set<string> | undefined = new Set();

  get isCurrent(): boolean {
    return this.told === undefined;
  }

  constructor(store: Store, prefix: string) {
    const end = store.watch(prefix, {
      changed: ({ key, value }) => {
        this.rows.set(key, utf8Decode(value));
        this.told?.add(key);
      },
      deleted: (key) => {
        this.losses += Number(this.rows.delete(key));
        this.told?.delete(key);
      },
      current: () => {
        for (const key of [...this.rows.keys()]) if (this.told?.has(key) === false) this.losses += Number(this.rows.delete(key));
        this.told = undefined;
      },
      lost: () => {
        expect(this.told).toBeUndefined();
        this.told = new Set();
      },
    });
    endings.push(end);
  }
}

function node(client = engine.client()): Store {
  const store = new LastingStore(client.store);
  endings.push(() => store.close());
  return store;
}

function manager(): ReturnType<MemoryEngine['client']> {
  const client = engine.client();
  const keeper = new StoreKeeper(client.store, pino({ level: 'silent' }));
  endings.push(() => keeper.close());
  return client;
}

const stored = (): readonly string[] => engine.under('').map(({ key, value }) => `${key} ${utf8Decode(value)}`);

describe('what is in a store alone', () => {
  beforeEach(() => {
    put(CLUSTER_IDENTITY_KEY, 'one');
    for (const name of ['a', 'b', 'c']) put(`apps/${name}`, name);
    put('streams/live/show', 'by a node');
  });

  it('outlasts a store that has lost everything: a manager puts it back, and nobody knew less meanwhile', async () => {
    manager();
    const replica = new Replica(node(), 'apps/');
    await pass(100);
    forgetAll();
    expect(engine.under('')).toEqual([]);
    for (let round = 0; round < 20; round++) {
      await pass(100);
      expect([...replica.rows.keys()].sort()).toEqual(['apps/a', 'apps/b', 'apps/c']);
    }
    expect(replica.losses).toBe(0);
    // What is a node's, that puts back itself.
    expect([...stored()].sort()).toEqual(['apps/a a', 'apps/b b', 'apps/c c', `${CLUSTER_IDENTITY_KEY} one`]);
    put('apps/d', 'd');
    remove('apps/a');
    await pass(100);
    expect([...replica.rows.keys()].sort()).toEqual(['apps/b', 'apps/c', 'apps/d']);
  });

  it('is put back as it was known last, over nothing that is there again, and by several managers at once', async () => {
    const [one] = [manager(), manager(), manager()];
    await pass(100);
    one.cut();
    remove('apps/c');
    await pass(100);
    forgetAll();
    put('apps/b', 'new');
    await pass(2_000);
    one.heal();
    await pass(2_000);
    expect([...stored()].sort()).toEqual(['apps/a a', 'apps/b new', `${CLUSTER_IDENTITY_KEY} one`]);
  });

  it('is not put back where it was deleted: a store that knows whose it is has lost nothing', async () => {
    const one = manager();
    const replica = new Replica(node(), 'apps/');
    await pass(100);
    one.cut();
    for (const name of ['a', 'b', 'c']) remove(`apps/${name}`);
    await pass(500);
    one.heal();
    await pass(500);
    expect([...stored()].sort()).toEqual([`${CLUSTER_IDENTITY_KEY} one`, 'streams/live/show by a node']);
    expect(replica.rows.size).toBe(0);
    forgetAll();
    await pass(1_000);
    expect(stored()).toEqual([`${CLUSTER_IDENTITY_KEY} one`]);
  });

  it('is put back at last where the store goes away meanwhile, and its identity only when all is there', async () => {
    manager();
    remove(CLUSTER_IDENTITY_KEY);
    for (let at = 0; at < 200; at++) put(`apps/many-${at}`, '');
    await pass(100);
    put(CLUSTER_IDENTITY_KEY, 'one');
    const replica = new Replica(node(), 'apps/');
    await pass(100);
    const inOrder = (): void => {
      const keys = stored();
      if (keys.includes(`${CLUSTER_IDENTITY_KEY} one`)) expect(keys).toHaveLength(204);
    };
    forgetAll();
    for (let round = 0; round < 6; round++) {
      for (let ms = 0; ms < 7; ms++) {
        engine.advance(1);
        await vi.advanceTimersByTimeAsync(0);
        inOrder();
      }
      engine.stop();
      await pass(50);
      engine.start();
    }
    for (let ms = 0; ms < 10_000; ms += 10) {
      await pass(10);
      inOrder();
    }
    expect(stored()).toHaveLength(204);
    expect([replica.losses, replica.rows.size]).toEqual([0, 203]);
  });

  it('is put back at last where writes fail, the identity after all', async () => {
    const { store } = engine.client();
    let writes = 0;
    const create: Store['create'] = (key, value, done) => {
      if (++writes <= 5 && writes % 2 === 1) setTimeout(() => done({ ok: false, failure: 'unavailable', detail: 'not now' }), 5);
      else store.create(key, value, done);
    };
    const keeper = new StoreKeeper({ ...store, create }, pino({ level: 'silent' }));
    endings.push(() => keeper.close());
    const replica = new Replica(node(), 'apps/');
    await pass(100);
    forgetAll();
    for (let ms = 0; ms < 9_000; ms += 10) {
      await pass(10);
      if (stored().includes(`${CLUSTER_IDENTITY_KEY} one`)) expect(stored()).toHaveLength(4);
    }
    expect(stored()).toHaveLength(4);
    expect([replica.losses, replica.rows.size]).toEqual([0, 3]);
  });

  it('is not put back by a manager that has ended meanwhile', async () => {
    const { store } = engine.client();
    const create: Store['create'] = (_key, _value, done) =>
      void setTimeout(() => done({ ok: false, failure: 'unavailable', detail: 'not now' }), 50);
    const unreliable = { ...store, create };
    const keeper = new StoreKeeper(unreliable, pino({ level: 'silent' }));
    await pass(100);
    forgetAll();
    await pass(20);
    keeper.close();
    unreliable.create = (...call) => store.create(...call);
    await pass(5_000);
    expect(stored()).toEqual([]);
  });

  it('is waited for by nobody who knows nothing yet, nor by those who follow what nodes put back themselves', async () => {
    const [streams, client] = [new Replica(node(), 'streams/'), engine.client()];
    await pass(100);
    forgetAll();
    await pass(100);
    expect([streams.isCurrent, streams.rows.size]).toEqual([true, 0]);
    const apps = new Replica(node(client), 'apps/');
    await pass(100);
    expect(apps.isCurrent).toBe(true);
  });

  it('is lost without a manager, after ten seconds', async () => {
    const replica = new Replica(node(), 'apps/');
    await pass(100);
    forgetAll();
    await pass(9_500);
    expect(replica.rows.size).toBe(3);
    await pass(1_000);
    expect(replica.rows.size).toBe(0);
  });

  it('that was deleted between two outages is gone', async () => {
    const client = engine.client();
    const replica = new Replica(node(client), 'apps/');
    await pass(100);
    forgetAll();
    put('apps/a', 'a');
    put('apps/b', 'b');
    await pass(1_000);
    client.cut();
    remove('apps/a');
    await pass(100);
    client.heal();
    put(CLUSTER_IDENTITY_KEY, 'one');
    await pass(1_000);
    expect([...replica.rows.keys()]).toEqual(['apps/b']);
  });
});

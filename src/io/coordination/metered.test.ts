import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../../cluster/memory-engine.fixture.ts';
import { MeteredBus } from './metered-bus.ts';
import { MeteredStore } from './metered-store.ts';

const VALUE = new Uint8Array([1]);

describe('MeteredStore', () => {
  it('measures calls, failures and how far its watches are behind', () => {
    const engine = new MemoryEngine();
    engine.latencyMs = 5;
    const store = new MeteredStore(engine.client().store, () => engine.now());
    const told: string[] = [];
    const end = store.watch('apps/', {
      changed: ({ key }) => told.push(key),
      deleted: (key) => told.push(`-${key}`),
      current: () => told.push('current'),
      lost: () => told.push('lost'),
    });
    expect(store.health()).toMatchObject({ watches: 1, watchesLost: 1 });
    engine.advance(100);
    expect(store.health()).toMatchObject({ watches: 1, watchesLost: 0 });
    let revision = 0;
    store.create('apps/live', VALUE, (result) => {
      if (result.ok) revision = result.value;
    });
    engine.advance(100);
    store.create('apps/live', VALUE, () => undefined);
    store.update('apps/live', VALUE, revision, () => undefined);
    store.get('apps/live', () => undefined);
    store.list('apps/', () => undefined);
    engine.advance(100);
    store.delete('apps/live', revision, () => undefined);
    engine.advance(100);
    const { calls, failedByCode, watchLag } = store.health();
    expect(told).toContain('apps/live');
    expect(Object.fromEntries([...calls].map(([operation, { count }]) => [operation, count]))).toEqual({
      create: 2,
      update: 1,
      get: 1,
      list: 1,
      delete: 1,
    });
    expect(calls.get('get')?.sumS).toBeCloseTo(0.01, 6);
    expect(Object.fromEntries(failedByCode)).toEqual({ conflict: 2, unavailable: 0, refused: 0 });
    expect(watchLag.count).toBeLessThanOrEqual(2);
    end();
    expect(store.health().watches).toBe(0);
  });

  it('tells that watches are lost while the engine is away', () => {
    const engine = new MemoryEngine();
    const store = new MeteredStore(engine.client().store, () => engine.now());
    store.watch('apps/', { changed: () => undefined, deleted: () => undefined, current: () => undefined, lost: () => undefined });
    engine.advance(100);
    engine.stop();
    store.get('apps/live', () => undefined);
    engine.advance(10_000);
    expect(store.health()).toMatchObject({ watches: 1, watchesLost: 1 });
    expect(store.health().failedByCode.get('unavailable')).toBe(1);
  });
});

describe('MeteredBus', () => {
  it('measures requests, and tells whether it is connected', () => {
    const engine = new MemoryEngine();
    engine.latencyMs = 5;
    const bus = new MeteredBus(engine.client().bus, () => engine.now());
    bus.serve('time', (_message, reply) => reply(VALUE));
    engine.advance(100);
    bus.request('time', VALUE, 1000, () => undefined);
    bus.request('weather', VALUE, 1000, () => undefined);
    bus.publish('news', VALUE);
    engine.advance(5000);
    const { isConnected, published, requests, failedByCode } = bus.health();
    expect({ isConnected, published, answered: requests.count }).toEqual({ isConnected: true, published: 1, answered: 1 });
    expect(requests.sumS).toBeGreaterThan(0);
    expect([...failedByCode.values()].reduce((sum, count) => sum + count, 0)).toBe(1);
    engine.stop();
    engine.advance(5000);
    expect(bus.health().isConnected).toBe(false);
    bus.close();
  });
});

import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../api/mod.ts';
import { MemoryEngine } from '../cluster/memory-engine.fixture.ts';
import { encodeVersioned, type StoreWatcher } from '../cluster/mod.ts';
import { TellingStore } from './store-events.ts';

const record = (fields: object): Uint8Array => encodeVersioned({ v: 1, ...fields });

function watched(prefix: string) {
  const engine = new MemoryEngine();
  const writer = engine.client();
  const client = engine.client();
  const order: string[] = [];
  const events: ServerEvent[] = [];
  const told = (event: ServerEvent): void => {
    order.push(event.type);
    events.push(event);
  };
  const watcher: StoreWatcher = {
    changed: ({ key }) => order.push(key),
    deleted: (key) => order.push(key),
    current: () => order.push('current'),
    lost: () => order.push('lost'),
  };
  const store = new TellingStore(client.store, told);
  const put = (key: string, value: Uint8Array): void => {
    writer.store.create(key, value, () => undefined);
    engine.advance(100);
  };
  const watch = (): void => {
    store.watch(prefix, watcher);
    engine.advance(100);
  };
  return { engine, writer, client, store, order, events, put, watch };
}

describe('a store that tells', () => {
  it('tells of what was changed on whichever node, when the watcher has it, and not of what was there', () => {
    const { order, events, put, watch } = watched('keys/');
    put('keys/a1', record({ app: 'live' }));
    watch();
    put('keys/b2', record({ app: 'news', secretSha256: 'never told' }));
    expect(order).toEqual(['keys/a1', 'current', 'keys/b2', 'stream-key.changed']);
    expect(events).toEqual([{ type: 'stream-key.changed', data: { id: 'b2', app: 'news' } }]);
  });

  it('tells of what was deleted', () => {
    const { engine, events, writer, put, watch } = watched('apps/');
    put('apps/live', record({ name: 'live' }));
    watch();
    writer.store.delete('apps/live', engine.read('apps/live')?.revision ?? 0, () => undefined);
    engine.advance(100);
    expect(events).toEqual([{ type: 'app.changed', data: { app: 'live', state: 'gone' } }]);
  });

  it('tells of each kind once when it was out of reach', () => {
    const { engine, client, events, put, watch } = watched('settings/');
    put('settings/routing', record({}));
    watch();
    client.cut();
    engine.advance(60_000);
    client.heal();
    engine.advance(60_000);
    expect(events).toEqual([
      { type: 'routing.changed', data: {} },
      { type: 'weights.changed', data: {} },
    ]);
  });

  it('says nothing of a key that it was not made for', () => {
    const { events, put, watch } = watched('settings/');
    watch();
    put('settings/other', record({}));
    put('settings/transcoding', record({ rules: [] }));
    expect(events).toEqual([{ type: 'weights.changed', data: {} }]);
  });
});

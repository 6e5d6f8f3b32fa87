import { type ChildProcess, fork } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WAIT } from './contract.fixture.ts';
import { bytes, create, get, good, how, list, remove, request, Seen, text, update } from './coordination-clients.fixture.ts';
import { EmbeddedBus } from './embedded-bus.ts';
import { EmbeddedStore } from './embedded-store.ts';

let folder: string;
let file: string;
let store: EmbeddedStore;
let bus: EmbeddedBus;
const reached: string[] = [];
const onReachable = (isReachable: boolean, detail: string): void => {
  reached.push(isReachable ? 'reachable' : detail);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-embedded-'));
  file = join(folder, 'store.sqlite');
  reached.length = 0;
  store = new EmbeddedStore({ file, onReachable });
  bus = new EmbeddedBus({ file: join(folder, 'bus.sqlite'), id: 'here' });
});
afterEach(() => {
  store.close();
  bus.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the embedded engine', () => {
  it('keeps its files to its owner and its content over a restart', async () => {
    const revision = good(await create(store, 'a/b', 'kept'));
    bus.publish('a', bytes('x'));
    await vi.waitFor(() => expect(readdirSync(folder).length).toBeGreaterThanOrEqual(4), WAIT);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    store.close();
    expect(await get(store, 'a/b')).toMatchObject({ ok: false, failure: 'unavailable' });
    store = new EmbeddedStore({ file });
    expect(good(await get(store, 'a/b'))).toEqual({ key: 'a/b', value: bytes('kept'), revision });
  });

  it('works between processes, and notices one that dies', async () => {
    const script = new URL('./embedded-peer.fixture.ts', import.meta.url).pathname;
    const peer: ChildProcess = fork(script, [file, join(folder, 'bus.sqlite')], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    let isAlive = false;
    bus.subscribe('peer/**', () => {
      isAlive = true;
    });
    const seen = new Seen(store, 'mirror/to/');
    const own = new Seen(store, 'by/');
    await vi.waitFor(() => expect(isAlive).toBe(true), WAIT);
    await vi.waitFor(async () => expect(await request(bus, 'peer/create', 'by/peer')).toEqual({ ok: true, value: bytes('ok') }), WAIT);
    expect(await request(bus, 'peer/create', 'by/peer')).toEqual({ ok: true, value: bytes('conflict') });
    expect(text(good(await get(store, 'by/peer'))!.value)).toBe('by the peer');
    for (let at = 0; at < 20; at += 1) good(await create(store, `mirror/from/${at}`, `${at}`));
    await vi.waitFor(() => expect([seen.known.size, own.known.size]).toEqual([20, 1]), WAIT);
    peer.kill('SIGKILL');
    await vi.waitFor(async () => expect(how(await request(bus, 'peer/create', 'by/nobody', 200))).toBe('nobody'), WAIT);
    seen.end();
    own.end();
  });

  it('tells a watcher that stood still for too long everything anew', async () => {
    const watching = new EmbeddedStore({ file });
    const seen = new Seen(watching, 'a/');
    await vi.waitFor(() => expect(seen.isCurrent).toBe(true), WAIT);
    const first = good(await create(store, 'a/gone', 'x'));
    good(await create(store, 'a/stays', 'y'));
    await vi.waitFor(() => expect(seen.known.size).toBe(2), WAIT);
    // What a process that was stopped for an hour finds: its place in the log of changes is pruned away.
    const other = new DatabaseSync(file);
    other.exec(`BEGIN; DELETE FROM entries WHERE revision = ${first}; INSERT INTO changes (key, is_deletion) VALUES ('a/gone', 1), ('b', 1), ('c', 1);
      DELETE FROM changes WHERE key != 'c'; COMMIT`);
    other.close();
    await vi.waitFor(() => expect(seen.object).toEqual({ 'a/stays': 'y' }), WAIT);
    expect(seen.told.slice(-3)).toEqual(['lost', 'a/stays=y', 'current']);
    watching.close();
  });

  it('prunes its log of changes', async () => {
    let revision = good(await create(store, 'a', '0'));
    for (let at = 0; at < 12_000; at += 1) revision = good(await update(store, 'a', `${at}`, revision));
    const other = new DatabaseSync(file);
    const kept = Number(other.prepare('SELECT count(*) AS kept FROM changes').get()!['kept']);
    other.close();
    expect(kept).toBeLessThan(10_300);
    expect(kept).toBeGreaterThan(9000);
  });
});

describe('an embedded file that does not work', () => {
  it('is unavailable while another process holds its lock, without stopping the event loop, and works afterwards', async () => {
    const revision = good(await create(store, 'a', 'x'));
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const results = await Promise.all([update(store, 'a', 'y', revision), create(store, 'b', 'y')]);
    delay.disable();
    expect(results.map(how)).toEqual(['unavailable', 'unavailable']);
    expect(results[0]).toMatchObject({ detail: expect.stringContaining('locked by another process') });
    expect(delay.percentile(99) / 1e6).toBeLessThan(200);
    other.exec('COMMIT');
    other.close();
    good(await update(store, 'a', 'y', revision));
  });

  it('is unavailable when it is full; what is there can be read and deleted', async () => {
    store.close();
    store = new EmbeddedStore({ file, bytesMax: 1024 * 1024 });
    const large = new Uint8Array(100_000);
    const results: string[] = [];
    let at = 0;
    do {
      const result = await create(store, `a/${at}`, large);
      results.push(how(result));
      if (!result.ok) expect(result.detail).toContain('no space left');
      at += 1;
    } while (results.at(-1) === 'ok' && at < 50);
    expect(results.at(-1)).toBe('unavailable');
    const entries = good(await list(store, 'a/'));
    expect(entries).toHaveLength(at - 1);
    for (const { key, revision } of entries) good(await remove(store, key, revision));
    good(await create(store, 'a/again', large));
  });

  it('is unavailable when it is damaged or moved away, and works when it is put back', async () => {
    good(await create(store, 'a/1', 'x'));
    const seen = new Seen(store, 'a/');
    await vi.waitFor(() => expect(seen.isCurrent).toBe(true), WAIT);
    const kept = join(folder, 'kept');
    mkdirSync(kept);
    for (const name of readdirSync(folder).filter((name) => name.startsWith('store.'))) renameSync(join(folder, name), join(kept, name));
    writeFileSync(file, 'this is no database, whatever its name says. '.repeat(500));
    await vi.waitFor(() => expect(seen.told.at(-1)).toBe('lost'), WAIT);
    await vi.waitFor(async () => {
      expect(await get(store, 'a/1')).toMatchObject({ ok: false, failure: 'unavailable', detail: expect.stringContaining('is damaged') });
    }, WAIT);
    expect(reached.at(-1)).toContain('is damaged');
    const late = new Seen(store, 'a/');
    await vi.waitFor(() => expect(late.told).toEqual(['lost']), WAIT);
    for (const name of readdirSync(kept)) renameSync(join(kept, name), join(folder, name));
    await vi.waitFor(() => expect([seen.isCurrent, late.isCurrent]).toEqual([true, true]), WAIT);
    expect(seen.object).toEqual({ 'a/1': 'x' });
    expect(reached.at(-1)).toBe('reachable');
    good(await create(store, 'a/2', 'y'));
    await vi.waitFor(() => expect(late.known.size).toBe(2), WAIT);
  });

  it('is unavailable while its folder is missing', async () => {
    store.close();
    bus.close();
    const later = join(folder, 'later');
    store = new EmbeddedStore({ file: join(later, 'store.sqlite') });
    bus = new EmbeddedBus({ file: join(later, 'bus.sqlite'), id: 'here' });
    const connected: boolean[] = [];
    bus.onConnected((isConnected) => connected.push(isConnected));
    expect(how(await create(store, 'a', 'x'))).toBe('unavailable');
    expect(how(await request(bus, 'a', 'x', 500))).toBe('unavailable');
    expect(connected).toEqual([false]);
    mkdirSync(later);
    await vi.waitFor(async () => good(await create(store, 'a', 'x')), WAIT);
    await vi.waitFor(() => expect(connected.at(-1)).toBe(true), WAIT);
  });

  it.skipIf(process.getuid?.() === 0)('is refused when it may not be written', async () => {
    good(await create(store, 'a', 'x'));
    store.close();
    chmodSync(folder, 0o500);
    store = new EmbeddedStore({ file });
    expect(['refused', 'unavailable']).toContain(how(await create(store, 'b', 'x')));
    chmodSync(folder, 0o700);
  });
});

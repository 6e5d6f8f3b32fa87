import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../cluster/mod.ts';
import type { Json, SettingsChange } from '../../settings/mod.ts';
import { encodeVersion, VERSIONS_KEPT, versionKey } from '../../settings/mod.ts';
import { StoreCalls } from '../cluster/mod.ts';
import { EmbeddedStore } from '../coordination/mod.ts';
import { SettingsJournal } from './settings-journal.ts';
import { SettingsRecords } from './settings-records.ts';
import { SettingsReplica } from './settings-replica.ts';
import { SettingsUpkeep } from './settings-upkeep.ts';

let store: EmbeddedStore;
beforeEach(() => {
  store = new EmbeddedStore({ file: join(mkdtempSync(join(tmpdir(), 'sluice-journal-')), 'store.sqlite') });
});
afterEach(() => store.close());

const by = { who: 'key:a', action: 'applySettings', note: '' };
const ladder = (lingerMs: number): Json => ({ template: 'abr', rungs: [], always: false, lingerMs });
const changes = (from: number | undefined, to: number | undefined): SettingsChange[] =>
  ['a', 'b', 'c'].map((app) => ({
    key: `ladders/${app}`,
    before: from === undefined ? null : ladder(from),
    after: to === undefined ? null : ladder(to),
  }));

interface Author {
  readonly journal: SettingsJournal;
  readonly records: SettingsRecords;
  readonly calls: StoreCalls;
}

function author(over: Store = store): Author {
  const calls = new StoreCalls(over);
  const records = new SettingsRecords(calls, () => []);
  const journal = new SettingsJournal({
    store: calls,
    make: (change, atMs, isOver) => records.make(change, atMs, isOver),
    wall: () => 1000,
  });
  return { journal, records, calls };
}

/** A store whose caller dies with its write number `writes`: that one is refused, and all that come after. */
function mortal(writes: number): Store {
  let left = writes;
  const isDead = (): boolean => left-- <= 0;
  const dead = { ok: false, failure: 'unavailable', detail: 'dead' } as const;
  return {
    get: (key, done) => (left < 0 ? done(dead) : store.get(key, done)),
    list: (prefix, done) => (left < 0 ? done(dead) : store.list(prefix, done)),
    create: (key, value, done) => (isDead() ? done(dead) : store.create(key, value, done)),
    update: (key, value, revision, done) => (isDead() ? done(dead) : store.update(key, value, revision, done)),
    delete: (key, revision, done) => (isDead() ? done(dead) : store.delete(key, revision, done)),
    watch: (prefix, watcher) => store.watch(prefix, watcher),
  };
}

const lingers = async ({ records }: Author): Promise<unknown[]> =>
  [...(await records.state()).values()].map((value) => (value as { lingerMs: number }).lingerMs);

it('a change is made as one version, and none is made of nothing', async () => {
  const one = author();
  expect(await one.journal.commit(by, { plan: async () => changes(undefined, 1) })).toMatchObject({ version: 1 });
  expect(await lingers(one)).toEqual([1, 1, 1]);
  expect(await one.journal.commit(by, { plan: async () => [] })).toEqual({ version: 1, changes: [] });
  expect(await one.journal.list()).toMatchObject([{ n: 1, who: 'key:a', atMs: 1000, count: 3 }]);
});

it('whatever write its author dies at, it is made as a whole or not at all, and the next author goes on from there', async () => {
  const next = author();
  let from: number | undefined;
  let version = 0;
  // One write for the version, one a key, and one to say that it is done.
  for (let writes = 0; writes <= 4; writes++) {
    const to = writes + 10;
    const planned = changes(from, to);
    await expect(author(mortal(writes)).journal.commit(by, { plan: async () => planned })).rejects.toThrow(/dead/);
    const settled = await next.journal.settle();
    const isMade = writes > 0;
    expect(settled).toBe(isMade ? version + 1 : version);
    expect(await lingers(next)).toEqual(isMade ? [to, to, to] : []);
    version = settled;
    if (isMade) from = to;
  }
  expect(await next.journal.commit(by, { plan: async () => changes(from, undefined) })).toMatchObject({ version: version + 1 });
  expect(await lingers(next)).toEqual([]);
});

it('one who was held up over a later version does not bring an earlier one back', async () => {
  const other = author();
  const calls = new StoreCalls(store);
  const records = new SettingsRecords(calls, () => []);
  let overtaken = false;
  const slow = new SettingsJournal({
    store: calls,
    make: async (change, atMs, isOver) => {
      if (!overtaken) {
        overtaken = true;
        expect(await other.journal.settle()).toBe(1);
        await other.journal.commit(by, { plan: async () => changes(1, 2) });
      }
      await records.make(change, atMs, isOver);
    },
    wall: () => 1000,
  });
  await slow.commit(by, { plan: async () => changes(undefined, 1) });
  expect(await lingers(other)).toEqual([2, 2, 2]);
  expect(await other.journal.done()).toBe(2);
});

it('one who is overtaken between reading and writing does not write', async () => {
  const other = author();
  const { records } = author();
  await other.journal.commit(by, { plan: async () => changes(undefined, 1) });
  const [first] = changes(undefined, 7);
  let asked = 0;
  await records.make(first as SettingsChange, 1000, async () => {
    if (asked++ > 0) return true;
    await other.journal.commit(by, { plan: async () => changes(1, 2) });
    return false;
  });
  expect(asked).toBe(2);
  expect(await lingers(other)).toEqual([2, 2, 2]);
});

it('of many who change at once, each gets a version of its own', async () => {
  const authors = Array.from({ length: 6 }, () => author());
  const made = await Promise.all(
    authors.map(({ journal, records }, index) =>
      journal.commit(by, {
        plan: async () => {
          const before = (await records.get('ladders/a')) ?? null;
          return [{ key: 'ladders/a', before, after: ladder(index + 1) }];
        },
      }),
    ),
  );
  expect(made.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6]);
  const [reader] = authors as [Author];
  const versions = [...(await reader.journal.list())].reverse();
  // Each begins with what the one before it made.
  const steps = await Promise.all(versions.map((version) => reader.journal.changesOf(version)));
  for (const [index, step] of steps.slice(1).entries()) expect(step[0]?.before).toEqual(steps[index]?.[0]?.after);
});

it('changes that do not fit into a record are kept in parts, which go with it', async () => {
  const one = author();
  const many: SettingsChange[] = Array.from({ length: 3000 }, (_, index) => ({
    key: `ladders/app${index}`,
    before: null,
    after: { template: 'custom', always: false, lingerMs: index, rungs: [{ ...rung, name: crypto.randomUUID() }] },
  }));
  await one.journal.commit(by, { plan: async () => many });
  const [version] = await one.journal.list();
  expect(version?.changes).toHaveProperty('id');
  expect(await one.journal.changesOf(version as NonNullable<typeof version>)).toEqual(many);
  for (let n = 0; n < VERSIONS_KEPT; n++)
    await one.journal.commit(by, { plan: async () => [{ key: 'ladders/app0', before: null, after: ladder(n) }] });
  expect((await one.journal.list()).map(({ n }) => n).at(-1)).toBe(2);
  expect(await one.calls.list('config-parts/')).toEqual([]);
}, 60_000);

const rung = { codec: 'h264', height: 0, frameRateMax: 0, bitrateBps: 0, preset: 'veryfast', encoder: 'auto', channels: 0 };

it('a change that is made is told as made, also when the oldest version cannot be taken away', async () => {
  const one = author();
  const change = (n: number) => ({ plan: async () => [{ key: 'ladders/a', before: null, after: ladder(n) }] });
  for (let n = 1; n <= VERSIONS_KEPT; n++) await one.journal.commit(by, change(n));
  // It dies at its fourth write: after the version, the change, and that it is done.
  const dying = author(mortal(3));
  expect(await dying.journal.commit(by, change(1000))).toMatchObject({ version: VERSIONS_KEPT + 1 });
  expect(await lingers(one)).toEqual([1000]);
}, 60_000);

it('a record that is not the version of its key is refused, and not made over and over', async () => {
  const one = author();
  await one.journal.commit(by, { plan: async () => changes(undefined, 1) });
  await one.calls.write(versionKey(2), undefined, encodeVersion({ v: 1, n: 1, atMs: 0, ...by, count: 0, changes: [] }));
  await expect(one.journal.settle()).rejects.toThrow(/version 2/);
  expect(await lingers(one)).toEqual([1, 1, 1]);
});

it('what nobody goes on with is finished by a node that looks after that', async () => {
  const dying = author(mortal(2));
  await expect(dying.journal.commit(by, { plan: async () => changes(undefined, 5) })).rejects.toThrow(/dead/);
  const keeper = author();
  const replica = new SettingsReplica(store, {
    ladderChanged: () => undefined,
    routingChanged: () => undefined,
    weightsChanged: () => undefined,
  });
  const upkeep = new SettingsUpkeep({
    unfinished: () => replica.unfinished,
    settle: () => keeper.journal.settle(),
    lookMs: 20,
    log: pino({ level: 'silent' }),
  });
  await expect.poll(() => lingers(keeper), { timeout: 20_000 }).toEqual([5, 5, 5]);
  await expect.poll(() => replica.unfinished, { timeout: 20_000 }).toBeUndefined();
  upkeep.close();
  replica.close();
});

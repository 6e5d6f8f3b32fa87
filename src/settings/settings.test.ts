import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changesBetween,
  decodeDone,
  decodeVersion,
  differenceOf,
  documentOf,
  encodeDone,
  encodeVersion,
  isSameJson,
  type Json,
  type JsonObject,
  type SettingsChange,
  type SettingsState,
  type VersionRecord,
  wishedState,
  withChanges,
  withoutChanges,
} from './mod.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => value !== null) as fc.Arbitrary<Json>;
const key = fc.constantFrom('apps/live', 'apps/news', 'ladders/live', 'ladders/old', 'settings/routing', 'settings/transcoding');
const state: fc.Arbitrary<SettingsState> = fc.dictionary(key, json).map((values) => new Map(Object.entries(values)));
const sorted = (values: SettingsState): [string, Json][] => [...values].sort(([left], [right]) => (left < right ? -1 : 1));

/** The document with differences made to it: what reading them by their paths comes to. */
function applied(document: Json | undefined, differences: ReturnType<typeof differenceOf>): Json | undefined {
  let next = document === undefined ? undefined : (structuredClone(document) as Json);
  for (const { path, after } of differences) {
    const steps = path.match(/[^.[\]]+/g) ?? [];
    if (steps.length === 0) {
      next = after;
      continue;
    }
    const last = steps.pop() ?? '';
    const parent = steps.reduce<Record<string, unknown>>(
      (at, step) => at[step] as Record<string, unknown>,
      next as Record<string, unknown>,
    );
    if (after === undefined) delete parent[last];
    else parent[last] = after;
  }
  return next;
}

const plainName = fc.stringMatching(/^[a-z]{1,3}$/);
const document: fc.Arbitrary<Json> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.string(),
    tie('group'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  group: fc.dictionary(plainName, tie('value'), { maxKeys: 4, noNullPrototype: true }),
})).group as fc.Arbitrary<Json>;

describe('changes of settings', () => {
  it('make one state of another', () => {
    fc.assert(
      fc.property(state, state, (before, after) => {
        const changes = changesBetween(before, after);
        expect(sorted(withChanges(before, changes))).toEqual(sorted(after));
        expect(changesBetween(after, after)).toEqual([]);
      }),
      { numRuns },
    );
  });

  it('are undone from the newest back, to any state that there was', () => {
    fc.assert(
      fc.property(fc.array(state, { minLength: 2, maxLength: 6 }), fc.nat(), (states, at) => {
        const target = at % states.length;
        const versions = states.slice(1).map((after, index) => changesBetween(states[index] ?? new Map(), after));
        const last = states.at(-1) ?? new Map();
        expect(sorted(withoutChanges(last, versions.slice(target).reverse()))).toEqual(sorted(states[target] ?? new Map()));
      }),
      { numRuns },
    );
  });

  it('that are undone leave alone what they did not touch', () => {
    const changes: SettingsChange[] = [{ key: 'apps/live', before: null, after: { note: 'a' } }];
    const now = new Map<string, Json>([
      ['apps/live', { note: 'a' }],
      ['ladders/news', { template: 'abr' }],
    ]);
    expect([...withoutChanges(now, [changes])]).toEqual([['ladders/news', { template: 'abr' }]]);
  });
});

describe('the difference of two documents', () => {
  it('leads from one to the other by its paths', () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const differences = differenceOf(before, after);
        expect(isSameJson(applied(before, differences), after)).toBe(true);
        expect(differences.length === 0).toBe(isSameJson(before, after));
      }),
      { numRuns },
    );
  });

  it('names the very key', () => {
    const ladder = (height: number): Json => ({ apps: { live: { ladder: { rungs: [{ name: 'a', height }] } } } });
    expect(differenceOf(ladder(480), ladder(540))).toEqual([{ path: 'apps.live.ladder.rungs[0].height', before: 480, after: 540 }]);
    expect(differenceOf({ apps: {} }, { apps: { news: { note: '' } } })).toEqual([{ path: 'apps.news', after: { note: '' } }]);
  });
});

describe('a document of settings', () => {
  const merged = (_name: string, before: Json | undefined, given: JsonObject): Json => ({ note: '', ...(before as JsonObject), ...given });
  const options = { merged, prune: false, kept: () => false };
  const now: SettingsState = new Map<string, Json>([
    ['apps/live', { note: 'l' }],
    ['ladders/live', { template: 'abr' }],
    ['apps/news', { note: 'n' }],
    ['settings/routing', { regionHeader: 'x' }],
  ]);

  it('shows what is set, and asks for the same when it is given back', () => {
    const shown = documentOf(now);
    expect(shown).toEqual({
      apps: { live: { note: 'l', ladder: { template: 'abr' } }, news: { note: 'n', ladder: null } },
      transcoding: null,
      routing: { regionHeader: 'x' },
    });
    expect(changesBetween(now, wishedState(now, shown, { ...options, prune: true }))).toEqual([]);
  });

  it('leaves what it does not name, unsets what is null, and prunes only when asked to', () => {
    expect(changesBetween(now, wishedState(now, {}, options))).toEqual([]);
    expect(
      changesBetween(now, wishedState(now, { apps: { news: { note: 'm' } }, routing: null }, options)).map((change) => change.key),
    ).toEqual(['apps/news', 'settings/routing']);
    const pruned = wishedState(now, { apps: { news: {} } }, { ...options, prune: true });
    expect([...pruned.keys()].sort()).toEqual(['apps/news', 'settings/routing']);
    expect(wishedState(now, { apps: {} }, { ...options, prune: true, kept: (name) => name === 'live' }).has('ladders/live')).toBe(true);
    expect(changesBetween(now, wishedState(now, { routing: null }, { ...options, prune: true })).length).toBe(1);
  });
});

describe('records of versions', () => {
  const record: VersionRecord = {
    v: 1,
    n: 7,
    atMs: 1,
    who: 'key:a',
    action: 'applySettings',
    note: '',
    count: 1,
    changes: [{ key: 'apps/live', before: null, after: { note: 'a' } }],
  };

  it('are read as they were written', () => {
    expect(decodeVersion(encodeVersion(record))).toEqual(record);
    const parts = { ...record, changes: { id: 'ab', count: 3 } };
    expect(decodeVersion(encodeVersion(parts))).toEqual(parts);
    expect(decodeDone(encodeDone(9))).toBe(9);
    expect(decodeDone(undefined)).toBe(0);
  });

  it('of any bytes are read or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.jsonValue().map((value) => new TextEncoder().encode(JSON.stringify({ v: 1, n: 1, changes: value }))),
        ),
        (bytes) => {
          decodeDone(bytes);
          const read = decodeVersion(bytes);
          if (read !== undefined) expect(decodeVersion(encodeVersion(read))).toEqual(read);
        },
      ),
      { numRuns },
    );
  });
});

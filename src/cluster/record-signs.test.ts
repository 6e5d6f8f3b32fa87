import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { edgeRecord } from './node-record.fixture.ts';
import { RecordSigns } from './record-signs.ts';
import { RosterTable } from './roster-table.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const STEP_MS = 1000;
const KEPT_MS = 120_000;

/** Incarnation 0 stands for a node that goes. */
const change = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  incarnation: fc.integer({ min: 0, max: 3 }),
  afterMs: fc.oneof(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 50_000, max: 150_000 })),
});

/** Between when and when a node may say that it heard of a process of another one. */
interface Heard {
  readonly from: number;
  readonly to: number;
  goneAt: number | undefined;
}

describe('when a node heard of others by their records', () => {
  it('is known by up to a second too late, and of long ago as having been long ago; who came back within a second was there', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const signs = new RecordSigns();
        const heard = new Map<string, Heard>();
        let table = new RosterTable();
        let now = 5_000;
        for (const { id, incarnation, afterMs } of changes) {
          now += afterMs;
          const before = table.records.find((record) => record.id === id);
          if (before?.incarnation === incarnation || (before === undefined && incarnation === 0)) continue;
          signs.changes(table.records, monotonicMs(now));
          table = incarnation === 0 ? table.without(id) : table.with(edgeRecord(id, { incarnation }));
          const replaced = heard.get(`${id} ${before?.incarnation}`);
          if (replaced !== undefined) replaced.goneAt = now;
          const known = heard.get(`${id} ${incarnation}`);
          const isBack = known?.goneAt !== undefined && now - known.goneAt < STEP_MS;
          heard.set(`${id} ${incarnation}`, { from: isBack ? known.from : now, to: now, goneAt: undefined });
          for (const record of table.records) {
            const { from, to } = heard.get(`${record.id} ${record.incarnation}`) as Heard;
            const sign = signs.of(record);
            expect(sign).toBeGreaterThanOrEqual(from);
            if (now - sign <= KEPT_MS) expect(sign).toBeLessThan(to + STEP_MS);
          }
        }
      }),
      { numRuns },
    );
  });

  it('does not go back further than anybody asks, however much changes', () => {
    const signs = new RecordSigns();
    const old = edgeRecord('old');
    let table = new RosterTable();
    for (let at = 0; at < 1_000; at++) {
      signs.changes(table.records, monotonicMs(at * 400));
      table = at === 0 ? table.with(old) : table.with(edgeRecord('a', { incarnation: at }));
    }
    const agoMs = 999 * 400 - signs.of(old);
    expect(agoMs).toBeGreaterThan(KEPT_MS);
    expect(agoMs).toBeLessThan(KEPT_MS + 3 * STEP_MS);
  });
});

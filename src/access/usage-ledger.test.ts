import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countersOf,
  decodeMonthRecord,
  encodeMonthRecord,
  type MonthCounters,
  NO_COUNTERS,
  NO_MONTH_RECORD,
  withRun,
} from './month-record.ts';
import { type DueRecord, monthOf, shardNumber, UsageLedger } from './usage-ledger.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const MONTH = '2026-11';
const sent = (bytesOut: number): MonthCounters => ({ ...NO_COUNTERS, bytesOut });

/** A store of which writes can be made, and lost on their way or on the way back. */
class Records {
  readonly byKey = new Map<string, Uint8Array>();

  write(due: readonly DueRecord[], outcome: 'done' | 'lost' | 'unanswered'): void {
    for (const record of due) {
      const next = record.next(this.byKey.get(record.key));
      if (outcome !== 'lost') this.byKey.set(record.key, next);
      if (outcome === 'done') record.written();
    }
  }

  totalOf(app: string): number {
    let sum = 0;
    for (const value of this.byKey.values()) sum += countersOf(decodeMonthRecord(value) ?? NO_MONTH_RECORD, app).bytesOut;
    return sum;
  }
}

describe('the month of an app', () => {
  it('is named by UTC', () => {
    expect(monthOf(Date.UTC(2026, 10, 30, 23, 59))).toBe('2026-11');
    expect(monthOf(Date.UTC(2026, 11, 1))).toBe('2026-12');
  });

  it('goes on where the run before has left it', () => {
    const records = new Records();
    const first = new UsageLedger('n1', 'a');
    first.add(MONTH, 'live', sent(5));
    records.write(first.due(MONTH), 'done');
    expect(first.due(MONTH)).toEqual([]);
    const second = new UsageLedger('n1', 'b');
    second.add(MONTH, 'live', sent(2));
    records.write(second.due(MONTH), 'done');
    expect(records.totalOf('live')).toBe(7);
    const stored = [...records.byKey.values()].map((value) => decodeMonthRecord(value) ?? NO_MONTH_RECORD);
    second.add(MONTH, 'live', sent(1));
    expect(second.totalOf(MONTH, 'live', stored).bytesOut).toBe(8);
  });

  it('is kept while the store is away, over the end of the month', () => {
    const records = new Records();
    const ledger = new UsageLedger('n1', 'a');
    ledger.add(MONTH, 'live', sent(5));
    records.write(ledger.due(MONTH), 'lost');
    ledger.add('2026-12', 'live', sent(1));
    expect(ledger.due('2026-12').map(({ key }) => key.slice(0, 13))).toEqual(['usage/2026-11', 'usage/2026-12']);
    records.write(ledger.due('2026-12'), 'done');
    expect(ledger.due('2026-12')).toEqual([]);
    expect(records.totalOf('live')).toBe(6);
    expect(ledger.ownOf(MONTH, 'live')).toEqual(NO_COUNTERS);
  });

  it('is counted once, whatever is lost and whoever restarts, even beside the process before', () => {
    const step = fc.record({
      isNewer: fc.boolean(),
      bytes: fc.nat(1_000),
      outcome: fc.constantFrom('done', 'lost', 'unanswered', undefined),
      restarts: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const records = new Records();
        let runs = 0;
        let counted = 0;
        const start = (): UsageLedger => new UsageLedger('n1', `run${runs++}`);
        let [older, newer] = [start(), start()];
        for (const { isNewer, bytes, outcome, restarts } of steps) {
          if (restarts) {
            // The one that ends writes what it has: a new one may run beside it, and not more.
            records.write(older.due(MONTH), 'done');
            [older, newer] = [newer, start()];
          }
          const ledger = isNewer ? newer : older;
          ledger.add(MONTH, 'live', sent(bytes));
          counted += bytes;
          if (outcome !== undefined) records.write(ledger.due(MONTH), outcome);
        }
        for (const ledger of [older, newer]) records.write(ledger.due(MONTH), 'done');
        expect(records.totalOf('live')).toBe(counted);
      }),
      { numRuns: RUNS },
    );
  });

  it('has each app in one record, and 10,000 apps in records that a store takes', () => {
    const apps = Array.from({ length: 10_000 }, (_, index) => `${'a'.repeat(20)}${index}`);
    const ledger = new UsageLedger('n1', 'a'.repeat(16));
    const huge: MonthCounters = { transcodeMs: 1e13, recordingMs: 1e13, bytesIn: 1e15, bytesOut: 1e15, viewerMs: 1e13 };
    for (const app of apps) ledger.add(MONTH, app, huge);
    const sizes = ledger.due(MONTH).map((due) => {
      const one = decodeMonthRecord(due.next(undefined)) ?? NO_MONTH_RECORD;
      const rows = one.runs[0]?.apps ?? new Map();
      return encodeMonthRecord(withRun(withRun({ ...one, base: rows }, 'b', rows), 'c', rows)).length;
    });
    expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
    expect(new Set(apps.map(shardNumber)).size).toBe(32);
  });
});

describe('records of a month', () => {
  it('that are none of ours change nothing', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.record({ v: fc.constant(1), base: fc.anything(), runs: fc.anything() }).map((json) => {
        const text = JSON.stringify(json, (_key, value: unknown) => (typeof value === 'bigint' ? 0 : value));
        return new TextEncoder().encode(text);
      }),
    );
    fc.assert(
      fc.property(bytes, (value) => {
        const record = decodeMonthRecord(value);
        if (record === undefined) return;
        const total = countersOf(record, 'live');
        expect(total.bytesOut >= 0 && Number.isFinite(total.bytesOut)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { type AppFigures, addFigures, NO_FIGURES } from './app-figures.ts';
import { decodeUsageMessage, usageMessages } from './usage-message.ts';
import { UsageSums } from './usage-sums.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const EVERY_MS = 2_000;
const viewers = (count: number): AppFigures => ({ ...NO_FIGURES, viewers: count });

function tell(sums: UsageSums, node: string, count: number, apps: readonly (readonly [string, AppFigures])[], at: number): void {
  for (const bytes of usageMessages(node, count, EVERY_MS, apps)) {
    const message = decodeUsageMessage(bytes);
    if (message !== undefined) sums.heard(message, monotonicMs(at));
  }
}

describe('what other nodes use', () => {
  it('is what each said last, without this node', () => {
    const sums = new UsageSums('n1');
    tell(sums, 'n1', 1, [['live', viewers(100)]], 0);
    tell(sums, 'n2', 1, [['live', viewers(3)]], 0);
    tell(sums, 'n3', 1, [['live', viewers(4)]], 0);
    tell(sums, 'n2', 2, [['live', viewers(5)]], 1_000);
    expect(sums.othersOf('live', monotonicMs(1_000)).viewers).toBe(9);
    expect(sums.othersOf('news', monotonicMs(1_000))).toEqual(NO_FIGURES);
  });

  it('does not have those any more who were silent for three rounds', () => {
    const sums = new UsageSums('n1');
    tell(sums, 'n2', 1, [['live', viewers(3)]], 0);
    expect(sums.othersOf('live', monotonicMs(5_999)).viewers).toBe(3);
    expect(sums.othersOf('live', monotonicMs(6_000)).viewers).toBe(0);
    expect([...sums.sweep(monotonicMs(6_000))]).toEqual([]);
    expect(sums.size).toBe(0);
  });

  it('is taken in whole rounds: a part that is lost leaves what was before', () => {
    const sums = new UsageSums('n1');
    const many = (count: number): (readonly [string, AppFigures])[] =>
      Array.from({ length: 2_500 }, (_, index) => [`app${index}`, viewers(count)]);
    tell(sums, 'n2', 1, many(1), 0);
    const [first, , last] = usageMessages('n2', 2, EVERY_MS, many(2)).map(decodeUsageMessage);
    for (const message of [first, last]) if (message !== undefined) sums.heard(message, monotonicMs(1));
    expect(sums.othersOf('app2', monotonicMs(1)).viewers).toBe(1);
    tell(sums, 'n2', 3, many(3), 2);
    expect([sums.othersOf('app2', monotonicMs(2)).viewers, sums.othersOf('app2499', monotonicMs(2)).viewers]).toEqual([3, 3]);
  });

  it('is never doubled, however nodes say it, restart and fall silent', () => {
    const step = fc.record({
      node: fc.constantFrom('n1', 'n2', 'n3', 'n4'),
      count: fc.nat(1_000),
      restarts: fc.boolean(),
      afterMs: fc.nat(3_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const sums = new UsageSums('n1');
        const model = new Map<string, { readonly count: number; readonly until: number }>();
        const rounds = new Map<string, number>();
        let now = 0;
        for (const { node, count, restarts, afterMs } of steps) {
          now += afterMs;
          const round = restarts ? 1 : (rounds.get(node) ?? 0) + 1;
          rounds.set(node, round);
          tell(sums, node, round, [['live', viewers(count)]], now);
          if (node !== 'n1') model.set(node, { count, until: now + 3 * EVERY_MS });
          const expected = [...model.values()].reduce((sum, told) => sum + (now < told.until ? told.count : 0), 0);
          expect(sums.othersOf('live', monotonicMs(now)).viewers).toBe(expected);
          if (count % 3 === 0) sums.sweep(monotonicMs(now));
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe('messages of usage', () => {
  it('come back as they were', () => {
    const figures = { streams: 1, viewers: 2, bitrateInBps: 3, bitrateOutBps: 4, newestStreamMs: 5 };
    const [bytes = new Uint8Array(0)] = usageMessages('n2', 7, EVERY_MS, [['live', figures]]);
    expect(decodeUsageMessage(bytes)).toEqual({
      v: 1,
      node: 'n2',
      count: 7,
      part: 0,
      parts: 1,
      everyMs: EVERY_MS,
      apps: [['live', figures]],
    });
    expect(addFigures(figures, NO_FIGURES)).toEqual(figures);
  });

  it('that are none of ours change nothing', () => {
    const value = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.array(fc.anything(), { maxLength: 4 }));
    const fields = fc.dictionary(fc.constantFrom('v', 'node', 'count', 'part', 'parts', 'everyMs', 'apps', 'x'), value);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fields.map((json) => new TextEncoder().encode(JSON.stringify({ v: 1, ...json }))),
        ),
        (bytes) => {
          const message = decodeUsageMessage(bytes);
          if (message === undefined) return;
          for (const [, { viewers: count }] of message.apps) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
        },
      ),
      { numRuns: RUNS },
    );
  });
});

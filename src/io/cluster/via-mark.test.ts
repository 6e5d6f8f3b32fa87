import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSettled, withVia } from './via-mark.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
const NOW = 1_700_000_000_000;

describe('the mark of nodes that sent a client on', () => {
  it('leaves all else in the query as it was', () => {
    expect(withVia('', 'n1', NOW)).toBe('via=n1.1700000000');
    expect(withVia('_HLS_msn=4&token=a%20b&_HLS_part=1', 'n1', NOW)).toBe('_HLS_msn=4&token=a%20b&_HLS_part=1&via=n1.1700000000');
    expect(withVia('via=n0.1699999999&x=1', 'n1', NOW)).toBe('x=1&via=n0.1699999999,n1.1700000000');
    expect(withVia('via=n1.1,n0.2', 'n1', NOW)).toBe('via=n0.2,n1.1700000000');
  });

  it('is known again by the node that set it, for half a minute', () => {
    const query = withVia('a=1', 'n1', NOW);
    expect(isSettled(query, 'n1', NOW)).toBe(true);
    expect(isSettled(query, 'n1', NOW + 29_000)).toBe(true);
    expect(isSettled(query, 'n1', NOW + 32_000)).toBe(false);
    expect(isSettled(query, 'n1', NOW - 3_600_000)).toBe(false);
    expect(isSettled(query, 'n2', NOW)).toBe(false);
    expect(isSettled('', 'n1', NOW)).toBe(false);
    expect(isSettled('via=n1.1700000000%2Cn2.1', 'n1', NOW)).toBe(true);
  });

  it('ends a chain of redirects whatever the nodes believe of each other', () => {
    const nodes = Array.from({ length: 12 }, (_, index) => `n${index}`);
    fc.assert(
      fc.property(
        fc.array(fc.nat(11), { minLength: 40, maxLength: 40 }),
        fc.array(fc.integer({ min: -7_200_000, max: 7_200_000 }), { minLength: 12, maxLength: 12 }),
        (way, clocks) => {
          let query = 'x=1';
          let sent = 0;
          // Each node sends the client to any other one, and all clocks differ.
          for (const at of way) {
            const clock = NOW + (clocks[at] ?? 0);
            if (isSettled(query, nodes[at] ?? '', clock)) return;
            query = withVia(query, nodes[at] ?? '', clock);
            sent++;
            expect(sent).toBeLessThanOrEqual(8);
          }
        },
      ),
      RUNS,
    );
  });

  it('takes whatever comes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        isSettled(`via=${text}`, 'n1', NOW);
        const marked = withVia(`via=${text}&b=2`, 'n1', NOW);
        expect(isSettled(marked, 'n1', NOW)).toBe(true);
        expect(marked.length).toBeLessThan(2_000);
      }),
      RUNS,
    );
  });
});

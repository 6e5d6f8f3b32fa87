import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageOf } from './page.ts';

describe('a page of a list', () => {
  it('goes on where the one before ended: all pages together are the list in order', () => {
    const keys = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 40 });
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 12 }), (all, limit) => {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = pageOf(all, (key) => key, { limit, ...(cursor === undefined ? {} : { cursor }) });
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items);
          cursor = page.nextCursor;
        } while (cursor !== undefined && seen.length <= all.length);
        expect(seen).toEqual([...all].sort((left, right) => (left < right ? -1 : 1)));
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });

  it('has no next page when the list ends with it', () => {
    expect(pageOf(['b', 'a'], (key) => key, { limit: 2 })).toEqual({ items: ['a', 'b'] });
  });
});

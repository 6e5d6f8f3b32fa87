import { describe, expect, it } from 'vitest';
import { isLong, pagesOf, STALE_BY_EVENT, StaleKeys } from './live-events.ts';

describe('what events make old', () => {
  it('is fetched at once for the first, and once a pause for all that follow', () => {
    const keys = new StaleKeys(500);
    expect(keys.add(['streams'], 1000)).toBe(0);
    expect(keys.add(['nodes'], 1000)).toBeUndefined();
    expect(keys.take(1000)).toEqual(['streams', 'nodes']);
    expect(keys.add(['streams'], 1100)).toBe(400);
    expect(keys.add(['streams'], 1200)).toBeUndefined();
    expect(keys.take(1500)).toEqual(['streams']);
    expect(keys.add(['streams'], 9000)).toBe(0);
  });
  it('is nothing for an event without consequences', () => expect(new StaleKeys(500).add([], 0)).toBeUndefined());
  it('is the overview for everything, since it has the alarms', () => {
    for (const keys of Object.values(STALE_BY_EVENT)) expect(keys).toContain('overview');
  });
});

describe('a list of pages', () => {
  it('is long when it is of many, and one page where there are none', () => {
    expect(isLong({ pages: Array.from({ length: 6 }, () => ({})) })).toBe(true);
    expect(isLong({ pages: [{}] })).toBe(false);
    expect([pagesOf(undefined), pagesOf({ items: [] }), pagesOf({ pages: [{}, {}] })]).toEqual([1, 1, 2]);
  });
});

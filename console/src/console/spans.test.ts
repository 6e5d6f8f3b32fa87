import { describe, expect, it } from 'vitest';
import { expiryWish, formatExpiry, formatTime } from './spans.ts';

describe('times of keys', () => {
  it('says until when a key counts', () => {
    const now = Date.UTC(2026, 0, 2);
    expect(formatExpiry(undefined, now)).toBe('for ever');
    expect(formatExpiry('2026-01-01T00:00:00.000Z', now)).toMatch(/^expired /);
    expect(formatExpiry('2026-01-03T00:00:00.000Z', now)).toMatch(/^until 2026-01-0/);
  });

  it('writes what is no time as unknown, and wishes nothing for ever', () => {
    expect(formatTime('soon')).toBe('–');
    expect(expiryWish('')).toEqual({});
    expect(expiryWish('60')).toEqual({ expiresInS: 60 });
  });
});

import { describe, expect, it } from 'vitest';
import { SeenPackets } from './seen-packets.ts';

describe('SeenPackets', () => {
  it('knows a packet that was reported, and one that was reported lost but came', () => {
    const seen = new SeenPackets();
    expect(seen.report(10, false)).toBe('new');
    expect(seen.report(10, false)).toBe('known');
    expect(seen.report(11, true)).toBe('new');
    expect(seen.report(11, true)).toBe('known');
    expect(seen.report(11, false)).toBe('late');
    expect(seen.report(11, false)).toBe('known');
    expect(seen.report(11, true)).toBe('known');
  });

  it('goes on over the wrap of the sequence number, and takes numbers past 16 bits as theirs', () => {
    const seen = new SeenPackets();
    for (let number = 65_000; number < 66_500; number++) expect(seen.report(number, false)).toBe('new');
    for (let number = 66_000; number < 66_500; number++) expect(seen.report(number & 0xffff, false)).toBe('known');
  });

  it('takes reordered packets within its window, and refuses older ones', () => {
    const seen = new SeenPackets();
    seen.report(1000, false);
    expect(seen.report(600, false)).toBe('new');
    expect(seen.report(600, false)).toBe('known');
    expect(seen.report(488, false)).toBe('known');
  });

  it('forgets what a jump left behind', () => {
    const seen = new SeenPackets();
    for (let number = 0; number < 600; number++) seen.report(number, false);
    expect(seen.report(20_000, false)).toBe('new');
    for (let number = 19_600; number < 20_000; number++) expect(seen.report(number, false)).toBe('new');
  });
});

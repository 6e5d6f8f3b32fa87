import { describe, expect, it } from 'vitest';
import { formatBitrate, formatHop, formatLatency, formatRatio, formatSeconds, formatUptime, formatViewers } from './figures.ts';

describe('figures', () => {
  it('shows bitrates in the unit that reads best', () => {
    expect([18_000_000_000, 2_500_000, 640_400, 0, undefined, Number.NaN].map(formatBitrate)).toEqual([
      '18.0 Gbit/s',
      '2.5 Mbit/s',
      '640 kbit/s',
      '0 kbit/s',
      '–',
      '–',
    ]);
  });
  it('shows a latency to the hundredth of a second, and negative ones as they are', () => {
    expect([1234, -80, undefined].map(formatSeconds)).toEqual(['1.23 s', '-0.08 s', '–']);
  });
  it('shows a short latency in milliseconds, a ratio in percent', () => {
    expect([0.42, -9.96, 84.4, undefined].map(formatHop)).toEqual(['0.4 ms', '-10.0 ms', '84 ms', '–']);
    expect([84.4, -3, 1234, undefined].map(formatLatency)).toEqual(['84 ms', '-3 ms', '1.23 s', '–']);
    expect([0, 0.0123, undefined].map(formatRatio)).toEqual(['0.00 %', '1.23 %', '–']);
  });
  it('shows an uptime in the units that matter by then', () => {
    expect([-5, 12_000, 185_000, 8_040_000, 442_800_000].map(formatUptime)).toEqual(['0 s', '12 s', '3 min', '2 h 14 min', '5 d 3 h']);
  });
  it('counts viewers in words', () => {
    expect([0, 1, 1234].map(formatViewers)).toEqual(['no viewers', '1 viewer', '1,234 viewers']);
  });
});

import { describe, expect, it } from 'vitest';
import { BitrateWindow } from './bitrate-window.ts';

describe('bitrate window', () => {
  it('knows nothing before the first piece, nor from pieces without length', () => {
    const window = new BitrateWindow(4000);
    window.add(1000, 0);
    window.add(0, 500);
    expect(window.bitrateBps).toBeUndefined();
  });
  it('is the average over the last pieces and forgets older ones', () => {
    const window = new BitrateWindow(4000);
    for (let i = 0; i < 100; i++) window.add(1_000_000, 500);
    for (let i = 0; i < 8; i++) window.add(125_000, 500);
    expect(window.bitrateBps).toBeCloseTo(2_000_000);
  });
});

import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { type AppInput, InputLimit } from './input-limit.ts';

const OWN = [
  { path: 'live/old', startedMs: 1 },
  { path: 'live/new', startedMs: 2 },
];
const input = (more: Partial<AppInput> = {}): AppInput => ({
  app: 'live',
  limitBps: 100,
  totalBps: 101,
  othersNewestMs: 0,
  own: OWN,
  ...more,
});

describe('too much from publishers', () => {
  it('for longer than five seconds ends the newest stream, and after five more the next', () => {
    const limit = new InputLimit();
    expect(limit.judge([input()], monotonicMs(0))).toEqual([]);
    expect(limit.judge([input()], monotonicMs(5_000))).toEqual([]);
    expect(limit.judge([input()], monotonicMs(5_001))).toEqual(['live/new']);
    const rest = OWN.slice(0, 1);
    expect(limit.judge([input({ own: rest })], monotonicMs(10_001))).toEqual([]);
    expect(limit.judge([input({ own: rest })], monotonicMs(10_002))).toEqual(['live/old']);
  });

  it('for a moment is nothing', () => {
    const limit = new InputLimit();
    limit.judge([input()], monotonicMs(0));
    limit.judge([input({ totalBps: 100 })], monotonicMs(4_000));
    expect(limit.judge([input()], monotonicMs(6_000))).toEqual([]);
  });

  it('is for the node to end that has the newest stream', () => {
    const limit = new InputLimit();
    limit.judge([input({ othersNewestMs: 3 })], monotonicMs(0));
    expect(limit.judge([input({ othersNewestMs: 3 })], monotonicMs(6_000))).toEqual([]);
    expect(limit.judge([input({ othersNewestMs: 2 })], monotonicMs(12_001))).toEqual(['live/new']);
  });

  it('keeps the stream out for half a minute', () => {
    const limit = new InputLimit();
    limit.judge([input()], monotonicMs(0));
    limit.judge([input()], monotonicMs(6_000));
    expect([limit.wasTooMuch('live/new', monotonicMs(35_999)), limit.wasTooMuch('live/old', monotonicMs(6_000))]).toEqual([true, false]);
    expect(limit.wasTooMuch('live/new', monotonicMs(36_000))).toBe(false);
  });
});

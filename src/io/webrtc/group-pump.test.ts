import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PUMP_INTERVAL_MS } from '../../protocols/rtp/mod.ts';
import { GroupPump } from './group-pump.ts';
import type { Kernel } from './kernel.ts';
import type { GroupStats } from './kernel-types.ts';

/** As much of the kernel as the pump knows: each call of `pump` sends from what is there. */
class FakeKernel {
  readonly pumped: number[] = [];
  /** Pumps that a group needs until no flow is behind. */
  readonly behind = new Map<number, number>();
  isBlocked = false;
  /** As in the kernel the same object each time. */
  private readonly result = { behind: 0, isBlocked: false };

  pump(group: number): { behind: number; isBlocked: boolean } {
    this.pumped.push(group);
    const left = this.isBlocked ? (this.behind.get(group) ?? 1) : Math.max(0, (this.behind.get(group) ?? 1) - 1);
    this.behind.set(group, left);
    this.result.behind = left;
    this.result.isBlocked = this.isBlocked;
    return this.result;
  }

  groupStats(): GroupStats {
    return { headIndex: 0, keyframeIndex: -1, tailIndex: 0, bytes: 0, flows: 0, reachedIndex: 0 };
  }
}

describe('GroupPump', () => {
  let kernel: FakeKernel;
  let pump: GroupPump;
  beforeEach(() => {
    vi.useFakeTimers();
    kernel = new FakeKernel();
    pump = new GroupPump(kernel as unknown as Kernel);
  });
  afterEach(() => {
    pump.close();
    vi.useRealTimers();
  });

  it('sends at once, and no more when nobody is behind', () => {
    pump.pump(1);
    expect(kernel.pumped).toEqual([1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on at its interval until nobody is behind', () => {
    kernel.behind.set(1, 3);
    kernel.behind.set(2, 2);
    pump.pump(1);
    pump.pump(2);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(PUMP_INTERVAL_MS);
    expect(kernel.pumped).toEqual([1, 2, 1, 2]);
    vi.advanceTimersByTime(PUMP_INTERVAL_MS);
    expect(kernel.pumped).toEqual([1, 2, 1, 2, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not rest after a pump that took longer than the interval', () => {
    kernel.behind.set(1, 4);
    const original = kernel.pump.bind(kernel);
    kernel.pump = (group) => {
      nowMs += PUMP_INTERVAL_MS * 3;
      return original(group);
    };
    let nowMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    pump.pump(1);
    vi.advanceTimersByTime(PUMP_INTERVAL_MS - 1);
    expect(kernel.pumped).toEqual([1, 1, 1, 1]);
    vi.restoreAllMocks();
  });

  it('waits with a group whose socket takes no more until it does', () => {
    kernel.behind.set(1, 2);
    kernel.isBlocked = true;
    pump.pump(1);
    vi.advanceTimersByTime(10 * PUMP_INTERVAL_MS);
    expect(kernel.pumped).toEqual([1]);
    pump.drained();
    expect(kernel.pumped).toEqual([1, 1]);
    kernel.isBlocked = false;
    pump.drained();
    vi.advanceTimersByTime(10 * PUMP_INTERVAL_MS);
    expect(kernel.pumped).toEqual([1, 1, 1, 1]);
    pump.drained();
    expect(kernel.pumped).toHaveLength(4);
  });

  it('does not pump a group that is no more, also when it goes while others are pumped', () => {
    for (const group of [1, 2, 3]) {
      kernel.behind.set(group, 9);
      pump.pump(group);
    }
    pump.forget(1);
    const original = kernel.pump.bind(kernel);
    kernel.pump = (group) => {
      if (group === 2) pump.forget(3);
      return original(group);
    };
    vi.advanceTimersByTime(PUMP_INTERVAL_MS);
    expect(kernel.pumped).toEqual([1, 2, 3, 2]);
    kernel.isBlocked = true;
    pump.pump(2);
    pump.forget(2);
    pump.drained();
    expect(kernel.pumped).toEqual([1, 2, 3, 2, 2]);
  });

  it('stops when it is closed', () => {
    kernel.behind.set(1, 9);
    pump.pump(1);
    pump.close();
    vi.advanceTimersByTime(10 * PUMP_INTERVAL_MS);
    pump.drained();
    expect(kernel.pumped).toEqual([1]);
  });
});

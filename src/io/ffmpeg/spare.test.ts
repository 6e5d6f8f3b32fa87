import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Spare } from './spare.ts';

class Child {
  isGone = false;
  close(): Promise<void> {
    this.isGone = true;
    return Promise.resolve();
  }
}

describe('Spare', () => {
  const made: Child[] = [];
  const load = (): Child => {
    const child = new Child();
    made.push(child);
    return child;
  };
  beforeEach(() => {
    made.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it('has one ready, and another when that is taken', () => {
    const spare = new Spare(load);
    spare.warm();
    spare.warm();
    expect(made).toHaveLength(1);
    expect(spare.take()).toBe(made[0]);
    expect(spare.ready).toBe(made[1]);
    expect(made).toHaveLength(2);
    expect(spare.take(true)).toBe(made[1]);
    expect(spare.ready).toBeUndefined();
    expect(made).toHaveLength(2);
  });

  it('does not give out what is gone', () => {
    const spare = new Spare(load);
    spare.warm();
    for (const child of made) child.isGone = true;
    expect(spare.ready).toBeUndefined();
    expect(spare.take()).toBe(made[1]);
  });

  it('ends one that nobody needs for long, where there is a limit', () => {
    const [limited, unlimited] = [new Spare(load, 1000), new Spare(load)];
    limited.warm();
    vi.advanceTimersByTime(900);
    limited.warm();
    unlimited.warm();
    vi.advanceTimersByTime(900);
    expect(made.map(({ isGone }) => isGone)).toEqual([false, false]);
    vi.advanceTimersByTime(100_000);
    expect(made.map(({ isGone }) => isGone)).toEqual([true, false]);
  });

  it('that is closed ends what it has, and begins nothing', async () => {
    const spare = new Spare(load);
    spare.warm();
    await spare.close();
    expect(made.map(({ isGone }) => isGone)).toEqual([true]);
    spare.warm();
    expect(made).toHaveLength(1);
  });
});

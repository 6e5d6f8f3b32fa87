import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Draining, type WhoIsLeft } from './draining.ts';

let left: WhoIsLeft;
let did: string[];
let draining: Draining;

beforeEach(() => {
  vi.useFakeTimers();
  left = { streams: 1, viewers: 3 };
  did = [];
  draining = new Draining({
    movePublishers: () => did.push('move'),
    left: () => left,
    end: () => did.push('end'),
    log: pino({ level: 'silent' }),
  });
});
afterEach(() => {
  draining.close();
  vi.useRealTimers();
});

/** Whether it is over yet. */
function watch(msMax = 1_000_000): () => Promise<boolean> {
  let isOver = false;
  void draining.untilOver(msMax).then(() => {
    isOver = true;
  });
  return async () => {
    await Promise.resolve();
    return isOver;
  };
}

describe('a drain', () => {
  it('asks publishers to go at once and each ten seconds, and ends what is left at its deadline', async () => {
    const isOver = watch();
    draining.begin(25_000);
    expect(did).toEqual(['move']);
    vi.advanceTimersByTime(24_999);
    expect(did).toEqual(['move', 'move', 'move']);
    expect(await isOver()).toBe(false);
    vi.advanceTimersByTime(1);
    expect(did.at(-1)).toBe('end');
    expect(await isOver()).toBe(true);
    vi.advanceTimersByTime(60_000);
    expect(did.filter((what) => what === 'end')).toHaveLength(1);
  });

  it('has the deadline that was given last', () => {
    draining.begin(undefined);
    vi.advanceTimersByTime(1_000_000);
    expect(did).not.toContain('end');
    draining.begin(5_000);
    draining.begin(50_000);
    vi.advanceTimersByTime(49_999);
    expect(did).not.toContain('end');
    vi.advanceTimersByTime(1);
    expect(did).toContain('end');
  });

  it('is undone when the node takes part again', () => {
    draining.begin(5_000);
    vi.advanceTimersByTime(4_000);
    draining.undo();
    vi.advanceTimersByTime(60_000);
    expect(did).toEqual(['move']);
  });

  it('is over for one who waits when nobody was left for two seconds, though the node stays until its deadline', async () => {
    const isOver = watch();
    draining.begin(60_000);
    left = { streams: 0, viewers: 0 };
    vi.advanceTimersByTime(1_500);
    left = { streams: 0, viewers: 1 };
    vi.advanceTimersByTime(1_500);
    left = { streams: 0, viewers: 0 };
    vi.advanceTimersByTime(1_500);
    expect(await isOver()).toBe(false);
    vi.advanceTimersByTime(500);
    expect(await isOver()).toBe(true);
    expect(did).not.toContain('end');
  });

  it('is over for one who waits after the time that it gave, whatever became of it', async () => {
    draining.begin(undefined);
    const isOver = watch(3_000);
    draining.undo();
    vi.advanceTimersByTime(2_999);
    expect(await isOver()).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await isOver()).toBe(true);
  });

  it('takes a deadline that is further away than timers go', () => {
    draining.begin(10 ** 12);
    vi.advanceTimersByTime(60_000);
    expect(did).not.toContain('end');
  });
});

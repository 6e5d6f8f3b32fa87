import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChildWatch } from './child-watch.ts';
import type { Heartbeat } from './messages.ts';

describe('ChildWatch', () => {
  const dead: string[] = [];
  const lags: number[] = [];
  let watch: ChildWatch;
  beforeEach(() => {
    vi.useFakeTimers();
    dead.length = 0;
    lags.length = 0;
    watch = new ChildWatch({ heartbeat: () => undefined, lagging: (ms) => lags.push(ms), dead: (code) => dead.push(code) });
  });
  afterEach(() => {
    watch.stop();
    vi.useRealTimers();
  });

  const heartbeat = (doneMs: Heartbeat['doneMs']): void => watch.heartbeat({ seat: 0, cpuS: 1, doneMs, framesCorrupt: 0 });
  /** Frames of sound come in at real time for so long. */
  const feed = (fromS: number, seconds: number, each: (second: number) => void = () => undefined): void => {
    for (let second = fromS; second < fromS + seconds; second++) {
      watch.written('audio', second * 1000);
      each(second);
      vi.advanceTimersByTime(1000);
    }
  };

  it('does not take input that waits for FFmpeg to load for a child that is stuck', () => {
    feed(0, 19);
    expect(dead).toEqual([]);
    watch.ready();
    heartbeat({ audio: 18_000 });
    expect(watch.queuedMs).toBe(0);
    feed(19, 30, (second) => heartbeat({ audio: second * 1000 }));
    expect(dead).toEqual([]);
  });

  it('knows a child that does not start, one that does not answer, and one whose work does not go on', () => {
    vi.advanceTimersByTime(21_000);
    expect(dead).toEqual(['transcode.hung']);

    watch = new ChildWatch({ heartbeat: () => undefined, lagging: () => undefined, dead: (code) => dead.push(code) });
    watch.ready();
    vi.advanceTimersByTime(5_000);
    expect(dead).toEqual(['transcode.hung', 'transcode.hung']);

    watch = new ChildWatch({ heartbeat: () => undefined, lagging: (ms) => lags.push(ms), dead: (code) => dead.push(code) });
    watch.ready();
    feed(0, 15, () => heartbeat({ audio: 0 }));
    expect(dead).toEqual(['transcode.hung', 'transcode.hung', 'transcode.stuck']);
    expect(lags.length).toBeGreaterThan(0);
  });

  it('takes frames that come back for a sign of life', () => {
    watch.ready();
    feed(0, 20, (second) => watch.done('audio', second * 1000));
    expect(dead).toEqual([]);
  });
});

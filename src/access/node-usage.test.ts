import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/mod.ts';
import { NO_COUNTERS } from './month-record.ts';
import { type AppSample, NO_SAMPLE, NodeUsage } from './node-usage.ts';

const live = (sample: Partial<AppSample>): ReadonlyMap<string, AppSample> => new Map([['live', { ...NO_SAMPLE, ...sample }]]);

describe('what a node measures', () => {
  it('is counted by the time between samples', () => {
    const usage = new NodeUsage();
    usage.sample(live({ viewers: 3, tasks: 2 }), monotonicMs(1_000));
    const counted = usage.sample(live({ viewers: 3, tasks: 2, bytesIn: 10 }), monotonicMs(3_000));
    expect(counted.get('live')).toEqual({ transcodeMs: 4_000, recordingMs: 0, bytesIn: 10, bytesOut: 0, viewerMs: 6_000 });
  });

  it('goes out at the rate of the last seconds', () => {
    const usage = new NodeUsage();
    for (const second of [0, 1, 2, 3, 4, 5, 6]) usage.sample(live({ bytesOutTotal: second * 1_000 }), monotonicMs(second * 1_000));
    expect(usage.figuresOf('live').bitrateOutBps).toBe(8_000);
    for (const second of [7, 8, 9, 10]) usage.sample(live({ bytesOutTotal: 6_000 }), monotonicMs(second * 1_000));
    expect(usage.figuresOf('live').bitrateOutBps).toBe(0);
  });

  it('has nothing of what a process did not do that stood still, and no byte twice', () => {
    const usage = new NodeUsage();
    usage.sample(live({ viewers: 1, bytesOutTotal: 7 }), monotonicMs(0));
    const counted = usage.sample(live({ viewers: 1, bytesOutTotal: 9 }), monotonicMs(3_600_000));
    expect(counted.get('live')).toEqual({ ...NO_COUNTERS, viewerMs: 10_000, bytesOut: 2 });
  });
});

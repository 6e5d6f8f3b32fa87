import { describe, expect, it } from 'vitest';
import type { TranscodingReport } from '../transcode/mod.ts';
import { TranscodeOffers } from './transcode-offers.ts';

type Report = Pick<TranscodingReport, 'tasksMax' | 'encoders' | 'streams'>;

const reportOf = (cpuS: number, by?: string): Report =>
  ({
    tasksMax: 6,
    encoders: [
      { name: 'libx264', codec: 'h264', kind: 'software', available: true },
      { name: 'h264_nvenc', codec: 'h264', kind: 'hardware', available: true },
      { name: 'hevc_nvenc', codec: 'hevc', kind: 'hardware', available: false },
    ],
    streams: [
      {
        stream: 'live/a',
        rungs: [
          {
            planned: {
              rung: { name: '720p', kind: 'video', codec: 'h264' },
              expected: { codecString: '', width: 1280, height: 720, frameRate: 30, bitrateBps: 1 },
            },
            condition: 'running',
            reason: undefined,
            by,
          },
        ],
        child: { state: 'running', restarts: 0, lastFailure: undefined, stats: { cpuS } },
      },
    ],
  }) as unknown as Report;

describe('what a node can make for others', () => {
  it('is its limit, its cores, its hardware, and what rungs cost here', () => {
    let now = 0;
    let report = reportOf(10);
    const offers = new TranscodeOffers({ report: () => report, cores: 8, now: () => now });
    expect(offers.offer()).toEqual({ tasksMax: 6, cpuMax: 8, costs: {}, hardwareCodecs: ['h264'] });
    now = 5_000;
    report = reportOf(12);
    expect(offers.offer().costs).toEqual({ 'h264-1280x720-30': 0.4 });
  });

  it('is measured only where the same was made all the time, and here', () => {
    let now = 0;
    let report = reportOf(10);
    const offers = new TranscodeOffers({ report: () => report, cores: 8, now: () => now });
    offers.offer();
    for (const next of [reportOf(50, 'n2'), reportOf(1)]) {
      now += 5_000;
      report = next;
      expect(offers.offer().costs).toEqual({});
    }
  });
});

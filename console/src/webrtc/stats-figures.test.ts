import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureLatencyMs } from './capture-latency.ts';
import { inboundFigures } from './inbound-figures.ts';
import { outboundFigures } from './outbound-figures.ts';
import type { StatsEntry } from './stats-entry.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

const PATH: readonly StatsEntry[] = [
  { id: 't', type: 'transport', selectedCandidatePairId: 'p' },
  { id: 'q', type: 'candidate-pair', nominated: true, currentRoundTripTime: 9 },
  { id: 'p', type: 'candidate-pair', currentRoundTripTime: 0.042 },
  { id: 'c1', type: 'codec', mimeType: 'video/H264' },
  { id: 'c2', type: 'codec', mimeType: 'audio/opus' },
];

function inboundAt(count: number): readonly StatsEntry[] {
  const video = {
    id: 'v',
    type: 'inbound-rtp',
    kind: 'video',
    codecId: 'c1',
    packetsReceived: 900 * count,
    packetsLost: 100 * count,
    bytesReceived: 250_000 * count,
    framesDecoded: 30 * count,
    freezeCount: 1,
    jitter: 0.004,
    jitterBufferDelay: 0.6 * count,
    jitterBufferEmittedCount: 30 * count,
  };
  const audio = {
    id: 'a',
    type: 'inbound-rtp',
    kind: 'audio',
    codecId: 'c2',
    packetsReceived: 50 * count,
    packetsLost: 0,
    bytesReceived: 0,
  };
  return [...PATH, video, audio];
}

describe("a viewer's figures", () => {
  it('are rates over the interval, in milliseconds and bits', () => {
    const figures = inboundFigures({ atMs: 2000, entries: inboundAt(2) }, { atMs: 1000, entries: inboundAt(1) });
    expect(figures).toMatchObject({ roundTripMs: 42, jitterMs: 4, bitrateBps: 2_000_000, freezes: 1, codecs: 'H264, opus', received: 60 });
    expect(figures.jitterBufferMs).toBeCloseTo(20);
    expect(figures.lossRatio).toBeCloseTo(100 / 1050);
  });
  it('leave out what one sample alone cannot tell', () => {
    const figures = inboundFigures({ atMs: 1000, entries: inboundAt(1) }, undefined);
    expect('bitrateBps' in figures || 'lossRatio' in figures || 'jitterBufferMs' in figures).toBe(false);
  });
  it('go by the sound where there is no picture', () => {
    expect(inboundFigures({ atMs: 0, entries: inboundAt(3).filter(({ kind }) => kind !== 'video') }, undefined).received).toBe(150);
  });
});

describe("a publisher's figures", () => {
  const layer = (rid: string, frameWidth: number, bytesSent: number): StatsEntry => ({
    id: rid,
    rid,
    type: 'outbound-rtp',
    kind: 'video',
    codecId: 'c1',
    frameWidth,
    frameHeight: (frameWidth * 9) / 16,
    framesPerSecond: 30,
    framesSent: 300,
    bytesSent,
    qualityLimitationReason: 'cpu',
  });
  const at = (bytes: number): readonly StatsEntry[] => [
    ...PATH,
    layer('l', 320, bytes),
    layer('h', 1280, 9 * bytes),
    { id: 'r', type: 'remote-inbound-rtp', fractionLost: 0.02 },
  ];
  it('are those of the largest layer, with the bitrate of all', () => {
    const figures = outboundFigures({ atMs: 1000, entries: at(25_000) }, { atMs: 0, entries: at(0) });
    expect(figures).toMatchObject({
      width: 1280,
      height: 720,
      bitrateBps: 2_000_000,
      rttMs: 42,
      lossRatio: 0.02,
      limitation: 'cpu',
      codecs: 'H264',
    });
    expect(figures.layers.map(({ rid, bitrateBps }) => [rid, bitrateBps])).toEqual([
      ['h', 1_800_000],
      ['l', 200_000],
    ]);
  });
});

describe('latency', () => {
  const NTP = 2_208_988_800_000;
  const origin = 1_700_000_000_000;
  it('is the time from capture to screen, by either of the clocks that browsers use', () => {
    const captureTimestamp = NTP + origin + 1000;
    expect(captureLatencyMs([{ timestamp: origin + 1120, captureTimestamp, senderCaptureTimeOffset: 0 }], origin)).toBe(120);
    expect(captureLatencyMs([{ timestamp: 1120, captureTimestamp }], origin)).toBe(120);
  });
  it("puts the capturer's clock right by the sender's estimate", () => {
    const captureTimestamp = NTP + origin + 6000;
    expect(captureLatencyMs([{ timestamp: origin + 1120, captureTimestamp, senderCaptureTimeOffset: 5000 }], origin)).toBe(120);
  });
  it('is not known where no capture time came, or one that cannot be', () => {
    expect(captureLatencyMs([{ timestamp: origin }], origin)).toBeUndefined();
    expect(captureLatencyMs([{ timestamp: origin, captureTimestamp: 5 }], origin)).toBeUndefined();
    expect(captureLatencyMs([], origin)).toBeUndefined();
  });
});

describe('whatever a browser tells', () => {
  it('gives figures without an error, and no rate below zero', () => {
    const value = fc.oneof(
      fc.double(),
      fc.string(),
      fc.constantFrom('inbound-rtp', 'outbound-rtp', 'video', 'audio', 'codec'),
      fc.constant(null),
    );
    const key = fc.constantFrom(
      'id',
      'type',
      'kind',
      'bytesReceived',
      'bytesSent',
      'packetsLost',
      'packetsReceived',
      'framesDecoded',
      'jitter',
    );
    const entries = fc.array(fc.dictionary(key, value), { maxLength: 6 });
    fc.assert(
      fc.property(entries, entries, (first, second) => {
        const figures = inboundFigures({ atMs: 2, entries: second }, { atMs: 1, entries: first });
        expect(figures.bitrateBps ?? 0).toBeGreaterThanOrEqual(0);
        expect(figures.lossRatio ?? 0).toBeGreaterThanOrEqual(0);
        outboundFigures({ atMs: 2, entries: second }, { atMs: 1, entries: first });
      }),
      { numRuns },
    );
  });
});

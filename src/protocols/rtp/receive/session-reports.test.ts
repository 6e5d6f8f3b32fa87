import { describe, expect, it } from 'vitest';
import { bitrateBps, durationMs, monotonicMs, wallMs } from '../../../core/mod.ts';
import type { RtcpPacket, TransportFeedback } from '../rtcp/packet.ts';
import { parseRtcp } from '../rtcp/parse.ts';
import { RtcpWriter } from '../rtcp/writer.ts';
import { seededRandom } from './lossy-link.fixture.ts';
import { MediaClock } from './media-clock.ts';
import { senderReportOf } from './publisher.fixture.ts';
import { type ReportedStream, RtcpReporter } from './rtcp-reporter.ts';
import { SenderClock } from './sender-clock.ts';
import { TwccReceiver } from './twcc-receiver.ts';

const at = monotonicMs;

describe('TwccReceiver', () => {
  function makeReceiver() {
    const feedbacks: TransportFeedback[] = [];
    const sink = { rtcp: (compound: Uint8Array): void => void feedbacks.push(...(parseRtcp(compound) as TransportFeedback[])) };
    const receiver = new TwccReceiver(sink, new RtcpWriter(), { localSsrc: 1 });
    const received = (sequenceNumber: number, ms: number): void => receiver.received(sequenceNumber & 0xffff, 9, ms * 1_000, at(ms));
    return { receiver, feedbacks, received };
  }

  it('tells about all packets since the last feedback, over the wrap', () => {
    const { receiver, feedbacks, received } = makeReceiver();
    expect(receiver.wakeAt).toBe(Number.POSITIVE_INFINITY);
    received(65_534, 1_000);
    received(65_537, 1_010);
    received(65_537, 1_011);
    expect(receiver.wakeAt).toBe(1_080);
    receiver.tick(at(1_079));
    expect(feedbacks).toEqual([]);
    receiver.tick(at(1_080));
    expect(feedbacks).toHaveLength(1);
    expect(feedbacks[0]).toMatchObject({ baseSequenceNumber: 65_534, feedbackCount: 0, mediaSsrc: 9 });
    expect([...(feedbacks[0]?.arrivalsUs ?? [])]).toEqual([1_000_000, Number.NaN, Number.NaN, 1_010_000]);
    received(65_538, 1_100);
    receiver.tick(at(1_180));
    expect(feedbacks[1]).toMatchObject({ baseSequenceNumber: 2, feedbackCount: 1 });
    expect(receiver.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  it('tells about a late packet, and again about what followed it', () => {
    const { receiver, feedbacks, received } = makeReceiver();
    for (const sequenceNumber of [5, 7, 8]) received(sequenceNumber, 1_000 + sequenceNumber);
    receiver.tick(at(1_200));
    received(6, 1_210);
    receiver.tick(at(1_300));
    expect(feedbacks[1]?.baseSequenceNumber).toBe(6);
    expect([...(feedbacks[1]?.arrivalsUs ?? [])]).toEqual([1_210_000, 1_007_000, 1_008_000]);
  });

  it('does not wait for the interval when many packets came', () => {
    const { feedbacks, received } = makeReceiver();
    for (let index = 0; index < 250; index++) received(index, 1_000 + index / 10);
    expect(feedbacks.map((feedback) => feedback.arrivalsUs.length)).toEqual([100, 100]);
  });

  it('stays bounded whatever numbers come', () => {
    const { receiver, feedbacks, received } = makeReceiver();
    const random = seededRandom(1);
    for (let ms = 0; ms < 20_000; ms++) {
      received(Math.floor(random() * 65_536), ms);
      if (ms >= receiver.wakeAt) receiver.tick(at(ms));
    }
    expect(feedbacks.length).toBeGreaterThan(100);
    expect(Math.max(...feedbacks.map((feedback) => feedback.arrivalsUs.length))).toBeLessThanOrEqual(1_024);
  });
});

describe('RtcpReporter', () => {
  const stream = (ssrc: number, isActive = true): ReportedStream => ({
    ssrc,
    reportBlock: () =>
      isActive
        ? {
            ssrc,
            fractionLost: 0,
            cumulativeLost: 0,
            highestSequenceNumber: 0,
            jitter: 0,
            lastSenderReport: 0,
            delaySinceLastSenderReport: 0,
          }
        : undefined,
  });
  function makeReporter(rembBps?: number) {
    const compounds: (readonly RtcpPacket[])[] = [];
    const remb = rembBps === undefined ? {} : { rembBps: bitrateBps(rembBps) };
    const options = { localSsrc: 1, cname: 'sluice', intervalMs: durationMs(1_000), ...remb };
    const sink = { rtcp: (compound: Uint8Array): void => void compounds.push(parseRtcp(compound)) };
    return { compounds, reporter: new RtcpReporter(sink, new RtcpWriter(), options, at(0)) };
  }

  it('reports each second about the streams that are there', () => {
    const { compounds, reporter } = makeReporter();
    reporter.tick([stream(7)], at(999));
    expect(compounds).toEqual([]);
    reporter.tick([stream(7), stream(8, false)], at(1_000));
    expect(compounds[0]).toEqual([
      { kind: 'receiver-report', ssrc: 1, reports: [expect.objectContaining({ ssrc: 7 })] },
      { kind: 'source-description', chunks: [{ ssrc: 1, cname: 'sluice' }] },
    ]);
    expect(reporter.wakeAt).toBe(2_000);
  });

  it('sends REMB where it is told to', () => {
    const { compounds, reporter } = makeReporter(8_000_000);
    reporter.tick([stream(7)], at(1_000));
    expect(compounds[0]?.[2]).toMatchObject({ kind: 'receiver-estimated-maximum-bitrate', bitrateBps: 8_000_000, ssrcs: [7] });
  });

  it('takes turns when there are more streams than a report holds', () => {
    const { compounds, reporter } = makeReporter();
    const streams = Array.from({ length: 40 }, (_, index) => stream(index));
    for (let second = 1; second <= 2; second++) reporter.tick(streams, at(second * 1_000));
    const seen = compounds.flatMap(([report]) => (report?.kind === 'receiver-report' ? report.reports.map(({ ssrc }) => ssrc) : []));
    expect(new Set(seen).size).toBe(40);
  });
});

describe('SenderClock', () => {
  it('maps RTP timestamps to the wall clock around a report, over the wrap', () => {
    const clock = new SenderClock(90_000);
    expect(clock.toWallMs(5)).toBeNaN();
    clock.senderReport(senderReportOf(1, wallMs(1_700_000_000_000), 0xffff_ffff - 44_999));
    expect(clock.toWallMs(45_000)).toBeCloseTo(1_700_000_001_000, 2);
    expect(clock.toWallMs(2 ** 32 + 45_000)).toBeCloseTo(1_700_000_001_000, 2);
    expect(clock.toWallMs(2 ** 32 - 90_000)).toBeCloseTo(1_699_999_999_500, 2);
  });
});

describe('MediaClock', () => {
  const WALL = 1_700_000_000_000;

  /** Audio and video captured together; video takes `videoDelayMs` longer to come. Returns how far apart they are on the timeline, by frame. */
  function play(videoDelayMs: number, reportAtMs: number, durationMsTotal: number, videoReportErrorMs = 0) {
    const clock = new MediaClock();
    const senders = { audio: new SenderClock(48_000), video: new SenderClock(90_000) };
    const video = clock.addTrack({ clockRate: 90_000, sender: senders.video, leads: false });
    const audio = clock.addTrack({ clockRate: 48_000, sender: senders.audio, leads: true });
    const apart: number[] = [];
    const videoTimes: number[] = [];
    for (let ms = 0; ms < durationMsTotal; ms += 20) {
      if (ms >= reportAtMs) {
        senders.audio.senderReport(senderReportOf(1, wallMs(WALL + ms), 777 + ms * 48));
        senders.video.senderReport(senderReportOf(2, wallMs(WALL + ms + videoReportErrorMs), 99_999 + ms * 90));
      }
      const audioMs = audio.place(777 + ms * 48, at(5_000 + ms)) / 48;
      const videoMs = video.place(99_999 + ms * 90, at(5_000 + ms + videoDelayMs)) / 90;
      apart.push(videoMs - audioMs);
      videoTimes.push(videoMs);
    }
    return { apart, videoTimes };
  }

  it('begins with the arrivals', () => {
    const { apart, videoTimes } = play(80, Number.POSITIVE_INFINITY, 1_000);
    expect(videoTimes[0]).toBeCloseTo(5_080, 0);
    expect(apart.every((ms) => Math.abs(ms - 80) < 0.1)).toBe(true);
  });

  it.each([80, 600, 2_000, -300])('brings video that comes %i ms late beside the sound, without a jump', (delayMs) => {
    const { apart, videoTimes } = play(delayMs, 1_000, 12_000);
    expect(apart[0]).toBeCloseTo(delayMs, 0);
    expect(Math.abs(apart.at(-1) ?? 99)).toBeLessThan(12);
    const steps = videoTimes.slice(1).map((time, index) => time - (videoTimes[index] ?? 0));
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(9.9);
    expect(Math.max(...steps)).toBeLessThanOrEqual(30.1);
  });

  it('leaves tracks alone that are as good as together', () => {
    const { apart } = play(6, 500, 3_000);
    expect(apart.every((ms) => Math.abs(ms - 6) < 0.1)).toBe(true);
  });

  it('ignores reports that cannot be true', () => {
    const { apart } = play(50, 500, 3_000, 3_600_000);
    expect(apart.every((ms) => Math.abs(ms - 50) < 0.1)).toBe(true);
  });

  it('places a track anew when its timestamps run away', () => {
    const track = new MediaClock().addTrack({ clockRate: 90_000, sender: new SenderClock(90_000), leads: true });
    expect(track.place(0, at(100))).toBe(9_000);
    expect(track.place(90_000, at(1_100))).toBe(99_000);
    expect(track.place(90_000 * 1_000, at(2_100))).toBe(189_000);
  });
});

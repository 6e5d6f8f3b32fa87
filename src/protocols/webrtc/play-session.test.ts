import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { bitrateBps, monotonicMs, wallMs } from '../../core/mod.ts';
import { parseRtcp, type ReportBlock, type RtcpPacket, RtcpWriter } from '../rtp/mod.ts';
import { PlaySession, type SentSoFar } from './play-session.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const VIDEO = 0x1111;
const AUDIO = 0x2222;
const WALL = 1_800_000_000_000;
const START_BPS = 2_000_000;
const writer = new RtcpWriter();

/** A session with its owner; the wall clock shows {@link WALL} when the monotonic clock shows 0. */
class Scene {
  readonly compounds: (readonly RtcpPacket[])[] = [];
  readonly sentAt: number[] = [];
  readonly retransmitted: [ssrc: number, sequenceNumbers: number[]][] = [];
  readonly keyframesWanted: number[] = [];
  readonly sent = new Map<number, SentSoFar>();
  /** When each packet of the transport-wide number (modulo 512) left, in µs. */
  readonly departuresUs = new Float64Array(512).fill(Number.NaN);
  now = 0;
  readonly session = new PlaySession(
    {
      rtcp: (compound) => {
        this.compounds.push(parseRtcp(compound));
        this.sentAt.push(this.now);
      },
      retransmit: (ssrc, sequenceNumbers, count) => this.retransmitted.push([ssrc, [...sequenceNumbers.subarray(0, count)]]),
      keyframeWanted: (ssrc) => this.keyframesWanted.push(ssrc),
      sent: (ssrc) => this.sent.get(ssrc),
      sentPackets: (first, count, sentUs, sizes) => {
        for (let index = 0; index < count; index++) {
          sentUs[index] = this.departuresUs[(first + index) % 512] ?? Number.NaN;
          sizes[index] = 1_200;
        }
      },
    },
    { ssrcs: [VIDEO, AUDIO], cname: 'stream', startBps: bitrateBps(START_BPS) },
    monotonicMs(0),
  );

  play(untilMs: number): void {
    for (; this.now < untilMs; this.now += 10)
      if (this.session.wakeAt <= this.now) this.session.tick(monotonicMs(this.now), wallMs(WALL + this.now));
  }

  receive(bytes: Uint8Array): void {
    this.session.receive(bytes, monotonicMs(this.now), wallMs(WALL + this.now));
  }

  report(...blocks: Partial<ReportBlock>[]): void {
    const empty = {
      ssrc: VIDEO,
      fractionLost: 0,
      cumulativeLost: 0,
      highestSequenceNumber: 0,
      jitter: 0,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
    };
    this.receive(
      writer
        .receiverReport(
          7,
          blocks.map((block) => ({ ...empty, ...block })),
        )
        .finish(),
    );
  }

  get stats() {
    return this.session.stats();
  }
}

describe('PlaySession', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });

  describe('reports', () => {
    it('about each flow that has begun, with one wall time and the same CNAME', () => {
      scene.sent.set(VIDEO, { packets: 10, octets: 9_000, rtpTimestamp: 123_456 });
      scene.sent.set(AUDIO, { packets: 5, octets: 400, rtpTimestamp: 654_321 });
      scene.play(20);
      expect(scene.compounds).toHaveLength(1);
      expect(scene.compounds[0]).toMatchObject([
        { kind: 'sender-report', ssrc: VIDEO, rtpTimestamp: 123_456, packets: 10, octets: 9_000 },
        { kind: 'source-description', chunks: [{ ssrc: VIDEO, cname: 'stream' }] },
        { kind: 'sender-report', ssrc: AUDIO, rtpTimestamp: 654_321 },
        { kind: 'source-description', chunks: [{ ssrc: AUDIO, cname: 'stream' }] },
      ]);
      const times = scene.compounds[0]?.flatMap((packet) => (packet.kind === 'sender-report' ? [packet.ntpMs] : [])) ?? [];
      expect(times).toHaveLength(2);
      for (const ntpMs of times) expect(Math.abs(ntpMs - WALL)).toBeLessThan(1);
    });

    it('soon at first, counted from the first packet, and then each second', () => {
      scene.play(1_000);
      expect(scene.compounds).toEqual([]);
      scene.sent.set(VIDEO, { packets: 1, octets: 1, rtpTimestamp: 0 });
      scene.play(5_000);
      const [first = 0, ...others] = scene.sentAt;
      expect(first).toBeLessThanOrEqual(1_200);
      expect(others.map((at) => at - first)).toEqual([200, 400, 600, 1_600, 2_600, 3_600]);
    });

    it('leave no piece behind when the owner fails', () => {
      const session = new PlaySession(
        {
          rtcp: () => undefined,
          retransmit: () => undefined,
          keyframeWanted: () => undefined,
          sent: (ssrc) => {
            if (ssrc === AUDIO) throw new Error('no such flow');
            return { packets: 1, octets: 1, rtpTimestamp: 0 };
          },
          sentPackets: () => undefined,
        },
        { ssrcs: [VIDEO, AUDIO], cname: 'broken', startBps: bitrateBps(START_BPS) },
        monotonicMs(0),
      );
      expect(() => session.tick(monotonicMs(0), wallMs(WALL))).toThrow('no such flow');
      scene.session.goodbye();
      expect(scene.compounds[0]?.[0]?.kind).toBe('receiver-report');
    });

    it('tell the round trip by their echo, in ms', () => {
      scene.sent.set(VIDEO, { packets: 1, octets: 1, rtpTimestamp: 0 });
      scene.play(10);
      const report = scene.compounds[0]?.find((packet) => packet.kind === 'sender-report');
      expect(scene.stats.rttMs).toBeUndefined();
      scene.now = 90;
      scene.report({ lastSenderReport: report?.compactNtp ?? 0, delaySinceLastSenderReport: 0.05 * 65_536 });
      expect(scene.stats.rttMs).toBeCloseTo(40, 0);
    });
  });

  it('weighs losses of all flows by their packets, and leaves out other SSRCs', () => {
    scene.report({ ssrc: VIDEO, highestSequenceNumber: 1_000 }, { ssrc: AUDIO, highestSequenceNumber: 500 });
    expect(scene.stats.fractionLost).toBe(0);
    scene.report(
      { ssrc: VIDEO, highestSequenceNumber: 1_300, fractionLost: 64 },
      { ssrc: AUDIO, highestSequenceNumber: 600, fractionLost: 0 },
      { ssrc: 9, highestSequenceNumber: 9_000, fractionLost: 255 },
    );
    expect(scene.stats.fractionLost).toBeCloseTo((300 * 0.25) / 400, 6);
    // Nothing came since: nothing is known anew.
    scene.report({ ssrc: VIDEO, highestSequenceNumber: 1_300, fractionLost: 255 });
    expect(scene.stats.fractionLost).toBeCloseTo((300 * 0.25) / 400, 6);
  });

  it('falls with heavy losses where there is no other feedback', () => {
    for (let n = 1; n <= 20; n++) {
      scene.now = n * 1_000;
      scene.report({ ssrc: VIDEO, highestSequenceNumber: n * 300, fractionLost: 100 });
    }
    expect(scene.stats.estimateBps).toBeLessThan(START_BPS / 2);
  });

  describe('retransmits', () => {
    it('what a NACK asks for of its own flows', () => {
      scene.receive(writer.nack(7, VIDEO, [65_535, 0, 1, 100]).finish());
      scene.receive(writer.nack(7, 0x9999, [1, 2, 3]).finish());
      expect(scene.retransmitted).toEqual([[VIDEO, [65_535, 0, 1, 100]]]);
      expect(scene.stats.packetsNacked).toBe(4);
    });

    it('no more than half of what the path carries, however many are asked for', () => {
      const asked = Array.from({ length: 200 }, (_, index) => index * 17);
      for (let round = 0; round < 50; round++)
        scene.receive(
          writer
            .nack(
              7,
              VIDEO,
              asked.map((number) => (number + round) & 0xffff),
            )
            .finish(),
        );
      expect(scene.stats.packetsNacked).toBe(104);
      scene.now = 1_000;
      scene.receive(writer.nack(7, VIDEO, asked).finish());
      scene.receive(
        writer
          .nack(
            7,
            VIDEO,
            asked.map((number) => number + 1),
          )
          .finish(),
      );
      expect(scene.stats.packetsNacked).toBe(208);
    });

    it('the same packet once within half a round trip', () => {
      scene.sent.set(VIDEO, { packets: 1, octets: 1, rtpTimestamp: 0 });
      scene.play(10);
      const report = scene.compounds[0]?.find((packet) => packet.kind === 'sender-report');
      scene.now = 100;
      scene.report({ lastSenderReport: report?.compactNtp ?? 0 });
      const ask = () => scene.receive(writer.nack(7, VIDEO, [5]).finish());
      ask();
      scene.now = 130;
      ask();
      scene.now = 210;
      ask();
      expect(scene.retransmitted).toHaveLength(2);
    });
  });

  it('passes wishes for keyframes of its own flows on, by PLI and FIR', () => {
    scene.receive(writer.pictureLossIndication(7, VIDEO).finish());
    scene.receive(writer.fullIntraRequest(7, VIDEO, 1).finish());
    scene.receive(writer.pictureLossIndication(7, 0x9999).finish());
    scene.receive(writer.fullIntraRequest(7, 0x9999, 1).finish());
    expect(scene.keyframesWanted).toEqual([VIDEO, VIDEO]);
    expect(scene.stats.keyframesWanted).toBe(2);
  });

  it('estimates by transport-wide feedback what arrives', () => {
    const arrivals = new Float64Array(50);
    for (let batch = 0; batch < 100; batch++) {
      // 1,200 bytes each 2 ms are 4.8 Mbit/s; the way takes 20 ms.
      for (let index = 0; index < 50; index++) {
        const us = (batch * 50 + index) * 2_000;
        scene.departuresUs[(batch * 50 + index) % 512] = us;
        arrivals[index] = us + 20_000;
      }
      scene.now = (batch + 1) * 100 + 40;
      writer.transportFeedback(7, VIDEO, batch & 255, (batch * 50) & 0xffff, arrivals, 50);
      scene.receive(writer.finish());
    }
    expect(scene.stats.malformedPackets).toBe(0);
    expect(scene.stats.estimateBps).toBeGreaterThan(START_BPS * 1.5);
  });

  it('believes a REMB', () => {
    scene.receive(writer.remb(7, bitrateBps(500_000), [VIDEO]).finish());
    expect(scene.stats.estimateBps).toBeLessThanOrEqual(500_000);
    expect(scene.stats.estimateBps).toBeGreaterThan(400_000);
  });

  it('says goodbye for all its SSRCs', () => {
    scene.session.goodbye();
    expect(scene.compounds).toMatchObject([
      [
        { kind: 'receiver-report', ssrc: VIDEO },
        { kind: 'source-description', chunks: [{ ssrc: VIDEO, cname: 'stream' }] },
        { kind: 'goodbye', ssrcs: [VIDEO, AUDIO] },
      ],
    ]);
  });

  it('counts malformed packets, and uses nothing of them', () => {
    const nack = writer.nack(7, VIDEO, [1]).finish();
    scene.receive(Uint8Array.from([...nack, 0x81, 201, 0, 9]));
    scene.receive(new Uint8Array());
    expect(scene.stats.malformedPackets).toBe(2);
    expect(scene.retransmitted).toEqual([]);
  });

  it('survives hostile packets, and its estimate stays within bounds', () => {
    const arrivals = Float64Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? Number.NaN : index * 1_000));
    writer.transportFeedback(7, VIDEO, 1, 65_530, arrivals, 20);
    const feedback = writer.finish().slice();
    const block = {
      ssrc: VIDEO,
      fractionLost: 9,
      cumulativeLost: 1,
      highestSequenceNumber: 70_000,
      jitter: 1,
      lastSenderReport: 1,
      delaySinceLastSenderReport: 1,
    };
    const samples = [
      feedback,
      writer.receiverReport(7, [block]).remb(7, bitrateBps(1_000_000), [VIDEO]).finish().slice(),
      writer.nack(7, VIDEO, [1, 2, 900]).pictureLossIndication(7, VIDEO).fullIntraRequest(7, VIDEO, 1).goodbye([7]).finish().slice(),
    ];
    const change = fc.record({ at: fc.nat({ max: 80 }), value: fc.nat({ max: 255 }) });
    const hostile = fc.record({
      sample: fc.constantFrom(...samples),
      changes: fc.array(change, { maxLength: 5 }),
      stepMs: fc.nat({ max: 500 }),
    });
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 20 }), (packets) => {
        const victim = new Scene();
        for (const { sample, changes, stepMs } of packets) {
          const bytes = sample.slice();
          for (const { at, value } of changes) bytes[at % bytes.length] = value;
          victim.play(victim.now + stepMs);
          victim.receive(bytes);
        }
        const { estimateBps, fractionLost } = victim.stats;
        expect(estimateBps).toBeGreaterThanOrEqual(50_000);
        expect(estimateBps).toBeLessThanOrEqual(50_000_000);
        expect(fractionLost >= 0 && fractionLost <= 1).toBe(true);
      }),
      { numRuns },
    );
  });
});

import { describe, expect, it } from 'vitest';
import { durationMs, monotonicMs, sizeBytes, wallMs } from '../../../core/mod.ts';
import { encodeAbsCaptureTime } from '../header-extensions.ts';
import { parseRtpPacket, writeRtpPacket } from '../packet.ts';
import { converse, MEDIA_SSRC, RTX_SSRC, rtpPacket, senderReportOf, videoOptions, vp8Payload } from './publisher.fixture.ts';
import { type ReceivedFrame, RtpReceiver, type RtpReceiverOptions } from './rtp-receiver.ts';

const at = monotonicMs;
const clean = { delayMs: 25, jitterMs: 0, loss: 0, duplicates: 0 };

function makeReceiver(options: Partial<RtpReceiverOptions> = {}) {
  const frames: ReceivedFrame[] = [];
  const nacks: number[][] = [];
  const log = { keyframeRequests: 0, lost: 0 };
  const receiver = new RtpReceiver(
    {
      frame: (frame) => frames.push(frame),
      nack: (_ssrc, numbers) => nacks.push([...numbers]),
      keyframeRequest: () => log.keyframeRequests++,
      lost: (count) => {
        log.lost += count;
      },
    },
    { ...videoOptions, ...options },
  );
  /** A frame of one packet. */
  const frame = (sequenceNumber: number, isKeyframe: boolean, ms: number): void =>
    receiver.receive(
      rtpPacket({ sequenceNumber, timestamp: sequenceNumber * 3_000, marker: true, payload: vp8Payload(sequenceNumber, 0, isKeyframe) }),
      at(ms),
    );
  return { receiver, frames, nacks, log, frame };
}

const rtx = (original: number, payload: Uint8Array) =>
  rtpPacket({
    ssrc: RTX_SSRC,
    payloadType: 97,
    timestamp: original * 3_000,
    marker: true,
    payload: Uint8Array.from([original >> 8, original & 0xff, ...payload]),
  });

describe('RtpReceiver over a bad network', () => {
  it('hands out every frame at once when nothing is lost', () => {
    const result = converse({ seed: 1, durationMs: 10_000, network: clean });
    expect(result.frames.map((frame) => frame.number)).toEqual(Array.from({ length: result.framesSent }, (_, index) => index));
    expect(result.frames.every((frame) => frame.at === frame.lastPacketAt)).toBe(true);
    expect(result.receiver.stats()).toMatchObject({ nacked: 0, keyframeRequests: 0, lost: 0, superfluous: 0, heldBytes: 0 });
  });

  it('asks for nothing when packets only overtake each other and come twice', () => {
    const result = converse({ seed: 2, durationMs: 10_000, network: { ...clean, jitterMs: 8, duplicates: 0.1 } });
    expect(result.frames.map((frame) => frame.number)).toEqual(Array.from({ length: result.framesSent }, (_, index) => index));
    expect(result.receiver.stats()).toMatchObject({ nacked: 0, keyframeRequests: 0, lost: 0 });
    expect(result.receiver.stats().superfluous).toBeGreaterThan(100);
  });

  it.each([3, 4, 5])('repairs 99.5 percent of frames at 5 percent loss and 50 ms round trip (seed %i)', (seed) => {
    const result = converse({ seed, durationMs: 60_000, network: { delayMs: 25, jitterMs: 5, loss: 0.05, duplicates: 0.01 } });
    expect(result.broken).toBe(0);
    expect(result.frames.length / result.framesSent).toBeGreaterThanOrEqual(0.995);
    const { roundTripMs } = result.receiver.stats();
    expect(roundTripMs).toBeGreaterThan(45);
    expect(roundTripMs).toBeLessThan(80);
  });

  it('repairs bursts', () => {
    const result = converse({ seed: 6, durationMs: 60_000, network: { ...clean, loss: 0.05, burst: 12 } });
    expect(result.broken).toBe(0);
    expect(result.frames.length / result.framesSent).toBeGreaterThanOrEqual(0.98);
  });

  it('finds out that the round trip is long, and waits for it', () => {
    const result = converse({ seed: 7, durationMs: 60_000, network: { ...clean, delayMs: 150, loss: 0.02 } });
    expect(result.broken).toBe(0);
    expect(result.receiver.stats().roundTripMs).toBeGreaterThan(250);
    expect(result.frames.length / result.framesSent).toBeGreaterThanOrEqual(0.97);
    // Not much more is asked for than was lost.
    expect(result.receiver.stats().nacked / result.receiver.stats().packets).toBeLessThan(0.05);
  });

  it.each([8, 9, 10, 11])('never gets stuck at 30 percent loss, and asks for keyframes (seed %i)', (seed) => {
    const result = converse({ seed, durationMs: 30_000, network: { delayMs: 60, jitterMs: 20, loss: 0.3, duplicates: 0.05 } });
    expect(result.broken).toBe(0);
    expect(result.keyframesAsked).toBeGreaterThan(0);
    expect(result.receiver.stats().keyframeRequests).toBeLessThanOrEqual(62);
    const gaps = result.frames.slice(1).map((frame, index) => frame.at - (result.frames[index]?.at ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(6_000);
    expect(result.frames.at(-1)?.at).toBeGreaterThan(25_000);
    // In decode order, and after a hole only a keyframe.
    for (const [index, frame] of result.frames.entries()) {
      const before = result.frames[index - 1];
      if (before === undefined) continue;
      expect(frame.number).toBeGreaterThan(before.number);
      if (frame.number !== before.number + 1) expect(frame.isKeyframe).toBe(true);
    }
    expect(result.heldBytesMax).toBeLessThan(600_000);
  });

  it('goes on with a keyframe after an outage', () => {
    const result = converse({ seed: 12, durationMs: 12_000, network: clean, outageMs: [3_000, 6_000] });
    const resumed = result.frames.find((frame) => frame.at > 3_100);
    expect(resumed?.isKeyframe).toBe(true);
    expect(resumed?.at).toBeLessThan(6_300);
    expect(result.frames.at(-1)?.number).toBe(result.framesSent - 1);
  });

  it('stays within its limits when nothing can be repaired', () => {
    const limits = { packetsMax: 64, bytesMax: sizeBytes(4_000) };
    const result = converse({
      seed: 13,
      durationMs: 10_000,
      network: { ...clean, delayMs: 150, loss: 0.1 },
      receiver: limits,
      packetsPerFrame: 2,
    });
    expect(result.heldBytesMax).toBeLessThanOrEqual(4_000);
    expect(result.receiver.stats().overflows).toBeGreaterThan(0);
    expect(result.frames.at(-1)?.at).toBeGreaterThan(8_000);
  });

  it('carries on over the wrap of sequence numbers and timestamps', () => {
    const result = converse({
      seed: 14,
      durationMs: 300_000,
      network: clean,
      sequenceNumber: 65_530,
      timestamp: 0xffff_ff00,
      packetsPerFrame: 8,
    });
    expect(result.frames).toHaveLength(9_000);
    expect(result.frames[0]?.timestamp).toBe(0xffff_ff00);
    expect(result.frames.at(-1)?.timestamp).toBe(0xffff_ff00 + 8_999 * 3_000);
    expect(result.receiver.reportBlock(at(301_000))).toMatchObject({ fractionLost: 0, cumulativeLost: 0 });
  });
});

describe('RtpReceiver', () => {
  it('begins with a keyframe, and asks for one each 500 ms until it comes', () => {
    const { frames, log, frame } = makeReceiver();
    for (let index = 0; index < 40; index++) frame(index, false, index * 33);
    expect(frames).toEqual([]);
    expect(log.keyframeRequests).toBe(3);
    frame(40, true, 1_320);
    frame(41, false, 1_353);
    frame(42, false, 2_500);
    expect(frames.map((it) => it.isKeyframe)).toEqual([true, false, false]);
    expect(log.keyframeRequests).toBe(3);
  });

  it('waits a little before it asks for a missing packet, then takes the retransmission', () => {
    const { receiver, frames, nacks, frame } = makeReceiver();
    frame(10, true, 0);
    frame(13, false, 5);
    expect(nacks).toEqual([]);
    expect(receiver.wakeAt).toBe(15);
    receiver.tick(at(15));
    expect(nacks).toEqual([[11, 12]]);
    receiver.receive(rtx(12, vp8Payload(12, 0, false)), at(60));
    expect(frames).toHaveLength(1);
    receiver.receive(rtx(11, vp8Payload(11, 0, false)), at(61));
    expect(frames.map((it) => it.timestamp / 3_000)).toEqual([10, 11, 12, 13]);
    expect(receiver.stats()).toMatchObject({ repaired: 2, lost: 0 });
    expect(receiver.stats().roundTripMs).toBeLessThan(50);
    expect(receiver.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  it('ignores padding by RTX, and RTX for what it never knew of', () => {
    const { receiver, frames, frame } = makeReceiver();
    receiver.receive(rtx(5, vp8Payload(5, 0, true)), at(0));
    frame(10, true, 1);
    receiver.receive(rtx(9, vp8Payload(9, 0, true)), at(2));
    receiver.receive(rtx(11, vp8Payload(11, 0, true)), at(2));
    receiver.receive(rtpPacket({ ssrc: RTX_SSRC, payloadType: 97, payload: new Uint8Array(0) }), at(3));
    expect(frames).toHaveLength(1);
    frame(11, false, 4);
    expect(frames).toHaveLength(2);
  });

  it('passes over padding-only packets within the sequence', () => {
    const { receiver, frames, nacks, frame } = makeReceiver();
    frame(10, true, 0);
    receiver.receive(rtpPacket({ sequenceNumber: 11, timestamp: 30_000, payload: new Uint8Array(0) }), at(1));
    frame(12, false, 33);
    receiver.tick(at(100));
    expect(frames.map((it) => it.payloads.length)).toEqual([1, 1]);
    expect(nacks).toEqual([]);
  });

  it('ends a frame at the next timestamp when its marker is missing', () => {
    const { receiver, frames, frame } = makeReceiver();
    receiver.receive(rtpPacket({ sequenceNumber: 1, timestamp: 3_000, payload: vp8Payload(1, 0, true) }), at(0));
    expect(frames).toHaveLength(0);
    frame(2, false, 33);
    expect(frames.map((it) => it.isKeyframe)).toEqual([true, false]);
  });

  it('takes the overtaken beginning of the first keyframe', () => {
    const { receiver, frames, log } = makeReceiver();
    const packet = (sequenceNumber: number, marker: boolean, payload: Uint8Array) =>
      rtpPacket({ sequenceNumber, timestamp: 9, marker, payload });
    receiver.receive(packet(101, false, vp8Payload(0, 0, true)), at(0));
    receiver.receive(packet(100, false, vp8Payload(0, 0, true)), at(1));
    receiver.receive(packet(102, true, vp8Payload(0, 1, true)), at(2));
    expect(frames.map((it) => it.payloads.length)).toEqual([3]);
    expect(log.keyframeRequests).toBe(0);
  });

  it('goes on behind a loss with a keyframe that is there, without waiting for the loss', () => {
    const { frames, log, frame } = makeReceiver();
    frame(1, false, 0);
    frame(3, false, 10);
    frame(4, true, 20);
    expect(frames.map((it) => it.timestamp / 3_000)).toEqual([4]);
    expect(log.lost).toBe(1);
  });

  it('does not ask for what a jump of the sequence numbers leaves out, but for a keyframe', () => {
    const { frames, nacks, log, frame, receiver } = makeReceiver();
    frame(1, true, 0);
    frame(2_000, false, 33);
    receiver.tick(at(200));
    expect(nacks).toEqual([]);
    expect(log.keyframeRequests).toBe(1);
    frame(2_001, true, 233);
    expect(frames).toHaveLength(2);
  });

  it('takes a restart of the sender for one at the second packet', () => {
    const { frames, frame, receiver } = makeReceiver();
    frame(1, true, 0);
    frame(40_000, false, 33);
    expect(receiver.stats().refused).toBe(1);
    frame(40_001, true, 66);
    frame(40_002, false, 99);
    expect(frames).toHaveLength(3);
    expect(receiver.reportBlock(at(100))).toMatchObject({ cumulativeLost: 0 });
  });

  it('refuses packets of other streams and payload types', () => {
    const { receiver, frames } = makeReceiver();
    receiver.receive(rtpPacket({ payloadType: 111, payload: vp8Payload(0, 0, true), marker: true }), at(0));
    receiver.receive(rtpPacket({ ssrc: 99, payload: vp8Payload(0, 0, true), marker: true }), at(0));
    expect(frames).toEqual([]);
    expect(receiver.stats().refused).toBe(2);
  });

  it('learns the retransmission stream later', () => {
    const { rtx: _, ...withoutRtx } = videoOptions;
    const frames: ReceivedFrame[] = [];
    const receiver = new RtpReceiver(
      { frame: (frame) => frames.push(frame), nack: () => undefined, keyframeRequest: () => undefined, lost: () => undefined },
      withoutRtx,
    );
    receiver.receive(rtpPacket({ sequenceNumber: 1, marker: true, payload: vp8Payload(1, 0, true) }), at(0));
    receiver.receive(rtpPacket({ sequenceNumber: 3, marker: true, timestamp: 6_000, payload: vp8Payload(3, 0, false) }), at(1));
    receiver.receive(rtx(2, vp8Payload(2, 0, false)), at(2));
    expect(frames).toHaveLength(1);
    receiver.setRtx({ ssrc: RTX_SSRC, payloadType: 97 });
    receiver.receive(rtx(2, vp8Payload(2, 0, false)), at(3));
    expect(frames).toHaveLength(3);
  });

  it('hands out audio packet by packet, and soon gives up a hole', () => {
    const { receiver, frames, log } = makeReceiver({ codec: 'opus', clockRate: 48_000, usesNack: false });
    const packet = (sequenceNumber: number) =>
      rtpPacket({ sequenceNumber, timestamp: sequenceNumber * 960, payload: Uint8Array.of(0x78, sequenceNumber) });
    receiver.receive(packet(1), at(0));
    receiver.receive(packet(3), at(40));
    receiver.receive(packet(2), at(45));
    expect(frames.map((frame) => frame.timestamp / 960)).toEqual([1, 2, 3]);
    receiver.receive(packet(5), at(80));
    expect(receiver.wakeAt).toBe(120);
    receiver.tick(at(120));
    expect(frames.map((frame) => frame.timestamp / 960)).toEqual([1, 2, 3, 5]);
    receiver.receive(packet(4), at(121));
    expect(frames).toHaveLength(4);
    expect(log).toEqual({ keyframeRequests: 0, lost: 1 });
  });

  it('says when a frame was captured: by its extension, carried on, or by sender reports', () => {
    const { receiver, frames } = makeReceiver({ absCaptureTimeId: 3 });
    const send = (sequenceNumber: number, captureMs?: number): void => {
      const extensions = captureMs === undefined ? [] : [{ id: 3, value: encodeAbsCaptureTime({ captureMs }) }];
      const payload = vp8Payload(sequenceNumber, 0, true);
      const fields = {
        marker: true,
        payloadType: 96,
        sequenceNumber,
        timestamp: sequenceNumber * 90_000,
        ssrc: MEDIA_SSRC,
        payload,
        extensions,
      };
      receiver.receive(parseRtpPacket(writeRtpPacket(fields)), at(sequenceNumber * 1_000));
    };
    send(1);
    receiver.senderReport(senderReportOf(MEDIA_SSRC, wallMs(1_700_000_000_000), 90_000), at(1_100));
    send(2);
    send(3, 1_700_000_001_500);
    send(4);
    expect(frames.map((frame) => (frame.captureMs === undefined ? undefined : Math.round(frame.captureMs)))).toEqual([
      undefined,
      1_700_000_001_000,
      1_700_000_001_500,
      1_700_000_002_500,
    ]);
  });

  it('owns the payloads it hands out', () => {
    const { receiver, frames } = makeReceiver();
    const payload = vp8Payload(1, 0, true);
    receiver.receive({ ...rtpPacket({ marker: true }), payload }, at(0));
    payload.fill(0xff);
    expect(frames[0]?.payloads[0]?.[1]).toBe(0x10);
  });

  it('asks for a keyframe when the owner wants one, within the interval', () => {
    const { receiver, log, frame } = makeReceiver({ keyframeIntervalMs: durationMs(1_000) });
    frame(1, true, 0);
    receiver.requestKeyframe(at(10));
    receiver.requestKeyframe(at(20));
    expect(log.keyframeRequests).toBe(1);
    expect(receiver.wakeAt).toBe(1_010);
    receiver.tick(at(1_010));
    expect(log.keyframeRequests).toBe(2);
    receiver.requestKeyframe(at(1_020));
    frame(2, true, 1_030);
    receiver.tick(at(5_000));
    expect(log.keyframeRequests).toBe(2);
  });

  it('counts losses and jitter as RFC 3550 says', () => {
    const { receiver, frame } = makeReceiver({ usesNack: false });
    expect(receiver.reportBlock(at(0))).toBeUndefined();
    // Arrivals 40 ms apart at timestamps 33.3 ms apart.
    for (let index = 0; index < 8; index++) if (index % 4 !== 2) frame(65_534 + index - (index > 1 ? 65_536 : 0), index === 0, index * 40);
    receiver.senderReport(senderReportOf(MEDIA_SSRC, wallMs(1_700_000_000_000), 0), at(300));
    const block = receiver.reportBlock(at(1_300));
    expect(block).toMatchObject({ ssrc: MEDIA_SSRC, fractionLost: 64, cumulativeLost: 2, highestSequenceNumber: 65_536 + 5 });
    expect(block?.delaySinceLastSenderReport).toBe(65_536);
    expect(block?.lastSenderReport).not.toBe(0);
    expect(receiver.reportBlock(at(1_300))?.fractionLost).toBe(0);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMs, sizeBytes } from '../../../core/mod.ts';
import type { RtpCodec } from '../payload/payload-format.ts';
import { MEDIA_SSRC, RTX_SSRC, rtpPacket, videoOptions } from './publisher.fixture.ts';
import { RtpReceiver } from './rtp-receiver.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const codecs: readonly RtpCodec[] = ['h264', 'hevc', 'vp8', 'vp9', 'av1', 'opus'];
const PACKETS_MAX = 64;
const BYTES_MAX = 500;

const step = fc.record({
  /** Mostly the next one; sometimes anything. */
  advance: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: -3, max: 4 }) }, { weight: 1, arbitrary: fc.nat(65_535) }),
  isRtx: fc.boolean(),
  marker: fc.boolean(),
  timestamp: fc.oneof(fc.nat(4), fc.nat(0xffff_ffff)),
  payload: fc.uint8Array({ maxLength: 40 }),
  afterMs: fc.oneof(fc.nat(10), fc.nat(2_000)),
});

describe('RtpReceiver with hostile packets', () => {
  it('never throws, stays within its limits, and hands out time and order that only grow', () => {
    fc.assert(
      fc.property(fc.constantFrom(...codecs), fc.boolean(), fc.array(step, { maxLength: 120 }), (codec, usesNack, steps) => {
        let now = 0;
        let framesPackets = 0;
        const receiver = new RtpReceiver(
          {
            frame: (frame) => {
              framesPackets += frame.payloads.length;
              expect(frame.payloads.every((payload) => payload.length > 0)).toBe(true);
              expect(frame.lastPacketAt).toBeGreaterThanOrEqual(frame.firstPacketAt);
            },
            nack: (ssrc, numbers) => {
              expect(ssrc).toBe(MEDIA_SSRC);
              expect(numbers.length).toBeLessThanOrEqual(200);
            },
            keyframeRequest: () => expect(codec).not.toBe('opus'),
            lost: (packets) => expect(packets).toBeGreaterThan(0),
          },
          { ...videoOptions, codec, usesNack, packetsMax: PACKETS_MAX, bytesMax: sizeBytes(BYTES_MAX) },
        );
        let sequenceNumber = 65_530;
        let sent = 0;
        for (const { advance, isRtx, marker, timestamp, payload, afterMs } of steps) {
          now += afterMs;
          sequenceNumber = (sequenceNumber + advance) & 0xffff;
          const original = isRtx ? Uint8Array.from([sequenceNumber >> 8, sequenceNumber & 0xff, ...payload]) : payload;
          const identity = isRtx ? { ssrc: RTX_SSRC, payloadType: 97, sequenceNumber: 1 } : { sequenceNumber };
          receiver.receive(rtpPacket({ ...identity, marker, timestamp, payload: original }), monotonicMs(now));
          sent++;
          const stats = receiver.stats();
          expect(stats.heldBytes).toBeLessThanOrEqual(BYTES_MAX);
          expect(stats.heldBytes).toBeGreaterThanOrEqual(0);
          receiver.reportBlock(monotonicMs(now));
        }
        expect(framesPackets).toBeLessThanOrEqual(sent);
        // Left alone, it comes to rest: nothing is waited for without end.
        for (let wakes = 0; receiver.wakeAt < Number.POSITIVE_INFINITY; wakes++) {
          expect(wakes).toBeLessThan(1_000);
          now = Math.max(now, receiver.wakeAt);
          receiver.tick(monotonicMs(now));
        }
        if (codec === 'opus') expect(receiver.stats().heldBytes).toBe(0);
      }),
      { numRuns },
    );
  });
});

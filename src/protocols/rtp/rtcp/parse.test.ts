import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitrateBps, ProtocolError, wallMs } from '../../../core/mod.ts';
import type { ReportBlock, TransportFeedback } from './packet.ts';
import { parseRtcp } from './parse.ts';
import { RtcpWriter } from './writer.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const writer = new RtcpWriter();
const NaNs = (count: number): number[] => Array.from({ length: count }, () => Number.NaN);

const block: ReportBlock = {
  ssrc: 0xcafe_babe,
  fractionLost: 12,
  cumulativeLost: -3,
  highestSequenceNumber: 0x1_ffff,
  jitter: 77,
  lastSenderReport: 0x1234_5678,
  delaySinceLastSenderReport: 65_536,
};

describe('parseRtcp', () => {
  it('reads a sender report with its source description', () => {
    const compound = hex(`
      80c80006 4a6b1a5c e8a3f1c2 80000000 00015f90 00000064 00004e20
      81ca0006 4a6b1a5c 0110 6162636465666768 696a6b6c6d6e6f70 0000`);
    expect(parseRtcp(compound)).toEqual([
      {
        kind: 'sender-report',
        ssrc: 0x4a6b_1a5c,
        ntpMs: (0xe8a3_f1c2 - 2_208_988_800) * 1000 + 500,
        compactNtp: 0xf1c2_8000,
        rtpTimestamp: 90_000,
        packets: 100,
        octets: 20_000,
        reports: [],
      },
      { kind: 'source-description', chunks: [{ ssrc: 0x4a6b_1a5c, cname: 'abcdefghijklmnop' }] },
    ]);
  });

  it('reads a sender without a wall clock', () => {
    const [report] = parseRtcp(hex('80c80006 00000001 00000000 00000000 00000005 00000000 00000000'));
    expect(report).toMatchObject({ ntpMs: Number.NaN, rtpTimestamp: 5 });
  });

  it('reads generic NACKs over the wrap', () => {
    expect(parseRtcp(hex('81cd0003 00000001 00000002 ffff8005'))).toEqual([
      { kind: 'nack', senderSsrc: 1, mediaSsrc: 2, sequenceNumbers: Uint16Array.of(0xffff, 0, 2, 15) },
    ]);
  });

  it('reads PLI, FIR and REMB, each alone (RFC 5506)', () => {
    expect(parseRtcp(hex('81ce0002 00000001 00000002'))).toEqual([{ kind: 'picture-loss-indication', senderSsrc: 1, mediaSsrc: 2 }]);
    expect(parseRtcp(hex('84ce0004 00000001 00000000 00000007 05000000'))).toEqual([
      { kind: 'full-intra-request', senderSsrc: 1, requests: [{ ssrc: 7, sequenceNumber: 5 }] },
    ]);
    // Mantissa 239,016 and exponent 2.
    expect(parseRtcp(hex('8fce0006 00000001 00000000 52454d42 020ba5a8 00000007 00000008'))).toEqual([
      { kind: 'receiver-estimated-maximum-bitrate', senderSsrc: 1, bitrateBps: 239_016 * 4, ssrcs: [7, 8] },
    ]);
  });

  it('skips APP, XR with RRTR and DLRR, and what it does not know', () => {
    const compound = hex(`
      80cc0003 00000001 6e616d65 00000000
      80cf0008 00000001 04000002 e8a3f1c2 80000000 05000003 00000002 00000000 00000000
      82cd0002 00000001 00000002
      8fce0003 00000001 00000002 41424344
      80d20000
      81cb0001 00000009`);
    expect(parseRtcp(compound)).toEqual([{ kind: 'goodbye', ssrcs: [9] }]);
  });

  it('takes padding in the last packet only', () => {
    expect(parseRtcp(hex('a1cb0002 00000009 00000004'))).toEqual([{ kind: 'goodbye', ssrcs: [9] }]);
    expect(() => parseRtcp(hex('a1cb0002 00000009 00000004 80cb0000'))).toThrow(/padding of 4 bytes/);
    expect(() => parseRtcp(hex('a1cb0001 00000000'))).toThrow(/padding/);
  });

  it('takes the padding of a transport feedback that browsers fill up to a word', () => {
    for (const [bytes, arrivals] of [
      ['afcd0005 00000001 11bc60d0 00320001 0acae505 20011401', 1],
      ['afcd0006 00000001 11bc60d0 00330004 0acae506 20046547 680a0002', 4],
      ['afcd0006 00000001 11bc60d0 00420003 0acae90a 20034650 3c000003', 3],
    ] as const) {
      const [feedback] = parseRtcp(hex(bytes));
      expect(feedback).toMatchObject({ kind: 'transport-feedback' });
      expect(feedback?.kind === 'transport-feedback' && feedback.arrivalsUs.every((us) => us > 0) && feedback.arrivalsUs.length).toBe(
        arrivals,
      );
    }
  });

  it.each([
    ['80c9', /2 bytes/],
    ['80c90001', /should end at 8/],
    ['40c90001 00000001', /version is 1/],
    ['81c90001 00000001', /report that is 24 bytes too short/],
    ['80c80001 00000001', /sender report/],
    ['81ca0002 00000001 01ff6162', /source description/],
    ['82cb0001 00000001', /goodbye/],
    ['81cd0001 00000001', /feedback message/],
    ['8fce0004 00000001 00000000 52454d42 ff000000', /REMB/],
    ['8fcd0003 00000001 00000002 00000001', /within its header/],
    ['8fcd0004 00000001 00000002 0000ffff 00000000', /about 65535 packets/],
    ['8fcd0005 00000001 00000002 00000003 00000000 00000000', /a run of no packets/],
    ['8fcd0005 00000001 00000002 00000003 00000000 60030000', /reserved packet status 3/],
    ['8fcd0005 00000001 00000002 00000003 00000000 20030101', /receive delta of packet 2/],
    ['8fcd0004 00000001 00000002 00000003 00000000', /ends after 0 of 3/],
  ])('refuses %s', (bytes, message) => {
    const parse = (): unknown => parseRtcp(hex(bytes));
    expect(parse).toThrow(ProtocolError);
    expect(parse).toThrow(message);
  });

  it('throws nothing but ProtocolError, and takes bounded memory, for hostile bytes', () => {
    const arrivals = Float64Array.of(64_000, Number.NaN, 64_250, 900_000);
    const sample = (): Uint8Array => {
      writer.senderReport(1, wallMs(1_700_000_000_000), 5, 1, 2, [block]).sourceDescription(1, 'cname').nack(1, 2, [1, 2, 40]);
      writer.pictureLossIndication(1, 2).fullIntraRequest(1, 2, 3).remb(1, bitrateBps(2_500_000), [2]).goodbye([1]);
      writer.transportFeedback(1, 2, 0, 65_535, arrivals, 4);
      return writer.finish().slice();
    };
    const whole = sample();
    const change = fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255) });
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.array(change, { maxLength: 8 }), fc.nat(whole.length)).map(([changes, length]) => {
        const bytes = whole.slice();
        for (const { at, value } of changes) bytes[at] = value;
        return bytes.subarray(0, length % 5 === 0 ? length : whole.length);
      }),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        try {
          for (const packet of parseRtcp(bytes))
            if (packet.kind === 'transport-feedback') expect(packet.arrivalsUs.length).toBeLessThanOrEqual(8_192);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }),
      { numRuns },
    );
  });
});

describe('RtcpWriter', () => {
  it('writes what the parser reads, in one compound', () => {
    writer.senderReport(5, wallMs(1_700_000_000_250), 2 ** 32 + 9, 10, 20, [block]).sourceDescription(5, 'é@sluice');
    writer.nack(5, 6, [65_530, 65_535, 3, 200]).pictureLossIndication(5, 6).fullIntraRequest(5, 6, 255);
    writer.remb(5, bitrateBps(2_500_000), [6, 7]).goodbye([5]);
    const packets = parseRtcp(writer.finish());
    expect(packets).toEqual([
      expect.objectContaining({
        kind: 'sender-report',
        ssrc: 5,
        ntpMs: 1_700_000_000_250,
        rtpTimestamp: 9,
        packets: 10,
        octets: 20,
        reports: [block],
      }),
      { kind: 'source-description', chunks: [{ ssrc: 5, cname: 'é@sluice' }] },
      { kind: 'nack', senderSsrc: 5, mediaSsrc: 6, sequenceNumbers: Uint16Array.of(65_530, 65_535, 3, 200) },
      { kind: 'picture-loss-indication', senderSsrc: 5, mediaSsrc: 6 },
      { kind: 'full-intra-request', senderSsrc: 5, requests: [{ ssrc: 6, sequenceNumber: 255 }] },
      { kind: 'receiver-estimated-maximum-bitrate', senderSsrc: 5, bitrateBps: 2_500_000, ssrcs: [6, 7] },
      { kind: 'goodbye', ssrcs: [5] },
    ]);
  });

  it('packs neighbours of a NACK into one entry', () => {
    const numbers = Array.from({ length: 17 }, (_, index) => (65_530 + index) & 0xffff);
    const compound = writer.nack(1, 2, numbers).finish();
    expect(compound).toHaveLength(16);
    expect([...(parseRtcp(compound)[0] as { sequenceNumbers: Uint16Array }).sequenceNumbers]).toEqual(numbers);
  });
});

describe('transport feedback', () => {
  const read = (bytes: Uint8Array): TransportFeedback => parseRtcp(bytes)[0] as TransportFeedback;
  const arrivalsOf = (bytes: Uint8Array): number[] => [...read(bytes).arrivalsUs];

  it('reads each kind of chunk and delta', () => {
    // Base 0xfffe, 25 packets, reference 2 * 64 ms; a run of 3 small ones, a one-bit vector, a two-bit vector, a run not received.
    const bytes = hex(`
      8fcd0009 00000001 00000002 fffe0019 00000207
      2003 a001 d800 0001
      04 08 00 ff 01 fffc 10
      00 7fff`);
    // The vectors: 1 0 0 0 0 0 0 0 0 0 0 0 0 1, then 01 10 00 00 00 00 00.
    const feedback = read(new Uint8Array([...bytes, ...new Uint8Array(40 - bytes.length)]));
    expect(feedback).toMatchObject({ baseSequenceNumber: 0xfffe, feedbackCount: 7 });
    const start = 128_000;
    expect([...feedback.arrivalsUs]).toEqual([
      start + 1_000,
      start + 3_000,
      start + 3_000,
      start + 66_750,
      ...NaNs(12),
      start + 67_000,
      start + 67_000 + 255 * 250,
      start + 67_000 + 255 * 250 + ((0xfc10 << 16) >> 16) * 250,
      ...NaNs(6),
    ]);
  });

  it.each<readonly [string, readonly number[]]>([
    ['one packet', [1_000_000]],
    ['losses between', [1_000_000, Number.NaN, 1_000_250, ...NaNs(20), 1_010_000]],
    ['packets out of order', [1_000_000, 999_000, 1_063_750, 900_000]],
    ['a large delta', [1_000_000, 9_000_000, 9_000_250]],
    ['losses first', [...NaNs(9), 5_000_000]],
    ['a long run', Array.from({ length: 500 }, (_, index) => 1_000_000 + index * 1_000)],
    ['alternation', Array.from({ length: 99 }, (_, index) => (index % 2 === 0 ? 1_000_000 + index * 250 : Number.NaN))],
  ])('writes what it reads: %s', (_name, arrivals) => {
    expect(writer.transportFeedback(1, 2, 300, 65_530, Float64Array.from(arrivals), arrivals.length)).toBe(arrivals.length);
    const compound = writer.finish();
    expect(compound.length % 4).toBe(0);
    expect(read(compound)).toMatchObject({ baseSequenceNumber: 65_530, feedbackCount: 44, senderSsrc: 1, mediaSsrc: 2 });
    expect(arrivalsOf(compound)).toEqual(arrivals);
  });

  it('stops before a delta that it cannot say, and before the datagram is full', () => {
    expect(writer.transportFeedback(1, 2, 0, 0, Float64Array.of(1_000_000, 10_000_000), 2)).toBe(1);
    writer.finish();
    const many = Float64Array.from({ length: 2_000 }, (_, index) => index * 100_000);
    const told = writer.transportFeedback(1, 2, 0, 0, many, many.length);
    expect(told).toBeGreaterThan(400);
    const compound = writer.finish();
    expect(compound.length).toBeLessThanOrEqual(1_200);
    expect(arrivalsOf(compound)).toEqual([...many.subarray(0, told)]);
  });

  it('writes nothing when nothing was received', () => {
    expect(writer.transportFeedback(1, 2, 0, 0, Float64Array.of(Number.NaN), 1)).toBe(0);
    expect(writer.finish()).toHaveLength(0);
  });

  it('round-trips any arrivals to the nearest 250 µs, and wraps the reference time', () => {
    const arrival = fc.option(fc.integer({ min: 0, max: 7_000_000 }), { nil: Number.NaN });
    fc.assert(
      fc.property(
        fc.array(arrival, { minLength: 1, maxLength: 300 }),
        fc.constantFrom(0, 2 ** 24 * 64_000 - 64_000, 1e12),
        (offsets, start) => {
          const arrivals = Float64Array.from(offsets, (offset) => start + offset);
          const told = writer.transportFeedback(1, 2, 0, 9, arrivals, arrivals.length);
          const compound = writer.finish();
          if (told === 0) return;
          const first = Math.floor((arrivals.find((time) => !Number.isNaN(time)) ?? 0) / 64_000) * 64_000;
          const cycle = Math.floor(first / (2 ** 24 * 64_000)) * 2 ** 24 * 64_000;
          const expected = [...arrivals.subarray(0, told)].map((time) => Math.round(time / 250) * 250 - cycle);
          expect(arrivalsOf(compound)).toEqual(expected);
        },
      ),
      { numRuns },
    );
  });
});

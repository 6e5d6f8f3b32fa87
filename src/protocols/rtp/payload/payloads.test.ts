import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  av1Main,
  h264Main,
  hevcMain,
  hevcMain10,
  opusSamples,
  vp8Frames,
  vp9Profile0,
  vp9Profile2,
} from '../../../media/codecs/samples.fixture.ts';
import { fuzzAll } from '../hostile-bytes.fixture.ts';
import { concatenate } from './concatenate.ts';
import { depacketize, startsFrame, startsKeyframe } from './depacketizer.ts';
import { copiesOf, nalFrame, obu, tracks, unit } from './frames.fixture.ts';
import { createPacketizer } from './packetizer.ts';
import type { RtpCodec } from './payload-format.ts';

const MAX = 1_100;
const codecs: readonly RtpCodec[] = ['h264', 'hevc', 'vp8', 'vp9', 'av1', 'opus'];
const AV1_SEQUENCE = av1Main.keyframe.subarray(0, 13);

/** A frame of about `size` bytes that begins as a real one does. */
function frameOf(codec: RtpCodec, isKeyframe: boolean, size: number): Uint8Array {
  switch (codec) {
    case 'h264':
      return nalFrame(unit(isKeyframe ? '6588' : '419a', Math.max(4, size)));
    case 'hevc':
      return nalFrame(unit(isKeyframe ? '2801af' : '0201d0', Math.max(5, size)));
    case 'vp8':
      return unit(isKeyframe ? '900f009d012a4201b600' : '110900', Math.max(10, size));
    case 'vp9':
      return unit(isKeyframe ? '824983420014100b56' : '860040', Math.max(10, size));
    case 'av1':
      return concatenate(isKeyframe ? [AV1_SEQUENCE, obu(6, '10', Math.max(2, size))] : [obu(6, '30', Math.max(2, size))]);
    case 'opus':
      return unit('fc', Math.max(2, Math.min(size, MAX)));
  }
}

describe.each(codecs)('%s', (codec) => {
  const packetizer = createPacketizer(tracks[codec], MAX);
  const cut = (payload: Uint8Array, isKeyframe: boolean): Uint8Array[] => copiesOf(packetizer.packetize({ payload, isKeyframe }));

  it('puts together again what it cut, whatever its size', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40_000 }), fc.boolean(), (size, isKeyframe) => {
        const payload = frameOf(codec, isKeyframe, size);
        const payloads = cut(payload, isKeyframe);
        const frame = depacketize(codec, payloads);
        expect(Buffer.compare(frame.payload, payload)).toBe(0);
        expect(frame.isKeyframe).toBe(isKeyframe || codec === 'opus');
        expect(payloads.every(({ length }) => length > 0 && length <= MAX)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('marks starts of frames and keyframes in the first payload alone', () => {
    for (const isKeyframe of [true, false]) {
      const payloads = cut(frameOf(codec, isKeyframe, 9_000), isKeyframe);
      const starts = payloads.map((payload) => startsKeyframe(codec, payload));
      expect(startsFrame(codec, payloads[0] ?? new Uint8Array())).toBe(true);
      expect(starts[0]).toBe(isKeyframe || codec === 'opus');
      const keyframeStarts = starts.slice(codec === 'h264' || codec === 'hevc' ? 2 : 1);
      expect(keyframeStarts.some(Boolean)).toBe(false);
      expect(payloads.slice(2).some((payload) => startsFrame(codec, payload))).toBe(false);
    }
  });

  it('makes fragments of equal size of interframes, the last at most a little shorter', () => {
    if (codec === 'opus') return;
    for (const size of [1_050, 1_101, 2_197, 10_000, 10_001, 65_000]) {
      const sizes = cut(frameOf(codec, false, size), false).map(({ length }) => length);
      const [first = 0] = sizes;
      expect(new Set(sizes.slice(0, -1)).size).toBeLessThanOrEqual(1);
      expect(sizes.at(-1)).toBeLessThanOrEqual(first);
      // As few packets as can be, hence sizes near the limit for large frames.
      expect(sizes.length).toBeLessThanOrEqual(Math.ceil(size / (MAX - 4)) + 1);
      expect(first - (sizes.at(-1) ?? 0)).toBeLessThan(sizes.length + 8);
    }
  });

  it('refuses no payloads and passes over empty ones', () => {
    const bad = expect.objectContaining({ code: `rtp.bad-${codec}-payload` });
    expect(() => depacketize(codec, [])).toThrow(bad);
    expect(() => depacketize(codec, [new Uint8Array()])).toThrow(bad);
    expect(startsFrame(codec, new Uint8Array())).toBe(false);
    const payloads = cut(frameOf(codec, false, 800), false);
    expect(depacketize(codec, [new Uint8Array(), ...payloads]).payload).toHaveLength(frameOf(codec, false, 800).length);
  });

  it('refuses a frame of which the first payload is missing', () => {
    if (codec === 'opus') return;
    const payloads = cut(frameOf(codec, false, 9_000), false);
    const bad = expect.objectContaining({ code: `rtp.bad-${codec}-payload` });
    expect(() => depacketize(codec, payloads.slice(1))).toThrow(bad);
  });

  it('survives hostile payloads', () => {
    const samples = [
      ...cut(frameOf(codec, true, 300), true),
      ...cut(frameOf(codec, true, 2_500), true),
      ...cut(frameOf(codec, false, 100), false),
      ...hostileStarts[codec],
    ];
    fuzzAll(samples, (payloads) => {
      for (const payload of payloads) {
        startsFrame(codec, payload);
        startsKeyframe(codec, payload);
      }
      const { payload } = depacketize(codec, payloads);
      expect(payload.length).toBeLessThan(20_000);
    });
  });

  it('survives hostile frames', () => {
    const samples = [frameOf(codec, true, 200), frameOf(codec, false, 60)];
    fuzzAll(samples, (payloads) => {
      for (const payload of payloads) {
        cut(payload, true);
        cut(payload, false);
      }
    });
  });
});

/** Payloads with parts that the packetizers here do not write. */
const hostileStarts: Readonly<Record<RtpCodec, readonly Uint8Array[]>> = {
  h264: [Uint8Array.of(0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1)],
  hevc: [Uint8Array.of(0x60, 1, 0, 3, 0x40, 1, 1, 0, 3, 0x42, 1, 1)],
  vp8: [Uint8Array.of(0x90, 0xf0, 0x80, 1, 2, 3, 0x90, 0x0f, 0)],
  vp9: [Uint8Array.of(0xfa, 0x80, 1, 0x20, 3, 3, 2, 0x38, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 1, 8, 1, 2, 0x82, 0x49)],
  av1: [Uint8Array.of(0x08, 3, 0x30, 1, 2, 2, 0x32, 0), Uint8Array.of(0x20, 2, 0x08, 0, 0x30, 1)],
  opus: [opusSamples.packet60Ms],
};

describe('real frames', () => {
  it.each([
    ['h264', h264Main],
    ['hevc', hevcMain],
    ['vp9', vp9Profile0],
    ['vp9', vp9Profile2],
    ['av1', av1Main],
    ['vp8', vp8Frames],
  ] as const)('of %s come through in small packets', (codec, sample) => {
    const frames = 'interframe' in sample ? [sample.keyframe, sample.interframe] : [sample.keyframe];
    const packetizer = createPacketizer(tracks[codec], 64);
    frames.forEach((payload, index) => {
      const isKeyframe = index === 0;
      const frame = depacketize(codec, copiesOf(packetizer.packetize({ payload, isKeyframe })));
      expect(frame).toMatchObject({ payload, isKeyframe });
      if (isKeyframe && 'config' in sample && codec !== 'vp9') expect(frame.config).toBeDefined();
    });
  });

  it('of HEVC with in-band parameter sets give the record that FFmpeg made of them', () => {
    const packetizer = createPacketizer(tracks.hevc, MAX);
    const { config, isKeyframe } = depacketize('hevc', copiesOf(packetizer.packetize({ payload: hevcMain10.keyframe, isKeyframe: true })));
    expect(isKeyframe).toBe(true);
    // Bytes 13 to 22: what parallelism and frame rate are, this house does not say.
    expect(config?.subarray(0, 13)).toEqual(hevcMain10.config.subarray(0, 13));
  });
});

describe('createPacketizer', () => {
  it('refuses codecs that WebRTC does not have, and senseless limits', () => {
    const aac = { ...tracks.opus, codec: 'aac' } as typeof tracks.opus;
    expect(() => createPacketizer(aac, MAX)).toThrow(expect.objectContaining({ code: 'rtp.unsupported-codec' }));
    expect(() => createPacketizer(tracks.vp8, 10)).toThrow(/64 to 65535/);
  });

  it('refuses frames that are too large', () => {
    const tooLarge = expect.objectContaining({ code: 'rtp.frame-too-large' });
    const payload = new Uint8Array(17 * 1024 * 1024).fill(1);
    expect(() => createPacketizer(tracks.vp8, MAX).packetize({ payload, isKeyframe: false })).toThrow(tooLarge);
    expect(() => createPacketizer(tracks.vp8, 64).packetize({ payload: payload.subarray(0, 2e6), isKeyframe: false })).toThrow(tooLarge);
    expect(() => createPacketizer(tracks.opus, 64).packetize({ payload: payload.subarray(0, 65), isKeyframe: true })).toThrow(tooLarge);
  });
});

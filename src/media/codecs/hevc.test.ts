import { describe, expect, it } from 'vitest';
import { hevcCodecString, isHevcKeyframe, parseHevcConfig } from './hevc.ts';
import { parseHevcSps } from './hevc-sps.ts';
import { fuzz } from './mutations.fixture.ts';
import { hevcMain, hevcMain10, hex } from './samples.fixture.ts';

const firstSps = (record: Uint8Array): Uint8Array => parseHevcConfig(record).sps[0] ?? new Uint8Array();

describe('parseHevcConfig', () => {
  it('reads Main with its cropped size and its rate', () => {
    const config = parseHevcConfig(hevcMain.config);
    expect(config).toMatchObject({ profile: 1, isHighTier: false, level: 60, lengthSize: 4, width: 322, height: 182, frameRate: 30 });
    expect(hevcCodecString(config)).toBe('hvc1.1.6.L60.90');
  });

  it('reads Main 10 with its cropped size and its rate', () => {
    const config = parseHevcConfig(hevcMain10.config);
    expect(config).toMatchObject({ profile: 2, width: 322, height: 182 });
    expect(config.frameRate).toBeCloseTo(24_000 / 1001, 10);
    expect(hevcCodecString(config)).toBe('hvc1.2.4.L60.90');
  });

  it.each([
    ['an unknown version', Uint8Array.of(2, ...hevcMain.config.subarray(1))],
    ['no arrays', Uint8Array.of(...hevcMain.config.subarray(0, 22), 0)],
    ['a cut record', hevcMain.config.subarray(0, 60)],
    ['more than 64 parameter sets', Uint8Array.of(...hevcMain.config.subarray(0, 22), 1, 0x21, 0, 65)],
  ])('refuses %s', (_, record) => {
    expect(() => parseHevcConfig(record)).toThrow(expect.objectContaining({ code: 'media.bad-hevc-config' }));
  });
});

describe('hevcCodecString', () => {
  const main = {
    profileSpace: 0,
    isHighTier: false,
    profile: 1,
    profileCompatibility: 0x60000000,
    constraints: hex('b00000000000'),
    level: 93,
  };
  it.each([
    ['the example of ISO/IEC 14496-15', main, 'hvc1.1.6.L93.B0'],
    ['a profile space and the high tier', { ...main, profileSpace: 1, isHighTier: true }, 'hvc1.A1.6.H93.B0'],
    ['no constraints', { ...main, constraints: new Uint8Array(6) }, 'hvc1.1.6.L93'],
    ['zeros between constraints', { ...main, constraints: hex('900008000000') }, 'hvc1.1.6.L93.90.0.8'],
    ['the lowest compatibility flag', { ...main, profileCompatibility: 1 }, 'hvc1.1.80000000.L93.B0'],
  ])('writes %s', (_, config, expected) => {
    expect(hevcCodecString(config)).toBe(expected);
  });
});

describe('parseHevcSps', () => {
  it('reads the size of an SPS that is cut behind it, without a rate', () => {
    const sps = parseHevcSps(firstSps(hevcMain.config).subarray(0, 34));
    expect(sps).toEqual({ width: 322, height: 182 });
  });

  it('refuses other NAL units', () => {
    expect(() => parseHevcSps(hex('40010c01'))).toThrow(/NAL unit type is 32/);
  });
});

describe('isHevcKeyframe', () => {
  it('knows IDR pictures, also behind parameter sets and SEI', () => {
    expect(isHevcKeyframe(hevcMain.keyframe)).toBe(true);
    expect(isHevcKeyframe(hevcMain10.keyframe)).toBe(true);
  });

  it('knows CRA pictures (type 21) and no others beside', () => {
    expect(isHevcKeyframe(hex('00000003 2a01af'))).toBe(true);
    expect(isHevcKeyframe(hevcMain.interframe)).toBe(false);
    expect(isHevcKeyframe(hex('00000003 3001af'))).toBe(false); // a reserved non-IRAP type, 24
    expect(isHevcKeyframe(hex(''))).toBe(false);
  });
});

describe('hostile bytes', () => {
  it('never make the record parser fail otherwise than by ProtocolError', () => {
    fuzz([hevcMain.config, hevcMain10.config], (bytes) => hevcCodecString(parseHevcConfig(bytes)));
  });
  it('never make the SPS parser fail otherwise than by ProtocolError', () => {
    fuzz([firstSps(hevcMain.config), firstSps(hevcMain10.config)], parseHevcSps);
  });
  it('never make keyframe detection fail', () => fuzz([hevcMain.keyframe, hevcMain10.keyframe], isHevcKeyframe));
});

import { describe, expect, it } from 'vitest';
import { hevcCodecString, hevcParameterSets, hevcReorderDepth, isHevcKeyframe, parseHevcConfig } from './hevc.ts';
import { buildHevcConfig } from './hevc-record.ts';
import { parseHevcSps } from './hevc-sps.ts';
import { fuzz } from './mutations.fixture.ts';
import { hevcMain, hevcMain10, hevcReordered, hex } from './samples.fixture.ts';

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
  it('reads the size of an SPS that is cut in the coding tools, without a rate', () => {
    const sps = parseHevcSps(firstSps(hevcMain.config).subarray(0, 34));
    expect(sps).toEqual({ width: 322, height: 182, reorderDepth: 0 });
  });

  it('refuses other NAL units', () => {
    expect(() => parseHevcSps(hex('40010c01'))).toThrow(/NAL unit type is 32/);
  });
});

/** An SPS of Main, 320x240, up to the ordering of its sub-layers; bits in words. */
function spsWith(subLayers: number, ordering: string): Uint8Array {
  const general = `${'0'.repeat(2)} 0 00001 ${'0'.repeat(80)} ${'01011101'}`;
  const levels = subLayers === 1 ? '' : '00'.repeat(8);
  const head = `0000 ${(subLayers - 1).toString(2).padStart(3, '0')} 1 ${general} ${levels} 1`;
  const bits = `${head} 010 00000000101000001 000000011110001 0 1 1 00101 ${ordering}`.replaceAll(' ', '');
  const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
  // Emulation prevention, as an encoder does it.
  const unit = [0x42, 0x01];
  for (const byte of bytes) {
    if (byte <= 3 && unit.at(-1) === 0 && unit.at(-2) === 0) unit.push(3);
    unit.push(byte);
  }
  return Uint8Array.from(unit);
}

describe('hevcReorderDepth', () => {
  it.each([
    ['libx265 with three B-frames, one of them a reference', hevcReordered, 2],
    ['a record that cannot be read', hex('0101'), undefined],
    ['an SPS that is cut behind the size', buildHevcConfig([], [spsWith(1, '')], []), undefined],
    ['an SPS with a depth that no decoder has', buildHevcConfig([], [spsWith(1, `0 1 000010001 1`)], []), undefined],
    ['the largest of two SPS', buildHevcConfig([], [spsWith(1, '0 1 010 1 1111'), spsWith(1, '0 1 00100 1 1111')], []), 3],
    ['an SPS that tells the ordering of its highest sub-layer alone', buildHevcConfig([], [spsWith(3, '0 1 011 1 1111')], []), 2],
    ['the highest of three sub-layers', buildHevcConfig([], [spsWith(3, '1 1 1 1  1 010 1  1 00101 1 1111')], []), 4],
  ])('of %s', (_, record, depth) => {
    expect(hevcReorderDepth(record)).toBe(depth);
  });

  it('never fails for hostile bytes', () => fuzz([hevcMain.config, hevcMain10.config, hevcReordered], hevcReorderDepth));
});

describe('buildHevcConfig', () => {
  const setsOf = (record: Uint8Array, type: number): Uint8Array[] =>
    hevcParameterSets(record).filter((unit) => (unit[0] ?? 0) >> 1 === type);
  const rebuilt = (record: Uint8Array): Uint8Array => buildHevcConfig(setsOf(record, 32), setsOf(record, 33), setsOf(record, 34));

  it('makes the record that FFmpeg makes, but for array_completeness', () => {
    const record = hevcMain.config.slice();
    for (const at of [23, 23 + 5 + 24, 23 + 5 + 24 + 5 + 43]) record[at] = (record[at] ?? 0) | 0x80;
    expect(rebuilt(hevcMain.config)).toEqual(record);
  });

  it('makes a record of 10 bits that says the same, without its SEI', () => {
    expect(parseHevcConfig(rebuilt(hevcMain10.config))).toMatchObject({ ...parseHevcConfig(hevcMain10.config) });
    expect(rebuilt(hevcMain10.config).subarray(0, 22)).toEqual(hevcMain10.config.subarray(0, 22));
  });

  it('refuses no SPS, a bad one, too many parameter sets and too large ones', () => {
    const refusal = expect.objectContaining({ code: 'media.bad-hevc-config' });
    const sps = firstSps(hevcMain.config);
    expect(() => buildHevcConfig([], [], [])).toThrow(refusal);
    expect(() => buildHevcConfig([], [sps.subarray(0, 20)], [])).toThrow(refusal);
    expect(() =>
      buildHevcConfig(
        [],
        [sps],
        Array.from({ length: 64 }, () => hex('4401')),
      ),
    ).toThrow(refusal);
    expect(() => buildHevcConfig([], [sps], [new Uint8Array(65_536)])).toThrow(refusal);
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
  it('never make the record builder fail otherwise than by ProtocolError', () => {
    fuzz([firstSps(hevcMain.config), firstSps(hevcMain10.config)], (unit) => buildHevcConfig([], [unit], []));
    fuzz([hevcMain.config, hevcMain10.config], hevcParameterSets);
  });
  it('never make the record parser fail otherwise than by ProtocolError', () => {
    fuzz([hevcMain.config, hevcMain10.config], (bytes) => hevcCodecString(parseHevcConfig(bytes)));
  });
  it('never make the SPS parser fail otherwise than by ProtocolError', () => {
    fuzz([firstSps(hevcMain.config), firstSps(hevcMain10.config)], parseHevcSps);
  });
  it('never make keyframe detection fail', () => fuzz([hevcMain.keyframe, hevcMain10.keyframe], isHevcKeyframe));
});

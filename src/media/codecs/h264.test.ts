import { describe, expect, it } from 'vitest';
import { buildH264Config, h264CodecString, h264ReorderDepth, isH264Keyframe, parseH264Config, parseH264Sps } from './h264.ts';
import { fuzz } from './mutations.fixture.ts';
import {
  h264Baseline1080,
  h264High422,
  h264High444,
  h264HighReordered,
  h264Interlaced,
  h264Main,
  h264RecoveryPoint,
  hex,
} from './samples.fixture.ts';

const firstSps = (config: Uint8Array): Uint8Array => parseH264Config(config).sps[0] ?? new Uint8Array();

describe('parseH264Config', () => {
  it('reads profile, level, length size and parameter sets', () => {
    const config = parseH264Config(h264Main.config);
    expect(config).toMatchObject({ profile: 77, profileCompatibility: 0x40, level: 13, lengthSize: 4 });
    expect(config.sps.map((unit) => unit.length)).toEqual([24]);
    expect(config.pps).toEqual([hex('68ebc3cb20')]);
    expect(h264CodecString(config)).toBe('avc1.4d400d');
  });

  it.each([
    ['an unknown version', hex('024d400dffe0 00')],
    ['a length size of 3', hex('014d400dfee0 00')],
    ['no SPS', hex('014d400dffe0 00')],
    ['a cut record', h264Main.config.subarray(0, 20)],
    ['more than 64 parameter sets', hex('014d400dffe10001 67 41')],
  ])('refuses %s', (_, record) => {
    expect(() => parseH264Config(record)).toThrow(expect.objectContaining({ code: 'media.bad-h264-config' }));
  });
});

describe('parseH264Sps', () => {
  it.each([
    ['cropped Main', h264Main.config, { width: 322, height: 182, frameRate: 30 }],
    ['cropped Baseline', h264Baseline1080, { width: 1920, height: 1080, frameRate: 30_000 / 1001 }],
    ['fields', h264Interlaced, { width: 1920, height: 1080, frameRate: 25 }],
    ['4:2:2 of 10 bits', h264High422, { width: 128, height: 96, frameRate: 50, chromaFormat: 2, bitDepthLuma: 10 }],
    ['4:4:4', h264High444, { width: 96, height: 62, frameRate: 50, chromaFormat: 3, bitDepthLuma: 8 }],
  ])('reads size and rate of %s', (_, config, expected) => {
    expect(parseH264Sps(firstSps(config))).toMatchObject(expected);
  });

  it('reads the size of an SPS whose VUI is cut short, without a rate', () => {
    const sps = parseH264Sps(firstSps(h264Main.config).subarray(0, 14));
    expect(sps).toMatchObject({ width: 322, height: 182 });
    expect(sps).not.toHaveProperty('frameRate');
  });

  it('refuses pictures wider than 16384', () => {
    // ue: SPS id, frame number, order count type and bits, references; gaps; width of 1025 macroblocks; one row; flags.
    const bits = `11111 0 ${'0'.repeat(10)}10000000001 1 1000`.replaceAll(' ', '');
    const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
    expect(() => parseH264Sps(Uint8Array.of(0x67, 66, 0, 30, ...bytes))).toThrow(/16400x16/);
  });
});

describe('buildH264Config', () => {
  it.each([
    ['Main', h264Main.config],
    ['High 4:2:2, with its extension', h264High422],
  ])('makes the record FFmpeg makes for %s', (_, record) => {
    const { sps, pps } = parseH264Config(record);
    expect(buildH264Config(sps, pps)).toEqual(record);
  });

  it('refuses no SPS, too many parameter sets and too large ones', () => {
    const { sps, pps } = parseH264Config(h264Main.config);
    const refusal = expect.objectContaining({ code: 'media.bad-h264-config' });
    expect(() => buildH264Config([], pps)).toThrow(refusal);
    expect(() =>
      buildH264Config(
        sps,
        Array.from({ length: 64 }, () => hex('68')),
      ),
    ).toThrow(refusal);
    expect(() => buildH264Config(sps, [new Uint8Array(65_536)])).toThrow(refusal);
  });
});

describe('h264ReorderDepth', () => {
  it.each([
    ['Baseline', h264Baseline1080, 0],
    ['libx264 with three B-frames, one of them a reference', h264HighReordered, 2],
    ['High 4:2:2 with B-frames', h264High422, 2],
    ['libx264 without B-frames', h264Main.config, 0],
    ['fields without B-frames', h264Interlaced, 0],
    ['Constrained High without VUI (constraint_set5)', buildH264Config([hex('6764 0c1f acd9405005bb')], [hex('68')]), 0],
    ['a record that cannot be read', hex('0242'), undefined],
  ])('of %s', (_, record, depth) => {
    expect(h264ReorderDepth(record)).toBe(depth);
  });

  it('is 0 when pictures come in output order (pic_order_cnt_type 2), and unknown without bitstream restrictions', () => {
    // High: SPS id, 4:2:0 of 8 bits, no scaling; frame number; order count type; references; 20x15 macroblocks; flags, no VUI.
    const sps = (orderCount: string): Uint8Array => {
      const bits = `1 010 1 1 0 0 1 ${orderCount} 010 0 000010100 0001111 1 1 0 0 1`.replaceAll(' ', '');
      return Uint8Array.of(0x67, 100, 0, 30, ...(bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
    };
    expect(parseH264Sps(sps('011'))).toMatchObject({ width: 320, height: 240, reorderDepth: 0 });
    expect(parseH264Sps(sps('1 1'))).not.toHaveProperty('reorderDepth');
    expect(h264ReorderDepth(buildH264Config([sps('1 1')], [hex('68')]))).toBeUndefined();
  });
});

describe('isH264Keyframe', () => {
  it('knows IDR pictures, also behind SEI and parameter sets', () => {
    expect(isH264Keyframe(h264Main.keyframe)).toBe(true);
    expect(isH264Keyframe(Uint8Array.from([...hex('000000020910 00000003060180'), ...h264Main.keyframe]))).toBe(true);
  });

  it('takes neither P pictures nor recovery points for keyframes', () => {
    expect(isH264Keyframe(h264Main.interframe)).toBe(false);
    expect(isH264Keyframe(h264RecoveryPoint)).toBe(false);
  });

  it('takes broken payloads for no keyframes', () => {
    expect(isH264Keyframe(hex(''))).toBe(false);
    expect(isH264Keyframe(hex('ffffffff65'))).toBe(false);
    expect(isH264Keyframe(new Uint8Array(100_000))).toBe(false);
  });
});

describe('hostile bytes', () => {
  const records = [h264Main.config, h264Baseline1080, h264Interlaced, h264High422, h264High444];
  it('never make the record parser fail otherwise than by ProtocolError', () => {
    fuzz(records, (bytes) => {
      const { sps, pps } = parseH264Config(bytes);
      for (const unit of sps) parseH264Sps(unit);
      buildH264Config(sps, pps);
    });
  });
  it('never make the SPS parser fail otherwise than by ProtocolError', () => fuzz(records.map(firstSps), parseH264Sps));
  it('never make keyframe detection fail', () => fuzz([h264Main.keyframe, h264RecoveryPoint], isH264Keyframe));
});

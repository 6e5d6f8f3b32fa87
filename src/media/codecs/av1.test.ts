import { describe, expect, it } from 'vitest';
import {
  av1CodecString,
  av1SequenceObu,
  buildAv1Config,
  isAv1Keyframe,
  parseAv1Config,
  splitAv1Obus,
  withoutTemporalDelimiters,
} from './av1.ts';
import { type Av1SequenceHeader, parseAv1SequenceHeader } from './av1-sequence.ts';
import { fuzz } from './mutations.fixture.ts';
import { av1Hdr, av1Main, av1Main10, hex } from './samples.fixture.ts';

const sequenceOf = (record: Uint8Array): Av1SequenceHeader => {
  const { sequence } = parseAv1Config(record);
  if (sequence === undefined) throw new Error('the sample has a sequence header');
  return sequence;
};

describe('parseAv1Config', () => {
  it.each([
    ['8 bits', av1Main.config, { profile: 0, level: 0, tier: 0, bitDepth: 8 }, 'av01.0.00M.08'],
    ['10 bits', av1Main10.config, { profile: 0, level: 0, tier: 0, bitDepth: 10 }, 'av01.0.00M.10'],
    ['HDR', av1Hdr, { bitDepth: 8, colour: { primaries: 9, transfer: 16, matrix: 9 } }, 'av01.0.00M.08.0.110.09.16.09.0'],
  ])('reads %s', (_, record, expected, codecString) => {
    const sequence = sequenceOf(record);
    expect(sequence).toMatchObject({ width: 322, height: 182, subsamplingX: 1, subsamplingY: 1, isMonochrome: false, ...expected });
    expect(av1CodecString(sequence)).toBe(codecString);
  });

  it('accepts a record without sequence header', () => {
    expect(parseAv1Config(hex('81000c00')).sequence).toBeUndefined();
  });

  it.each([
    ['an unknown version', hex('82000c00')],
    ['a cut record', hex('8100')],
    ['a sequence header that is cut', hex('81000c000a03000000')],
    ['an OBU past the end', hex('81000c000a7f000000')],
  ])('refuses %s', (_, record) => {
    expect(() => parseAv1Config(record)).toThrow(expect.objectContaining({ code: 'media.bad-av1-config' }));
  });
});

describe('parseAv1SequenceHeader', () => {
  /** Bits of a header with timing, decoder model, two operating points (level 5.1 high tier first), 1920x1080, 8 bits 4:2:0. */
  const withTiming = [
    '000 0 0',
    `1 ${(1001).toString(2).padStart(32, '0')} ${(60_000).toString(2).padStart(32, '0')} 1 1`,
    `1 00111 ${'0'.repeat(32)} 00000 00000`,
    '1 00001',
    `000000000000 01101 1 1 ${'0'.repeat(17)} 1 0101`,
    '000000000000 00101 0 0',
    `1010 1010 ${(1919).toString(2)} ${(1079).toString(2)}`,
    '0 000 0000 0 1 1 000',
    '0 0 0 0 00 0',
  ];
  const pack = (parts: readonly string[]): Uint8Array =>
    Uint8Array.from(
      (
        parts
          .join('')
          .replaceAll(' ', '')
          .match(/.{1,8}/g) ?? []
      ).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)),
    );

  it('reads timing, the first operating point and its tier', () => {
    const sequence = parseAv1SequenceHeader(pack(withTiming));
    expect(sequence).toMatchObject({ level: 13, tier: 1, width: 1920, height: 1080, bitDepth: 8 });
    expect(sequence.frameRate).toBeCloseTo(60_000 / 1001, 10);
    expect(av1CodecString(sequence)).toBe('av01.0.13H.08');
  });

  it('reads a reduced still picture header, monochrome', () => {
    const sequence = parseAv1SequenceHeader(pack(['000 1 1 00100', '0111 0111 11111111 01111111', '000 000', '0 1 0 1']));
    expect(sequence).toMatchObject({ level: 4, width: 256, height: 128, isMonochrome: true, isFullRange: true });
    expect(av1CodecString(sequence)).toBe('av01.0.04M.08.1.110.01.01.01.1');
  });

  it('refuses pictures wider than 16384', () => {
    const wide = pack(['000 1 1 00100', '1111 0111 1111111111111111 01111111', '000 000', '0 1 0 1']);
    expect(() => parseAv1SequenceHeader(wide)).toThrow(/65536x128/);
  });
});

describe('buildAv1Config', () => {
  it.each([
    ['8 bits', av1Main.keyframe, 'av01.0.00M.08'],
    ['10 bits', av1Main10.keyframe, 'av01.0.00M.10'],
  ])('makes a record from a keyframe of %s', (_, keyframe, codecString) => {
    const obu = av1SequenceObu(keyframe);
    expect(obu).toBeDefined();
    if (obu !== undefined) expect(av1CodecString(sequenceOf(buildAv1Config(obu)))).toBe(codecString);
  });

  it('makes the record libaom makes', () => {
    const obu = av1SequenceObu(av1Main.keyframe);
    if (obu !== undefined) expect(buildAv1Config(obu)).toEqual(av1Main.config);
  });
});

describe('OBUs', () => {
  it('are split, with and without extension and size', () => {
    const obus = splitAv1Obus(hex('1200 0a0100 3608 02 aabb 30 ccdd'));
    expect(obus.map((obu) => obu.type)).toEqual([2, 1, 6, 6]);
    expect(obus.map((obu) => obu.content)).toEqual([hex(''), hex('00'), hex('aabb'), hex('ccdd')]);
  });

  it('lose temporal delimiters, and stay the same bytes when there are none', () => {
    expect(withoutTemporalDelimiters(av1Main.keyframe)).toBe(av1Main.keyframe);
    expect(withoutTemporalDelimiters(Uint8Array.of(0x12, 0, ...av1Main.keyframe))).toEqual(av1Main.keyframe);
  });

  it.each([
    ['a size past the end', hex('3205 00')],
    ['the forbidden bit', hex('b200')],
    ['an endless leb128', hex('32 ffffffffffffffffff')],
    ['too many OBUs', new Uint8Array(2 * 4_097).map((_, index) => (index % 2 === 0 ? 0x12 : 0))],
  ])('are refused for %s', (_, bytes) => {
    expect(() => splitAv1Obus(bytes)).toThrow(expect.objectContaining({ code: 'media.bad-av1-obus' }));
  });
});

describe('isAv1Keyframe', () => {
  it('knows a shown key frame behind a sequence header', () => {
    expect(isAv1Keyframe(av1Main.keyframe)).toBe(true);
    expect(isAv1Keyframe(av1Main10.keyframe)).toBe(true);
    expect(isAv1Keyframe(Uint8Array.of(0x12, 0, ...av1Main.keyframe))).toBe(true);
  });

  it('takes nothing else for one', () => {
    expect(isAv1Keyframe(av1Main.interframe)).toBe(false);
    expect(isAv1Keyframe(av1Main.keyframe.subarray(13))).toBe(false); // no sequence header
    expect(isAv1Keyframe(av1Main.keyframe.subarray(0, 13))).toBe(false); // no frame
    expect(isAv1Keyframe(hex('0a0100 320190'))).toBe(false); // show_existing_frame
    expect(isAv1Keyframe(hex('0a0100 320100'))).toBe(false); // a key frame that is not shown
    expect(isAv1Keyframe(hex('32ff'))).toBe(false);
    expect(isAv1Keyframe(hex(''))).toBe(false);
  });
});

describe('hostile bytes', () => {
  it('never make the record parser fail otherwise than by ProtocolError', () => {
    fuzz([av1Main.config, av1Main10.config, av1Hdr], (bytes) => {
      const { sequence } = parseAv1Config(bytes);
      if (sequence !== undefined) av1CodecString(sequence);
    });
  });
  it('never make OBU handling fail otherwise than by ProtocolError', () => {
    fuzz([av1Main.keyframe, av1Main10.keyframe, av1Main.interframe], (bytes) => {
      isAv1Keyframe(bytes);
      withoutTemporalDelimiters(bytes);
      const obu = av1SequenceObu(bytes);
      if (obu !== undefined) buildAv1Config(obu);
    });
  });
});

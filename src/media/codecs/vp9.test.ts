import { describe, expect, it } from 'vitest';
import { fuzz } from './mutations.fixture.ts';
import { hex, vp9Profile0, vp9Profile2 } from './samples.fixture.ts';
import { buildVpConfig, isVp9Keyframe, parseVp9Keyframe, parseVpConfig, vpCodecString, vpConfigOf, vpLevel } from './vp9.ts';

describe('parseVpConfig', () => {
  it('reads profile 0 and 2, and building undoes it', () => {
    expect(parseVpConfig(vp9Profile0.config)).toMatchObject({ profile: 0, level: 11, bitDepth: 8, chromaSubsampling: 1 });
    expect(parseVpConfig(vp9Profile2.config)).toMatchObject({ profile: 2, level: 11, bitDepth: 10, chromaSubsampling: 1 });
    expect(buildVpConfig(parseVpConfig(vp9Profile0.config))).toEqual(vp9Profile0.config);
  });

  it('reads a record without the box version and flags', () => {
    expect(parseVpConfig(vp9Profile2.config.subarray(4))).toEqual(parseVpConfig(vp9Profile2.config));
  });

  it.each([
    ['an unknown version', hex('02000000000b820202020000')],
    ['an unknown bit depth', hex('01000000000b920202020000')],
    ['an unknown profile', hex('01000000040b820202020000')],
    ['a cut record', hex('01000000000b8202')],
  ])('refuses %s', (_, record) => {
    expect(() => parseVpConfig(record)).toThrow(expect.objectContaining({ code: 'media.bad-vp9-config' }));
  });
});

describe('vpCodecString', () => {
  it('is short for 4:2:0 and tells chroma and colour for others', () => {
    const config = parseVpConfig(vp9Profile2.config);
    expect(vpCodecString('vp09', config)).toBe('vp09.02.11.10');
    expect(vpCodecString('vp09', { ...config, profile: 1, bitDepth: 8, chromaSubsampling: 3 })).toBe('vp09.01.11.08.03.02.02.02.00');
  });
});

describe('parseVp9Keyframe', () => {
  it('reads the format of 8 and 10 bits', () => {
    expect(parseVp9Keyframe(vp9Profile0.keyframe)).toMatchObject({ profile: 0, bitDepth: 8, width: 322, height: 182, isFullRange: false });
    expect(parseVp9Keyframe(vp9Profile2.keyframe)).toMatchObject({ profile: 2, bitDepth: 10, width: 322, height: 182 });
  });

  it('reads odd sizes and RGB of profile 3', () => {
    // 10 1 1 0 0 0 1 0, sync code, 12 bits, RGB, reserved, 65x31
    const bits = [
      '10110001 0',
      (0x498342).toString(2).padStart(24, '0'),
      '1 111 0',
      (64).toString(2).padStart(16, '0'),
      (30).toString(2).padStart(16, '0'),
    ];
    const bytes = (
      bits
        .join('')
        .replaceAll(' ', '')
        .match(/.{1,8}/g) ?? []
    ).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
    expect(isVp9Keyframe(Uint8Array.from(bytes))).toBe(true);
    expect(parseVp9Keyframe(Uint8Array.from(bytes))).toEqual({
      profile: 3,
      bitDepth: 12,
      chromaSubsampling: 3,
      isFullRange: true,
      width: 65,
      height: 31,
    });
  });

  it.each([
    ['an inter frame', vp9Profile0.interframe],
    ['a wrong sync code', hex('82498343001410')],
    ['a cut header', hex('8249834200')],
    ['a picture wider than 16384', hex('82498342 0ffff 00b56')],
  ])('refuses %s', (_, frame) => {
    expect(() => parseVp9Keyframe(frame)).toThrow(expect.objectContaining({ code: 'media.bad-vp9-frame' }));
  });
});

describe('vpConfigOf', () => {
  it('makes a record with a level for the picture', () => {
    expect(vpCodecString('vp09', vpConfigOf(parseVp9Keyframe(vp9Profile2.keyframe)))).toBe('vp09.02.20.10');
    expect(vpLevel(1920, 1080)).toBe(41);
    expect(vpLevel(16_384, 16_384)).toBe(62);
  });
});

describe('isVp9Keyframe', () => {
  it('tells keyframes from others', () => {
    expect(isVp9Keyframe(vp9Profile0.keyframe)).toBe(true);
    expect(isVp9Keyframe(vp9Profile2.keyframe)).toBe(true);
    expect(isVp9Keyframe(vp9Profile0.interframe)).toBe(false);
    expect(isVp9Keyframe(hex('88'))).toBe(false); // show_existing_frame
    expect(isVp9Keyframe(hex(''))).toBe(false);
  });
});

describe('hostile bytes', () => {
  it('never make the record parser fail otherwise than by ProtocolError', () => {
    fuzz([vp9Profile0.config, vp9Profile2.config], (bytes) => vpCodecString('vp09', parseVpConfig(bytes)));
  });
  it('never make the frame parser fail otherwise than by ProtocolError', () => {
    fuzz([vp9Profile0.keyframe, vp9Profile2.keyframe], (bytes) => vpConfigOf(parseVp9Keyframe(bytes)));
  });
});

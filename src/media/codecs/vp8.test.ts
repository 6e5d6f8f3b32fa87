import { describe, expect, it } from 'vitest';
import { fuzz } from './mutations.fixture.ts';
import { hex, vp8Frames } from './samples.fixture.ts';
import { isVp8Keyframe, parseVp8Keyframe, vp8ConfigOf } from './vp8.ts';
import { vpCodecString } from './vp9.ts';

describe('VP8', () => {
  it('tells keyframes from others', () => {
    expect(isVp8Keyframe(vp8Frames.keyframe)).toBe(true);
    expect(isVp8Keyframe(vp8Frames.interframe)).toBe(false);
    expect(isVp8Keyframe(hex(''))).toBe(false);
  });

  it("reads a keyframe's size without its scaling bits", () => {
    expect(parseVp8Keyframe(vp8Frames.keyframe)).toEqual({ profile: 0, width: 322, height: 182 });
    expect(parseVp8Keyframe(hex('960f00 9d012a 4141 1f80'))).toEqual({ profile: 3, width: 321, height: 31 });
  });

  it('makes a record and codec string for it', () => {
    expect(vpCodecString('vp08', vp8ConfigOf(parseVp8Keyframe(vp8Frames.keyframe)))).toBe('vp08.00.20.08');
  });

  it.each([
    ['an inter frame', vp8Frames.interframe],
    ['a wrong start code', hex('900f00 9d012b 4201 b600')],
    ['no width', hex('900f00 9d012a 0000 b600')],
    ['a cut header', hex('900f00 9d012a 42')],
    ['an unknown version', hex('980f00 9d012a 4201 b600')],
  ])('refuses %s', (_, frame) => {
    expect(() => parseVp8Keyframe(frame)).toThrow(expect.objectContaining({ code: 'media.bad-vp8-frame' }));
  });

  it('lets hostile bytes make the parser fail by ProtocolError only', () =>
    fuzz([vp8Frames.keyframe, vp8Frames.interframe], parseVp8Keyframe));
});

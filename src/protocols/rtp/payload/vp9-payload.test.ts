import { describe, expect, it } from 'vitest';
import { hex } from '../../../media/codecs/samples.fixture.ts';
import { depacketize, startsFrame, startsKeyframe } from './depacketizer.ts';
import { copiesOf, tracks, unit } from './frames.fixture.ts';
import { createPacketizer } from './packetizer.ts';
import { joinSuperframe } from './vp9-superframe.ts';

const KEY = '8249 8342';

describe('packets of VP9', () => {
  it('tell start, end and prediction in one byte, without a picture ID that could jump for a viewer', () => {
    const packetizer = createPacketizer(tracks.vp9, 101);
    const descriptors = (isKeyframe: boolean) =>
      copiesOf(packetizer.packetize({ payload: unit('82', 150), isKeyframe })).map(([descriptor]) => descriptor);
    expect(descriptors(true)).toEqual([0x08, 0x04]);
    expect(descriptors(false)).toEqual([0x48, 0x44]);
  });
});

describe('depacketizing VP9', () => {
  it.each([
    ['nothing', '0c'],
    ['a short picture ID', '8c 11'],
    ['a long picture ID', '8c 9234'],
    ['layer indices in non-flexible mode', 'ac 9234 00 07'],
    ['layer indices in flexible mode', 'bc 9234 00'],
    ['one reference in flexible mode', 'dc 9234 02'],
    ['three references in flexible mode', 'dc 9234 03 05 06'],
    ['a scalability structure of two layers with sizes and a group of pictures', '8e 9234 38 0140 00b4 0280 0168 02 04 01 08 01 02'],
    ['a scalability structure without either', '8e 11 00'],
  ])('skips a descriptor with %s', (_, descriptor) => {
    const payload = hex(`${descriptor} ${KEY} 01`);
    expect(depacketize('vp9', [payload])).toEqual({ payload: hex(`${KEY} 01`), isKeyframe: true });
    expect(startsFrame('vp9', payload)).toBe(true);
    expect(startsKeyframe('vp9', payload)).toBe(true);
  });

  it('joins spatial layers to a superframe', () => {
    // Layer 0 in two packets, layer 1 (SID 1, D) in one.
    const payloads = [hex(`a8 9234 00 07 ${KEY}`), hex('a4 9234 00 07 0102'), hex('ac 9234 03 07 8600aa')];
    const { payload, isKeyframe } = depacketize('vp9', payloads);
    expect(isKeyframe).toBe(true);
    expect(payload).toEqual(hex(`${KEY} 0102 8600aa c1 06 03 c1`));
    expect(payloads.map((bytes) => startsFrame('vp9', bytes))).toEqual([true, false, false]);
  });

  it('does not take an intra-only picture for a keyframe', () => {
    const payload = hex('8c 11 8600');
    expect(startsKeyframe('vp9', payload)).toBe(false);
    expect(depacketize('vp9', [payload]).isKeyframe).toBe(false);
  });

  it('refuses a descriptor without content, a picture that does not begin and more than eight layer frames', () => {
    const bad = expect.objectContaining({ code: 'rtp.bad-vp9-payload' });
    expect(() => depacketize('vp9', [hex('8c 92 34')])).toThrow(bad);
    expect(() => depacketize('vp9', [hex('84 11 8600')])).toThrow(bad);
    expect(() =>
      depacketize(
        'vp9',
        Array.from({ length: 9 }, () => hex('8c 11 8600')),
      ),
    ).toThrow(bad);
  });
});

describe('joinSuperframe', () => {
  it('writes sizes little-endian in as many bytes as the largest needs', () => {
    const joined = joinSuperframe([unit('82', 300), unit('86', 5)]);
    expect(joined.subarray(305)).toEqual(hex('c9 2c01 0500 c9'));
  });

  it('takes superframes apart first, but not what only ends like one', () => {
    const inner = joinSuperframe([hex('8601'), hex('860203')]);
    expect(joinSuperframe([inner, hex('8604')])).toEqual(hex('8601 860203 8604 c2 02 03 02 c2'));
    expect(joinSuperframe([hex('86c1'), hex('8604')])).toEqual(hex('86c1 8604 c1 02 02 c1'));
    expect(joinSuperframe([inner])).toBe(inner);
  });
});

import { describe, expect, it } from 'vitest';
import { hex } from '../../../media/codecs/samples.fixture.ts';
import { depacketize, startsFrame, startsKeyframe } from './depacketizer.ts';
import { copiesOf, tracks, unit } from './frames.fixture.ts';
import { createPacketizer } from './packetizer.ts';

const bad = expect.objectContaining({ code: 'rtp.bad-vp8-payload' });

describe('packets of VP8', () => {
  it('have a descriptor of one byte, with S on the first alone, and no PictureID that could jump for a viewer', () => {
    const packetizer = createPacketizer(tracks.vp8, 101);
    const payloads = copiesOf(packetizer.packetize({ payload: unit('11', 250), isKeyframe: false }));
    expect(payloads.map(([descriptor]) => descriptor)).toEqual([0x10, 0, 0]);
    expect(payloads.map(({ length }) => length)).toEqual([85, 85, 83]);
  });
});

describe('depacketizing VP8', () => {
  it.each([
    ['no extension', '10'],
    ['a short PictureID', '90 80 11'],
    ['a long PictureID', '90 80 9234'],
    ['TL0PICIDX, TID and KEYIDX', '90 f0 9234 05 61'],
    ['TID alone', '90 20 40'],
    ['an extension without fields', '90 00'],
  ])('skips a descriptor with %s', (_, descriptor) => {
    const payload = hex(`${descriptor} 900f00 9d012a`);
    expect(depacketize('vp8', [payload])).toEqual({ payload: hex('900f009d012a'), isKeyframe: true });
    expect(startsFrame('vp8', payload)).toBe(true);
    expect(startsKeyframe('vp8', payload)).toBe(true);
  });

  it('takes packets of later partitions as they come', () => {
    const payloads = [hex('10 1109'), hex('11 0102'), hex('01 03')];
    expect(depacketize('vp8', payloads).payload).toEqual(hex('1109010203'));
    expect(payloads.map((payload) => startsFrame('vp8', payload))).toEqual([true, false, false]);
    expect(startsKeyframe('vp8', hex('10 1109'))).toBe(false);
  });

  it('refuses a descriptor without content, and a frame that does not begin', () => {
    expect(() => depacketize('vp8', [hex('90 80 92')])).toThrow(bad);
    expect(() => depacketize('vp8', [hex('00 1109')])).toThrow(bad);
    expect(() => depacketize('vp8', [hex('11 1109')])).toThrow(bad);
  });
});

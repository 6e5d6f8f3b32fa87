import { describe, expect, it } from 'vitest';
import { av1Main, hex } from '../../../media/codecs/samples.fixture.ts';
import { splitAv1Obus } from '../../../media/mod.ts';
import { concatenate } from './concatenate.ts';
import { depacketize, startsFrame, startsKeyframe } from './depacketizer.ts';
import { copiesOf, obu, tracks } from './frames.fixture.ts';
import { createPacketizer } from './packetizer.ts';

const MAX = 100;
const SEQUENCE = av1Main.keyframe.subarray(0, 13);
const packetize = (isKeyframe: boolean, ...obus: readonly Uint8Array[]): Uint8Array[] =>
  copiesOf(createPacketizer(tracks.av1, MAX).packetize({ payload: concatenate(obus), isKeyframe }));
const bad = expect.objectContaining({ code: 'rtp.bad-av1-payload' });

describe('packets of AV1', () => {
  it('carry OBUs without size, the last without length, and N on a keyframe', () => {
    const [payload] = packetize(true, SEQUENCE, obu(6, '10', 20));
    // W=2, N=1; 12 bytes of sequence header OBU: its header and 11 bytes of content.
    expect([...(payload ?? [])].slice(0, 3)).toEqual([0x28, 12, 0x08]);
    expect(payload).toHaveLength(1 + 1 + 12 + 1 + 20);
    expect(payload?.[14]).toBe(0x30);
  });

  it('start a keyframe with the sequence header of the track where it has none', () => {
    const frame = depacketize('av1', packetize(true, obu(6, '10', 20)));
    expect(frame.payload.subarray(0, SEQUENCE.length)).toEqual(SEQUENCE);
    expect(frame.config).toEqual(av1Main.config);
    expect(packetize(false, obu(6, '30', 20))).toHaveLength(1);
  });

  it('mark fragments by Z and Y', () => {
    const headers = packetize(false, obu(6, '30', 250)).map((payload) => payload[0]);
    expect(headers).toEqual([0x50, 0xd0, 0x90]);
  });

  it('leave out temporal delimiters and padding', () => {
    const frame = obu(6, '30', 20);
    expect(depacketize('av1', packetize(false, hex('1200'), frame, obu(15, '80', 5))).payload).toEqual(frame);
    expect(packetize(false, hex('1200'))).toEqual([]);
  });

  it('end within an OBU unless they are the last of the frame, so that libwebrtc sees one frame', () => {
    for (let size = 60; size < 130; size += 1) {
      for (const tail of [1, 2, 3, 90, 200]) {
        const payloads = packetize(false, obu(3, '30', size), obu(4, '00', tail), obu(4, '00', size));
        expect(payloads.slice(0, -1).every((payload) => ((payload[0] ?? 0) & 0x40) !== 0)).toBe(true);
        expect(payloads.every(({ length }) => length <= MAX)).toBe(true);
        expect(payloads.map((payload) => startsFrame('av1', payload)).indexOf(true, 1)).toBe(-1);
      }
    }
  });

  it('carry more than three OBUs with a length each', () => {
    const obus = [
      obu(3, '30', 10),
      ...Array.from({ length: 40 }, (_, index) => obu(4, '00', 1 + ((index * 7) % 50), index % 2 === 0 ? 0 : undefined)),
    ];
    const payloads = packetize(false, ...obus);
    expect(payloads.every((payload) => ((payload[0] ?? 0) & 0x30) === 0 && payload.length <= MAX)).toBe(true);
    expect(depacketize('av1', payloads).payload).toEqual(concatenate(obus));
  });
});

describe('depacketizing AV1', () => {
  it('takes lengths of all elements (W=0) and OBUs that kept their size', () => {
    expect(depacketize('av1', [hex('00 04 320230aa 02 2001')]).payload).toEqual(hex('320230aa 220101'));
    expect(depacketize('av1', [hex('10 3002')]).payload).toEqual(hex('320102'));
  });

  it('puts together an OBU over three packets, with others before and behind', () => {
    const payloads = [hex('60 02 1830 2001'), hex('d0 02'), hex('a0 01 03 2004')];
    expect(splitAv1Obus(depacketize('av1', payloads).payload).map((found) => [...found.content])).toEqual([[0x30], [1, 2, 3], [4]]);
  });

  it.each([
    ['an aggregation header alone', ['10']],
    ['fewer elements than announced', ['30 01 30']],
    ['a length past the end', ['20 05 3001']],
    ['an empty element', ['00 00']],
    ['a length without end', ['00 8080']],
    ['a fragment without start', ['90 01']],
    ['a fragment without end', ['50 3001']],
    ['a start where a fragment must go on', ['50 3001', '10 3001']],
    ['a forbidden bit', ['10 b001']],
    ['an OBU size past its element', ['10 320530']],
    ['a sequence header that cannot be read', ['10 08 ff']],
    ['too many OBUs', [`00${'0130'.repeat(4_097)}`]],
  ])('refuses %s', (_, payloads) => {
    expect(() => depacketize('av1', payloads.map(hex))).toThrow(bad);
  });
});

describe('starts of AV1', () => {
  it.each([
    ['a sequence header', '28 02 0800 3010', true, true],
    ['a sequence header without N', '20 02 0800 3010', true, true],
    ['a frame', '10 3030', true, false],
    ['a frame with a length', '00 02 3030', true, false],
    ['a continued fragment', '90 3030', false, false],
    ['a tile group', '10 2000', false, false],
    ['a frame of an upper spatial layer', '10 34 08 30', false, false],
    ['nothing behind the header', '10', false, false],
  ])('are seen in %s', (_, payload, isFrame, isKeyframe) => {
    expect(startsFrame('av1', hex(payload))).toBe(isFrame);
    expect(startsKeyframe('av1', hex(payload))).toBe(isKeyframe);
  });
});

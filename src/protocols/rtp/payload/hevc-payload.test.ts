import { describe, expect, it } from 'vitest';
import { hevcMain, hex } from '../../../media/codecs/samples.fixture.ts';
import { hevcParameterSets, parseHevcConfig, splitNalUnits } from '../../../media/mod.ts';
import { depacketize, startsFrame, startsKeyframe } from './depacketizer.ts';
import { copiesOf, nalFrame, tracks, unit } from './frames.fixture.ts';
import { createPacketizer } from './packetizer.ts';

const MAX = 120;
const packetize = (isKeyframe: boolean, ...units: readonly Uint8Array[]): Uint8Array[] =>
  copiesOf(createPacketizer(tracks.hevc, MAX).packetize({ payload: nalFrame(...units), isKeyframe }));

describe('packets of HEVC', () => {
  it('start a keyframe with the parameter sets of the track in an aggregation packet', () => {
    const payloads = packetize(true, unit('2801 af', 200));
    const sets = hevcParameterSets(hevcMain.config);
    // Type 48, layer 0, TID 1; the VPS has 24 bytes.
    expect([...(payloads[0] ?? [])].slice(0, 4)).toEqual([0x60, 0x01, 0, 24]);
    expect(payloads[0]).toHaveLength(2 + sets.reduce((size, set) => size + 2 + set.length, 0));
    expect(payloads.slice(1).map((payload) => [...payload.subarray(0, 3)])).toEqual([
      [0x62, 0x01, 0x80 | 20],
      [0x62, 0x01, 0x40 | 20],
    ]);
    expect(payloads.slice(1).map(({ length }) => length)).toEqual([102, 102]);
  });

  it('leave out delimiters and filler', () => {
    const slice = unit('0201 d0', 30);
    expect(packetize(false, hex('460150'), slice, hex('4c01ff80'))).toEqual([slice]);
  });

  it('do not repeat parameter sets that are in-band', () => {
    const sets = hevcParameterSets(hevcMain.config);
    const payloads = packetize(true, ...sets, unit('2801 af', 90));
    expect(payloads).toHaveLength(2);
  });
});

describe('depacketizing HEVC', () => {
  it('moves in-band parameter sets into an hvcC', () => {
    const slice = unit('2801 af', 500);
    const frame = depacketize('hevc', packetize(true, slice));
    expect(splitNalUnits(frame.payload)).toEqual([slice]);
    const { frameRate: _, ...expected } = parseHevcConfig(hevcMain.config);
    expect(parseHevcConfig(frame.config ?? new Uint8Array())).toMatchObject(expected);
    expect(hevcParameterSets(frame.config ?? new Uint8Array())).toEqual(hevcParameterSets(hevcMain.config));
  });

  it.each([
    ['a PACI packet', ['6401 0000 01']],
    ['a header alone', ['0201']],
    ['a unit that runs past its aggregation packet', ['6001 0005 0201']],
    ['a fragment without start', ['6201 54 01']],
    ['a fragment without end', ['6201 94 01']],
    ['parameter sets that cannot be read', ['4001 0c', '4201 01', '4401 c1']],
  ])('refuses %s', (_, payloads) => {
    expect(() => depacketize('hevc', payloads.map(hex))).toThrow(expect.objectContaining({ code: 'rtp.bad-hevc-payload' }));
  });
});

describe('starts of HEVC', () => {
  it.each([
    ['an IDR slice segment, the first', '2801 af', true, true],
    ['an IDR slice segment, a later one', '2801 2f', false, false],
    ['a VPS', '4001 0c', true, true],
    ['a PPS', '4401 c1', true, false],
    ['a trailing picture', '0201 d0', true, false],
    ['an aggregation packet of VPS and SPS', '6001 0003 40010c 0003 420101', true, true],
    ['an aggregation packet of prefix SEI and IDR', '6001 0003 4e0101 0003 2801af', true, true],
    ['the first fragment of a CRA picture', '6201 95 af', true, true],
    ['the first fragment of a trailing picture', '6201 81 af', true, false],
    ['a later fragment', '6201 15 af', false, false],
    ['an aggregation packet that is cut', '6001 00', false, false],
  ])('are seen in %s', (_, payload, isFrame, isKeyframe) => {
    expect(startsFrame('hevc', hex(payload))).toBe(isFrame);
    expect(startsKeyframe('hevc', hex(payload))).toBe(isKeyframe);
  });
});

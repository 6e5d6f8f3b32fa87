import { describe, expect, it } from 'vitest';
import { h264Main, hex } from '../../../media/codecs/samples.fixture.ts';
import { parseH264Config, splitNalUnits } from '../../../media/mod.ts';
import { depacketize, startsFrame, startsKeyframe } from './depacketizer.ts';
import { copiesOf, nalFrame, tracks, unit } from './frames.fixture.ts';
import { createPacketizer } from './packetizer.ts';

const MAX = 100;
const { sps, pps } = parseH264Config(h264Main.config);
const packetize = (isKeyframe: boolean, ...units: readonly Uint8Array[]): Uint8Array[] =>
  copiesOf(createPacketizer(tracks.h264, MAX).packetize({ payload: nalFrame(...units), isKeyframe }));
const bad = expect.objectContaining({ code: 'rtp.bad-h264-payload' });

describe('packets of H.264', () => {
  it('start a keyframe with the parameter sets of the track in a STAP-A', () => {
    const payloads = packetize(true, unit('65 88', 150));
    // NRI 3 of the SPS (0x67), type 24; the SPS has 24 bytes and the PPS 5.
    expect([...(payloads[0] ?? [])].slice(0, 3)).toEqual([0x78, 0, 24]);
    expect(payloads[0]).toHaveLength(1 + 2 + 24 + 2 + 5);
    const fragmentHeaders = payloads.slice(1).map((payload) => [payload[0], payload[1]]);
    expect(fragmentHeaders).toEqual([
      [0x7c, 0x85],
      [0x7c, 0x45],
    ]);
    expect(payloads.slice(1).map(({ length }) => length)).toEqual([77, 76]);
  });

  it('do not repeat parameter sets that are in-band, nor put them before interframes', () => {
    expect(packetize(true, ...sps, ...pps, unit('65 88', 50))).toHaveLength(1);
    expect(packetize(false, unit('41 9a', 50))).toEqual([unit('41 9a', 50)]);
  });

  it('leave out delimiters and filler, and keep SEI', () => {
    const slice = unit('41 9a', 20);
    const sei = hex('0605012a80');
    expect(depacketize('h264', packetize(false, hex('09f0'), sei, slice, hex('0cffff80'))).payload).toEqual(nalFrame(sei, slice));
    expect(packetize(false, hex('09f0'))).toEqual([]);
  });

  it('take NRI from the most important unit of a STAP-A', () => {
    const [payload] = packetize(false, unit('01 9a', 20), unit('41 40', 20), unit('01 40', 20));
    expect(payload?.[0]).toBe(0x58);
    expect(payload).toHaveLength(1 + 3 * 22);
  });

  it('come from a packetizer that uses its memory again', () => {
    const packetizer = createPacketizer(tracks.h264, MAX);
    const frame = { payload: nalFrame(unit('41 9a', 500)), isKeyframe: false };
    const first = packetizer.packetize(frame);
    const { bytes } = first;
    expect(packetizer.packetize(frame)).toBe(first);
    expect(first.bytes).toBe(bytes);
    expect(first.count).toBe(6);
  });

  it('grow over the initial memory within one frame of many units', () => {
    const units = Array.from({ length: 400 }, (_, index) => unit('41 9a', 60 + (index % 40), index + 1));
    const frame = depacketize('h264', packetize(false, ...units));
    expect(Buffer.compare(frame.payload, nalFrame(...units))).toBe(0);
  });

  it('grow over the initial memory within one unit', () => {
    const payload = nalFrame(unit('41 9a', 300_000));
    const payloads = copiesOf(createPacketizer(tracks.h264, 1_000).packetize({ payload, isKeyframe: false }));
    expect(Buffer.compare(depacketize('h264', payloads).payload, payload)).toBe(0);
  });
});

describe('depacketizing H.264', () => {
  it('moves in-band parameter sets into an avcC', () => {
    const slice = unit('65 88', 250);
    const frame = depacketize('h264', packetize(true, slice));
    expect(frame.config).toEqual(h264Main.config);
    expect(frame.isKeyframe).toBe(true);
    expect(splitNalUnits(frame.payload)).toEqual([slice]);
  });

  it('gives an empty payload and the avcC for parameter sets alone', () => {
    const frame = depacketize('h264', [...sps, ...pps]);
    expect(frame).toEqual({ payload: new Uint8Array(), isKeyframe: false, config: h264Main.config });
  });

  it('leaves a lone PPS in the frame', () => {
    const frame = depacketize('h264', [...pps, unit('419a', 20)]);
    expect(frame).not.toHaveProperty('config');
    expect(splitNalUnits(frame.payload)).toHaveLength(2);
  });

  it.each([
    ['a STAP-B', ['79 0000 0002 4101']],
    ['an MTAP16', ['7a 0000 0002 4101']],
    ['an FU-B', ['7d 81 0000 01']],
    ['type 0', ['60 01']],
    ['a unit that runs past its STAP-A', ['78 0005 419a']],
    ['an empty unit in a STAP-A', ['78 0000']],
    ['a STAP-A without units', ['78']],
    ['a fragment without start', ['7c 45 01']],
    ['a fragment without end', ['7c 85 01']],
    ['a fragment without content', ['7c 85']],
    ['two starts', ['7c 85 01', '7c 85 01']],
    ['a unit among fragments', ['7c 85 01', '41 9a', '7c 45 01']],
    ['an SPS that cannot be read', ['67 42', '68 ce']],
    ['too many units', Array.from({ length: 4_097 }, () => '41 9a')],
  ])('refuses %s', (_, payloads) => {
    expect(() => depacketize('h264', payloads.map(hex))).toThrow(bad);
  });
});

describe('starts of H.264', () => {
  it.each([
    ['an IDR slice with the first macroblock', '65 88', true, true],
    ['a later IDR slice', '65 40', false, false],
    ['an SPS', '67 4d', true, true],
    ['a PPS', '68 eb', true, false],
    ['a P slice with the first macroblock', '41 9a', true, false],
    ['a STAP-A of SEI and IDR slice', '78 0003 060180 0002 6588', true, true],
    ['a STAP-A of later slices', '78 0002 6540 0002 6520', false, false],
    ['the first fragment of an IDR slice', '7c 85 88', true, true],
    ['a later fragment', '7c 05 88', false, false],
    ['a STAP-A that is cut', '78 00', false, false],
  ])('are seen in %s', (_, payload, isFrame, isKeyframe) => {
    expect(startsFrame('h264', hex(payload))).toBe(isFrame);
    expect(startsKeyframe('h264', hex(payload))).toBe(isKeyframe);
  });
});

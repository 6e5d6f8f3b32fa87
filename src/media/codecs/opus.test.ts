import { describe, expect, it } from 'vitest';
import { fuzz } from './mutations.fixture.ts';
import { buildDOps, buildOpusHead, isOpusHead, opusPacketSamples, parseOpusConfig } from './opus.ts';
import { hex, opusSamples } from './samples.fixture.ts';

describe('parseOpusConfig', () => {
  it.each([
    ['stereo', opusSamples.head, opusSamples.dOps, { channels: 2, preSkip: 312, inputSampleRate: 48_000, mappingFamily: 0 }],
    ['5.1', opusSamples.surroundHead, opusSamples.surroundDOps, { channels: 6, mappingFamily: 1, mapping: hex('0402000401020305') }],
  ])('reads OpusHead and dOps of %s alike and makes each from the other', (_, head, dOps, expected) => {
    expect([isOpusHead(head), isOpusHead(dOps)]).toEqual([true, false]);
    expect(parseOpusConfig(head)).toMatchObject(expected);
    expect(parseOpusConfig(dOps)).toEqual(parseOpusConfig(head));
    expect(buildDOps(parseOpusConfig(head))).toEqual(dOps);
    expect(buildOpusHead(parseOpusConfig(dOps))).toEqual(head);
  });

  it('keeps a negative gain', () => {
    const config = { ...parseOpusConfig(opusSamples.dOps), outputGain: -256 };
    expect(parseOpusConfig(buildDOps(config)).outputGain).toBe(-256);
    expect(parseOpusConfig(buildOpusHead(config)).outputGain).toBe(-256);
  });

  it.each([
    ['an unknown version', hex('010201380000bb80000000')],
    ['no channels', hex('000001380000bb80000000')],
    ['six channels without a mapping', hex('000601380000bb80000000')],
    ['a cut mapping', opusSamples.surroundDOps.subarray(0, 15)],
    ['a cut head', opusSamples.head.subarray(0, 12)],
  ])('refuses %s', (_, record) => {
    expect(() => parseOpusConfig(record)).toThrow(expect.objectContaining({ code: 'media.bad-opus-config' }));
  });
});

describe('opusPacketSamples', () => {
  it.each([
    ['20 ms CELT', opusSamples.packet20Ms, 960],
    ['60 ms in three frames', opusSamples.packet60Ms, 2_880],
    ['2.5 ms CELT', hex('80'), 120],
    ['10 ms SILK', hex('00'), 480],
    ['60 ms SILK', hex('18'), 2_880],
    ['20 ms hybrid, twice', hex('69'), 1_920],
    ['two frames of different size', hex('82'), 240],
    ['120 ms in six frames', hex('fb06'), 5_760],
  ])('reads %s', (_, packet, samples) => {
    expect(opusPacketSamples(packet)).toBe(samples);
  });

  it.each([
    ['nothing', hex('')],
    ['no frame count', hex('ff')],
    ['no frames', hex('ff00')],
    ['more than 120 ms', hex('fb07')],
  ])('refuses %s', (_, packet) => {
    expect(() => opusPacketSamples(packet)).toThrow(expect.objectContaining({ code: 'media.bad-opus-packet' }));
  });
});

describe('hostile bytes', () => {
  it('never make the parsers fail otherwise than by ProtocolError', () => {
    fuzz(Object.values(opusSamples), (bytes) => buildDOps(parseOpusConfig(bytes)));
    fuzz(Object.values(opusSamples), opusPacketSamples);
  });
});

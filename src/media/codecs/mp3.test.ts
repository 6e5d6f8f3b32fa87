import { describe, expect, it } from 'vitest';
import { parseMp3Header } from './mp3.ts';
import { fuzz } from './mutations.fixture.ts';
import { hex, mp3Samples } from './samples.fixture.ts';

describe('parseMp3Header', () => {
  it.each([
    ['MPEG-1', mp3Samples.mpeg1, { version: '1', sampleRate: 44_100, channels: 2, samplesPerFrame: 1152, bitrateBps: 128_000 }],
    ['MPEG-1 with padding', mp3Samples.mpeg1Padded, { version: '1', sampleRate: 44_100 }],
    ['MPEG-2', mp3Samples.mpeg2, { version: '2', sampleRate: 22_050, channels: 1, samplesPerFrame: 576, bitrateBps: 32_000 }],
    ['MPEG-2.5', mp3Samples.mpeg25, { version: '2.5', sampleRate: 8_000, channels: 1, samplesPerFrame: 576, bitrateBps: 8_000 }],
  ])('reads %s', (_, { frame, frameBytes }, expected) => {
    expect(parseMp3Header(frame)).toMatchObject({ frameBytes, ...expected });
  });

  it.each([
    ['no sync', hex('fefb9064')],
    ['a reserved version', hex('ffeb9064')],
    ['layer II', hex('fffd9064')],
    ['free format', hex('fffb0064')],
    ['a reserved bitrate', hex('fffbf064')],
    ['a reserved frequency', hex('fffb9c64')],
    ['a cut header', hex('fffb90')],
  ])('refuses %s', (_, frame) => {
    expect(() => parseMp3Header(frame)).toThrow(expect.objectContaining({ code: 'media.bad-mp3-header' }));
  });

  it('lets hostile bytes fail by ProtocolError only', () => {
    fuzz(
      Object.values(mp3Samples).map((sample) => sample.frame),
      parseMp3Header,
    );
  });
});

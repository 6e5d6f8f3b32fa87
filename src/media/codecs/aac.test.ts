import { describe, expect, it } from 'vitest';
import { parseAacConfig, parseAdtsHeader } from './aac.ts';
import { fuzz } from './mutations.fixture.ts';
import { aacSamples, hex } from './samples.fixture.ts';

describe('parseAacConfig', () => {
  it.each([
    [
      'stereo with a sync extension without SBR',
      aacSamples.stereo,
      { sampleRate: 48_000, channels: 2, codecString: 'mp4a.40.2', hasSbr: false },
    ],
    ['5.1', aacSamples.surround, { sampleRate: 44_100, channels: 6, codecString: 'mp4a.40.2', frameLength: 1024 }],
    ['channels in a program_config_element', aacSamples.programConfig, { sampleRate: 48_000, channels: 4, codecString: 'mp4a.40.2' }],
    ['mono of two bytes', hex('1208'), { sampleRate: 44_100, channels: 1, objectType: 2 }],
    ['frames of 960 samples', hex('1194'), { frameLength: 960 }],
    ['channelConfiguration 7', hex('11b8'), { channels: 8 }],
    // 00010 1111 + 24 bits 44,056 + 0010 + 000
    ['an explicit frequency', hex('1780560c10'), { sampleRate: 44_056, channels: 2 }],
  ])('reads %s', (_, config, expected) => {
    expect(parseAacConfig(config)).toMatchObject(expected);
  });

  it('reads hierarchical SBR: HE-AAC at 24,000 Hz that plays at 48,000 Hz', () => {
    // 00101 0110 0010 0011 00010 000
    expect(parseAacConfig(hex('2b118800'))).toMatchObject({
      objectType: 2,
      coreSampleRate: 24_000,
      sampleRate: 48_000,
      channels: 2,
      hasSbr: true,
      hasPs: false,
      codecString: 'mp4a.40.5',
    });
  });

  it('reads hierarchical parametric stereo: HE-AAC v2 is stereo from one channel', () => {
    // 11101 0110 0001 0011 00010 000
    expect(parseAacConfig(hex('eb098800'))).toMatchObject({ sampleRate: 48_000, channels: 2, hasPs: true, codecString: 'mp4a.40.29' });
  });

  it('reads backward compatible SBR and PS', () => {
    // 00010 0110 0010 000, 01010110111 00101 1 0011
    expect(parseAacConfig(hex('131056e598'))).toMatchObject({ sampleRate: 48_000, channels: 2, hasSbr: true, codecString: 'mp4a.40.5' });
    // 00010 0110 0001 000, 01010110111 00101 1 0011, 10101001000 1
    expect(parseAacConfig(hex('130856e59d4880'))).toMatchObject({
      sampleRate: 48_000,
      channels: 2,
      hasPs: true,
      codecString: 'mp4a.40.29',
    });
  });

  it.each([
    ['an empty record', hex('')],
    ['a cut record', hex('12')],
    ['an object type behind the escape (42, xHE-AAC)', hex('f94a2100')],
    ['a reserved frequency index', hex('1690')],
    ['a reserved channelConfiguration', hex('11c8')],
    ['an explicit frequency of 0', hex('1780000010')],
  ])('refuses %s', (_, config) => {
    expect(() => parseAacConfig(config)).toThrow(expect.objectContaining({ code: 'media.bad-aac-config' }));
  });

  it('says what to send instead of an object type it does not take', () => {
    expect(() => parseAacConfig(hex('f94a2100'))).toThrow(/object type 42 .* AAC-LC/);
  });
});

describe('parseAdtsHeader', () => {
  it('reads sizes and makes the AudioSpecificConfig that says the same', () => {
    const header = parseAdtsHeader(aacSamples.adts);
    expect(header).toMatchObject({ headerBytes: 7, frameBytes: 11, blocks: 1, sampleRate: 44_100, channels: 1 });
    expect(parseAacConfig(header.config)).toMatchObject({ sampleRate: 44_100, channels: 1, codecString: 'mp4a.40.2' });
  });

  it.each([
    ['no syncword', hex('aff15040017ffc')],
    ['a layer', hex('fff75040017ffc')],
    ['a frame shorter than its header', hex('fff15040007ffc')],
    ['a cut header', hex('fff15040')],
  ])('refuses %s', (_, bytes) => {
    expect(() => parseAdtsHeader(bytes)).toThrow(expect.objectContaining({ code: 'media.bad-adts-header' }));
  });
});

describe('hostile bytes', () => {
  it('never make the configuration parser fail otherwise than by ProtocolError', () => {
    fuzz([aacSamples.stereo, aacSamples.programConfig, hex('2b118800'), hex('130856e59d4880')], parseAacConfig);
  });
  it('never make the ADTS parser fail otherwise than by ProtocolError', () => fuzz([aacSamples.adts], parseAdtsHeader));
});

import { describe, expect, it } from 'vitest';
import {
  audioFrameTicks,
  audioTrack,
  isKeyframe,
  needsKeyframe,
  payloadLengthSize,
  sameConfiguration,
  toTrackPayload,
  videoTrack,
} from './describe.ts';
import { fuzz } from './mutations.fixture.ts';
import {
  aacSamples,
  av1Main,
  h264Main,
  hevcMain,
  hevcMain10,
  hex,
  mp3Samples,
  opusSamples,
  vp8Frames,
  vp9Profile0,
} from './samples.fixture.ts';

const none = new Uint8Array();

describe('videoTrack', () => {
  it('describes H.264 completely and copies the record', () => {
    const record = h264Main.config.slice();
    const track = videoTrack(1, 'h264', record);
    expect(track).toEqual({
      kind: 'video',
      id: 1,
      codec: 'h264',
      timescale: 90_000,
      config: h264Main.config,
      codecString: 'avc1.4d400d',
      width: 322,
      height: 182,
      frameRate: 30,
    });
    record.fill(0);
    expect(track.config).toEqual(h264Main.config);
  });

  it.each([
    ['hevc', hevcMain.config, undefined, 'hvc1.1.6.L60.90'],
    ['hevc', hevcMain10.config, undefined, 'hvc1.2.4.L60.90'],
    ['av1', av1Main.config, undefined, 'av01.0.00M.08'],
    ['av1', hex('81000c00'), av1Main.keyframe, 'av01.0.00M.08'],
    ['vp9', vp9Profile0.config, vp9Profile0.keyframe, 'vp09.00.11.08'],
    ['vp9', none, vp9Profile0.keyframe, 'vp09.00.20.08'],
    ['vp8', none, vp8Frames.keyframe, 'vp08.00.20.08'],
  ] as const)('describes %s', (codec, config, keyframe, codecString) => {
    expect(videoTrack(1, codec, config, keyframe)).toMatchObject({ codec, codecString, width: 322, height: 182 });
  });

  it('makes a record of 4-byte lengths from one of 2-byte lengths, and payloads to fit', () => {
    const record = h264Main.config.slice();
    record[4] = 0xfd;
    expect(payloadLengthSize('h264', record)).toBe(2);
    expect(videoTrack(1, 'h264', record).config).toEqual(h264Main.config);
    expect(toTrackPayload('h264', hex('0002 6588'), 2)).toEqual(hex('00000002 6588'));
  });

  it('says when it needs a keyframe', () => {
    expect(needsKeyframe('vp9', vp9Profile0.config)).toBe(true);
    expect(needsKeyframe('av1', av1Main.config)).toBe(false);
    expect(needsKeyframe('av1', hex('81000c00'))).toBe(true);
    expect(needsKeyframe('h264', h264Main.config)).toBe(false);
    expect(() => videoTrack(1, 'vp9', vp9Profile0.config)).toThrow(/a keyframe is needed/);
  });

  it.each(['h264', 'hevc', 'av1', 'vp8', 'vp9'] as const)('gives every bad %s record the same code', (codec) => {
    for (const bytes of [none, hex('01'), hex('ffffffffffffffffffffff'), new Uint8Array(65_537)]) {
      expect(() => videoTrack(1, codec, bytes, hex('00'))).toThrow(expect.objectContaining({ code: `media.bad-${codec}-config` }));
    }
  });
});

describe('audioTrack', () => {
  it('describes AAC', () => {
    expect(audioTrack(2, 'aac', aacSamples.stereo)).toEqual({
      kind: 'audio',
      id: 2,
      codec: 'aac',
      timescale: 48_000,
      config: aacSamples.stereo,
      codecString: 'mp4a.40.2',
      sampleRate: 48_000,
      channels: 2,
    });
  });

  it('describes Opus by its dOps content, from an OpusHead too', () => {
    const expected = { codec: 'opus', config: opusSamples.dOps, codecString: 'opus', timescale: 48_000, sampleRate: 48_000, channels: 2 };
    expect(audioTrack(2, 'opus', opusSamples.head)).toMatchObject(expected);
    expect(audioTrack(2, 'opus', opusSamples.dOps)).toMatchObject(expected);
  });

  it('describes MP3 by its first frame', () => {
    const expected = { codec: 'mp3', config: none, codecString: 'mp4a.40.34', timescale: 44_100, channels: 2 };
    expect(audioTrack(2, 'mp3', mp3Samples.mpeg1.frame)).toMatchObject(expected);
  });

  it.each(['aac', 'opus', 'mp3'] as const)('gives every bad %s header the same code', (codec) => {
    for (const bytes of [none, hex('ff'), new Uint8Array(65_537)]) {
      expect(() => audioTrack(2, codec, bytes)).toThrow(expect.objectContaining({ code: `media.bad-${codec}-config` }));
    }
  });
});

describe('audioFrameTicks', () => {
  it.each([
    ['AAC', audioTrack(2, 'aac', aacSamples.stereo), aacSamples.frame, 1_024],
    ['HE-AAC at its output rate', audioTrack(2, 'aac', hex('2b118800')), aacSamples.frame, 2_048],
    ['Opus', audioTrack(2, 'opus', opusSamples.head), opusSamples.packet60Ms, 2_880],
    ['MP3', audioTrack(2, 'mp3', mp3Samples.mpeg2.frame), mp3Samples.mpeg2.frame, 576],
  ])('tells how long a frame of %s lasts', (_, track, payload, ticks) => {
    expect(audioFrameTicks(track, payload)).toBe(ticks);
    expect(audioFrameTicks(track, payload)).toBe(ticks);
  });
});

describe('isKeyframe', () => {
  it.each([
    ['h264', h264Main],
    ['hevc', hevcMain],
    ['av1', av1Main],
    ['vp8', vp8Frames],
    ['vp9', vp9Profile0],
  ] as const)('tells keyframes of %s from others', (codec, { keyframe, interframe }) => {
    expect([isKeyframe(codec, keyframe), isKeyframe(codec, interframe)]).toEqual([true, false]);
  });
});

describe('sameConfiguration', () => {
  it('is true for equal records and false for any difference', () => {
    const video = videoTrack(1, 'h264', h264Main.config);
    const audio = audioTrack(2, 'aac', aacSamples.stereo);
    expect(sameConfiguration(video, videoTrack(1, 'h264', h264Main.config))).toBe(true);
    expect(sameConfiguration(video, videoTrack(3, 'h264', h264Main.config))).toBe(false);
    expect(sameConfiguration(video, videoTrack(1, 'hevc', hevcMain.config))).toBe(false);
    expect(sameConfiguration(video, audio)).toBe(false);
    expect(sameConfiguration(audio, audioTrack(2, 'aac', aacSamples.surround))).toBe(false);
    const mono = mp3Samples.mpeg2.frame;
    expect(sameConfiguration(audioTrack(2, 'mp3', mono), audioTrack(2, 'mp3', mp3Samples.mpeg1.frame))).toBe(false);
  });
});

describe('hostile bytes', () => {
  it('never make a track description fail otherwise than by ProtocolError', () => {
    const video = [h264Main.config, hevcMain.config, av1Main.config, vp9Profile0.config];
    for (const codec of ['h264', 'hevc', 'av1', 'vp8', 'vp9'] as const) {
      fuzz(video, (bytes) => videoTrack(1, codec, bytes, vp9Profile0.keyframe));
    }
    const audio = [aacSamples.stereo, opusSamples.head, mp3Samples.mpeg1.frame];
    for (const codec of ['aac', 'opus', 'mp3'] as const) fuzz(audio, (bytes) => audioTrack(2, codec, bytes));
  });
});

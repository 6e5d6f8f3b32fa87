import { describe, expect, it } from 'vitest';
import { aacSamples, h264Main, hevcMain, opusSamples } from '../media/codecs/samples.fixture.ts';
import { audioTrack, videoTrack } from '../media/mod.ts';
import { codecRefusal, enhancedRefusal, sentTracks } from './target-tracks.ts';

const h264 = videoTrack(1, 'h264', h264Main.config);
const hevc = videoTrack(1, 'hevc', hevcMain.config);
const aac = audioTrack(2, 'aac', aacSamples.stereo);
const opus = audioTrack(2, 'opus', opusSamples.head);

describe('what targets take', () => {
  it('is the first track of each kind, pictures first', () => {
    expect(sentTracks([aac, { ...aac, id: 3 }, h264, { ...hevc, id: 4 }])).toEqual([h264, aac]);
  });

  it('is H.264 and Opus by WHIP', () => {
    expect(codecRefusal('whip', [h264, opus])).toBeUndefined();
    expect(codecRefusal('whip', [hevc, aac])).toEqual({
      code: 'targets.codec',
      message: expect.stringMatching(/^hevc and aac: not carried by WHIP/),
    });
  });

  it('is what MPEG-TS has by SRT', () => {
    expect(codecRefusal('srt', [hevc, opus])).toBeUndefined();
    expect(codecRefusal('srt', [{ ...h264, codec: 'vp9' }, aac])?.message).toMatch(/^vp9: not carried by MPEG-TS/);
  });

  it('is what the peer says by Enhanced RTMP, and the old ones by plain RTMP', () => {
    const none = new Set<string>();
    expect(enhancedRefusal([h264, aac], none)).toBeUndefined();
    expect(enhancedRefusal([hevc, opus], none)?.message).toMatch(/^hevc and opus: only carried by Enhanced RTMP/);
    expect(enhancedRefusal([hevc, aac], new Set(['hvc1']))).toBeUndefined();
    expect(enhancedRefusal([hevc, opus], new Set(['hvc1']))?.message).toMatch(/^opus: /);
    expect(enhancedRefusal([hevc, opus], new Set(['*']))).toBeUndefined();
  });
});

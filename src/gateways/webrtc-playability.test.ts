import { describe, expect, it } from 'vitest';
import { aacSamples, h264HighReordered, h264Main, hevcMain, hevcReordered, opusSamples } from '../media/codecs/samples.fixture.ts';
import { type AudioTrack, audioTrack, videoTrack } from '../media/mod.ts';
import { playabilityWith, webrtcPlayability } from './webrtc-playability.ts';

const h264 = videoTrack(1, 'h264', h264Main.config);
const opus = audioTrack(2, 'opus', opusSamples.head);

describe('webrtcPlayability', () => {
  it('is yes for pictures without B-frames and for Opus', () => {
    expect(webrtcPlayability([h264, opus], false)).toEqual({ video: { playable: true }, audio: { playable: true } });
    expect(webrtcPlayability([videoTrack(1, 'hevc', hevcMain.config)], false).video).toEqual({ playable: true });
  });

  it('says nothing of a kind that the stream does not have', () => {
    expect(webrtcPlayability([h264], false)).toEqual({ video: { playable: true } });
    expect(webrtcPlayability([], true)).toEqual({});
  });

  it.each([
    ['H.264', 'h264', h264HighReordered],
    ['HEVC', 'hevc', hevcReordered],
  ] as const)('is no for %s whose configuration announces B-frames', (_, codec, config) => {
    expect(webrtcPlayability([videoTrack(1, codec, config), opus], false)).toMatchObject({
      video: { playable: false, reason: 'b-frames', message: expect.stringContaining('encoder') },
      audio: { playable: true },
    });
  });

  it('is no where B-frames were seen, whatever the configuration says, and that is about the pictures alone', () => {
    expect(webrtcPlayability([h264, opus], true)).toMatchObject({
      video: { playable: false, reason: 'b-frames' },
      audio: { playable: true },
    });
  });

  it('believes in no B-frames while nobody tells', () => {
    const silent = { ...h264, config: Uint8Array.of(1, 100, 0, 30) };
    expect(webrtcPlayability([silent], false).video).toEqual({ playable: true });
  });

  it('is no for AAC, MP3 and Opus of more than two channels', () => {
    const aac = audioTrack(2, 'aac', aacSamples.stereo);
    expect(webrtcPlayability([aac], false).audio).toMatchObject({
      playable: false,
      reason: 'codec',
      message: expect.stringContaining('AAC'),
    });
    const mp3: AudioTrack = { ...aac, codec: 'mp3' };
    expect(webrtcPlayability([mp3], false).audio).toMatchObject({ reason: 'codec', message: expect.stringContaining('MP3') });
    const surround: AudioTrack = { ...(opus as AudioTrack), channels: 6 };
    expect(webrtcPlayability([surround], false).audio).toMatchObject({ reason: 'codec', message: expect.stringContaining('6 channels') });
  });
});

describe('playabilityWith', () => {
  const own = webrtcPlayability([videoTrack(1, 'h264', h264HighReordered), audioTrack(2, 'aac', aacSamples.stereo)], false);
  const pictures = { name: 'webrtc', kind: 'video', expected: { codec: 'h264' } } as const;
  const sound = { name: 'opus', kind: 'audio', expected: { codec: 'opus' } } as const;

  it('fills what a stream lacks with renditions', () => {
    expect(playabilityWith(own, [sound, pictures])).toEqual({
      video: { playable: true, rendition: 'webrtc' },
      audio: { playable: true, rendition: 'opus' },
    });
  });

  it('says why a rendition that would have filled it is not there', () => {
    const { video, audio } = playabilityWith(own, [sound], [{ ...pictures, reason: 'the limit is reached' }]);
    expect(video).toMatchObject({
      playable: false,
      reason: 'b-frames',
      message: expect.stringMatching(/webrtc .* but the limit is reached$/),
    });
    expect(audio).toEqual({ playable: true, rendition: 'opus' });
  });
});

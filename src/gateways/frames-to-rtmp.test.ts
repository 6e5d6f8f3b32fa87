import { describe, expect, it } from 'vitest';
import { parseOnMetaData } from '../containers/mod.ts';
import { mediaTime, wallMs } from '../core/mod.ts';
import { aacSamples, h264Main, hevcMain } from '../media/codecs/samples.fixture.ts';
import { audioTrack, type Frame, type SegmentStamp, type Track, videoTrack } from '../media/mod.ts';
import { FramesToRtmp } from './frames-to-rtmp.ts';

const h264 = videoTrack(1, 'h264', h264Main.config);
const aac = audioTrack(2, 'aac', aacSamples.stereo);
const segment: SegmentStamp = {
  sequence: 1,
  discontinuity: 0,
  startMs: wallMs(0),
  targetDurationS: 2,
  partTargetMs: 500,
  tracks: [h264, aac],
};

function frame(track: Track, ms: number, compositionMs = 0): Frame {
  const at = (time: number) => mediaTime(Math.round((time * track.timescale) / 1000));
  const payload = new Uint8Array(10).fill(3);
  return { track, dts: at(ms), pts: at(ms + compositionMs), isKeyframe: true, payload, segment, part: 0, startsPart: true, receivedMs: 0 };
}

function publisher(tracks: readonly Track[]): { frames: FramesToRtmp; sent: [kind: string, timestamp: number, body: Uint8Array][] } {
  const sent: [string, number, Uint8Array][] = [];
  const frames = new FramesToRtmp({ media: (kind, timestamp, body) => sent.push([kind, timestamp, body]) });
  frames.tracks(tracks);
  return { frames, sent };
}

describe('the messages of an RTMP publisher', () => {
  it('begin at 0 with metadata and the configurations', () => {
    const { frames, sent } = publisher([h264, aac]);
    frames.frame(frame(h264, 5000, 40));
    frames.frame(frame(aac, 4990));
    frames.frame(frame(h264, 5033));
    expect(sent.map(([kind, time]) => [kind, time])).toEqual([
      ['data', 0],
      ['video', 0],
      ['audio', 0],
      ['video', 0],
      ['audio', 0],
      ['video', 33],
    ]);
    expect(parseOnMetaData(sent[0]?.[2] ?? new Uint8Array())?.get('videocodecid')).toBe(7);
    expect(sent[1]?.[2].subarray(0, 2)).toEqual(Uint8Array.of(0x17, 0));
    expect(sent[2]?.[2].subarray(0, 2)).toEqual(Uint8Array.of(0xaf, 0));
    expect(sent[3]?.[2].subarray(0, 5)).toEqual(Uint8Array.of(0x17, 1, 0, 0, 40));
  });

  it('tell other tracks when they come, and time goes on', () => {
    const { frames, sent } = publisher([h264]);
    frames.frame(frame(h264, 100));
    frames.tracks([videoTrack(1, 'hevc', hevcMain.config)]);
    frames.frame(frame(videoTrack(1, 'hevc', hevcMain.config), 200));
    expect(sent.map(([kind, time]) => [kind, time])).toEqual([
      ['data', 0],
      ['video', 0],
      ['video', 0],
      ['data', 100],
      ['video', 100],
      ['video', 100],
    ]);
    expect(String.fromCharCode(...(sent[4]?.[2].subarray(1, 5) ?? []))).toBe('hvc1');
  });
});

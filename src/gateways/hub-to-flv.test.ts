import { describe, expect, it } from 'vitest';
import { FlvDemuxer, type FlvTag, type MediaMessage, parseAudioTagBody, parseVideoTagBody } from '../containers/mod.ts';
import { mediaTime, sizeBytes, wallMs } from '../core/mod.ts';
import { aacSamples, h264Main, hevcMain, opusSamples } from '../media/codecs/samples.fixture.ts';
import { audioTrack, type Frame, type SegmentStamp, type Track, videoTrack } from '../media/mod.ts';
import { HubToFlv, type HubToFlvOptions } from './hub-to-flv.ts';

const h264 = videoTrack(1, 'h264', h264Main.config);
const hevc = videoTrack(1, 'hevc', hevcMain.config);
const aac = audioTrack(2, 'aac', aacSamples.stereo);
const opus = audioTrack(2, 'opus', opusSamples.head);
const segment: SegmentStamp = {
  sequence: 1,
  discontinuity: 0,
  startMs: wallMs(0),
  targetDurationS: 2,
  partTargetMs: 500,
  tracks: [h264, aac],
};

function frame(track: Track, ms: number, isKeyframe = true, compositionMs = 0, size = 10): Frame {
  const at = (time: number) => mediaTime(Math.round((time * track.timescale) / 1000));
  const payload = new Uint8Array(size).fill(ms);
  return { track, dts: at(ms), pts: at(ms + compositionMs), isKeyframe, payload, segment, part: 0, startsPart: isKeyframe, receivedMs: 0 };
}
function packager(options?: Partial<HubToFlvOptions>): { flv: HubToFlv; units: Uint8Array[]; starts: boolean[]; calls: string[] } {
  const units: Uint8Array[] = [];
  const starts: boolean[] = [];
  const calls: string[] = [];
  const out = {
    unit: (bytes: Uint8Array, startsGop: boolean) => {
      units.push(bytes);
      starts.push(startsGop);
    },
    paused: () => calls.push('paused'),
    ended: () => calls.push('ended'),
  };
  return { flv: new HubToFlv(out, options), units, starts, calls };
}
function tagsOf(pieces: readonly Uint8Array[]): FlvTag[] {
  const tags: FlvTag[] = [];
  const demuxer = new FlvDemuxer({ header: () => undefined, tag: (tag) => tags.push(tag) });
  for (const piece of pieces) demuxer.receive(piece);
  return tags;
}
function messagesOf(tags: readonly FlvTag[]): MediaMessage[] {
  const messages: MediaMessage[] = [];
  for (const { type, body } of tags) {
    if (type === 'video') parseVideoTagBody(body, (message) => messages.push(message));
    if (type === 'audio') parseAudioTagBody(body, (message) => messages.push(message));
  }
  return messages;
}

describe('HubToFlv', () => {
  it('makes a file that reads back as the same stream', () => {
    const { flv, units } = packager();
    flv.tracks([h264, aac]);
    flv.frame(frame(h264, 1000, true, 80));
    flv.frame(frame(aac, 1010));
    flv.frame(frame(h264, 1040, false, -40));
    const tags = tagsOf(units);
    expect(tags.map(({ type, timestampMs }) => [type, timestampMs])).toEqual([
      ['script', 0],
      ['video', 0],
      ['audio', 0],
      ['video', 1000],
      ['audio', 1010],
      ['video', 1040],
    ]);
    expect(messagesOf(tags)).toMatchObject([
      { kind: 'video-config', config: h264Main.config },
      { kind: 'audio-config', config: aacSamples.stereo },
      { kind: 'video-frame', isKeyframe: true, compositionTimeMs: 80, payload: new Uint8Array(10).fill(1000) },
      { kind: 'audio-frame', payload: new Uint8Array(10).fill(1010) },
      { kind: 'video-frame', isKeyframe: false, compositionTimeMs: -40 },
    ]);
  });

  it('gives a joining viewer headers and the GOP so far, in the bytes that the others got', () => {
    const { flv, units, starts } = packager();
    expect(flv.preamble()).toEqual([]);
    flv.tracks([h264, aac]);
    for (const [ms, key] of [
      [0, true],
      [40, false],
      [80, true],
      [120, false],
    ] as const)
      flv.frame(frame(h264, ms, key));
    flv.frame(frame(aac, 130));
    const preamble = flv.preamble();
    expect(tagsOf(preamble).map((tag) => tag.timestampMs)).toEqual([0, 0, 0, 80, 120, 130]);
    expect(preamble.slice(1).every((unit, index) => unit === units[index + 3])).toBe(true);
    expect(starts).toEqual([true, true, false, true, false, false]);
  });

  it('forgets a GOP that grows past its bound, and keeps the next', () => {
    const { flv } = packager({ gopCacheBytesMax: sizeBytes(1000) });
    flv.tracks([h264]);
    for (const ms of [0, 40, 80]) flv.frame(frame(h264, ms, ms === 0, 0, 300));
    expect(flv.preamble()).toHaveLength(1);
    flv.frame(frame(h264, 120, false));
    expect(flv.preamble()).toHaveLength(1);
    flv.frame(frame(h264, 160));
    expect(flv.preamble()).toHaveLength(2);
  });

  it('sends new headers once when tracks change, and has them ready for viewers that skipped them', () => {
    const { flv, units, starts } = packager();
    expect(flv.headers()).toHaveLength(0);
    flv.tracks([h264, aac]);
    flv.frame(frame(h264, 1000));
    flv.tracks([hevc, opus]);
    expect(flv.preamble()).toHaveLength(1);
    for (const ms of [1040, 1080]) flv.frame(frame(hevc, ms));
    expect(starts).toEqual([true, true, true, true, true]);
    const kindsOf = (unit: Uint8Array) => messagesOf(tagsOf([flv.preamble()[0]!.subarray(0, 13), unit])).map((message) => message.kind);
    const headers = ['video-config', 'audio-config'];
    expect(units.slice(2).map(kindsOf)).toEqual([headers, ['video-frame'], ['video-frame']]);
    expect(flv.headers()).toBe(units[2]);
  });

  it('writes Enhanced RTMP for newer codecs and wraps timestamps', () => {
    const { flv, units } = packager();
    flv.tracks([hevc, opus]);
    flv.frame(frame(hevc, 2 ** 32 + 7, true, 0));
    flv.frame(frame(hevc, 2 ** 32 + 47, false, 40));
    flv.frame(frame(opus, 2 ** 32 + 50));
    expect(
      tagsOf(units)
        .slice(3)
        .map((tag) => [tag.timestampMs, tag.body[0]]),
    ).toEqual([
      [7, 0x93],
      [47, 0xa1],
      [50, 0x91],
    ]);
  });

  it('starts sound without picture at parts', () => {
    const { flv, starts } = packager();
    flv.tracks([aac]);
    flv.frame(frame(aac, 0));
    flv.frame({ ...frame(aac, 21), startsPart: false });
    expect(starts).toEqual([true, true, false]);
    expect(flv.preamble()).toHaveLength(3);
    expect(flv.preamble()[0]?.[4]).toBe(4);
  });

  it('passes pause and end on, and ignores other tracks', () => {
    const { flv, calls, units } = packager();
    flv.tracks([h264, aac]);
    flv.frame(frame({ ...aac, id: 9 }, 0));
    flv.paused();
    flv.ended();
    expect(calls).toEqual(['paused', 'ended']);
    expect(units).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { mediaTime, monotonicMs, wallMs } from '../core/mod.ts';
import { av1Main, h264Baseline1080, h264Main, hevcMain, opusSamples, vp8Frames, vp9Profile0 } from '../media/codecs/samples.fixture.ts';
import {
  audioTrack,
  type Frame,
  hevcParameterSets,
  parseH264Config,
  type SegmentStamp,
  type SourceFrame,
  type Track,
  videoTrack,
} from '../media/mod.ts';
import type { RtpCodec } from '../protocols/rtp/mod.ts';
import { copiesOf } from '../protocols/rtp/payload/frames.fixture.ts';
import { HubToRtp } from './hub-to-rtp.ts';
import { RtpToHub } from './rtp-to-hub.ts';

const now = monotonicMs(5);
const wall = wallMs(1_800_000_000_000);
const idr = Uint8Array.of(0x65, 1, 2, 3);
const slice = Uint8Array.of(0x41, 4, 5);

function setUp() {
  const frames: SourceFrame[] = [];
  const warnings: string[] = [];
  const toHub = new RtpToHub({ write: (frame) => frames.push(frame) }, (code) => warnings.push(code));
  const put = (codec: RtpCodec, payloads: readonly Uint8Array[], pts = 0): boolean =>
    toHub.frame({ codec, payloads, pts: mediaTime(pts) }, now, wall);
  return { toHub, put, frames, warnings };
}

const h264Sets = (config: Uint8Array): Uint8Array[] => {
  const { sps, pps } = parseH264Config(config);
  return [...sps, ...pps];
};
const size = (frame: SourceFrame | undefined): number => (frame?.track.kind === 'video' ? frame.track.width : 0);

describe('RtpToHub', () => {
  it('makes a track of the parameter sets before the keyframe', () => {
    const { put, frames } = setUp();
    put('h264', [...h264Sets(h264Main.config), idr], 90_000);
    put('h264', [slice], 93_000);
    expect(frames.map(({ pts, dts, isKeyframe, payload }) => [pts, dts, isKeyframe, payload.length])).toEqual([
      [90_000, 90_000, true, 4 + idr.length],
      [93_000, 93_000, false, 4 + slice.length],
    ]);
    expect(frames[0]?.track).toMatchObject({ id: 1, codec: 'h264', width: videoTrack(1, 'h264', h264Main.config).width });
    expect(frames[1]?.track).toBe(frames[0]?.track);
  });

  it('keeps parameter sets that come alone for the keyframe behind them', () => {
    const { put, frames } = setUp();
    expect(put('h264', h264Sets(h264Main.config), 0)).toBe(true);
    expect(frames).toEqual([]);
    put('h264', [idr], 0);
    expect(frames).toHaveLength(1);
    expect(size(frames[0])).toBeGreaterThan(0);
  });

  it('counts what comes before any configuration', () => {
    const { toHub, put, frames } = setUp();
    put('h264', [slice]);
    put('h264', [idr]);
    expect(frames).toEqual([]);
    expect(toHub.stats().framesBeforeConfig).toBe(2);
  });

  it('keeps the track while the configuration stays, and takes a new one when the size changes', () => {
    const { put, frames } = setUp();
    const first = [...h264Sets(h264Main.config), idr];
    put('h264', first, 0);
    put('h264', first, 3_000);
    put('h264', [idr], 6_000);
    put('h264', [...h264Sets(h264Baseline1080), idr], 9_000);
    put('h264', [slice], 12_000);
    const tracks = frames.map(({ track }) => track);
    expect(tracks[1]).toBe(tracks[0]);
    expect(tracks[2]).toBe(tracks[0]);
    expect(tracks[3]).not.toBe(tracks[0]);
    expect(tracks[3]).toMatchObject({ id: 1, width: 1920 });
    expect(tracks[4]).toBe(tracks[3]);
  });

  it('reads the size of VP8 out of each keyframe', () => {
    const { put, frames } = setUp();
    const resized = vp8Frames.keyframe.slice();
    resized[6] = (resized[6] ?? 0) + 16;
    for (const payload of [vp8Frames.keyframe, vp8Frames.keyframe, resized]) put('vp8', [Uint8Array.of(0x10, ...payload)]);
    expect(frames[1]?.track).toBe(frames[0]?.track);
    expect(size(frames[2])).toBe(size(frames[0]) + 16);
  });

  it('makes stereo Opus of 48 kHz as track 2', () => {
    const { put, frames } = setUp();
    put('opus', [Uint8Array.of(0xf8, 1)], 960);
    put('opus', [Uint8Array.of(0xf8, 2)], 1_920);
    expect(frames[0]).toMatchObject({ isKeyframe: true, pts: 960, track: { id: 2, codec: 'opus', timescale: 48_000, channels: 2 } });
    expect(frames[1]?.track).toBe(frames[0]?.track);
  });

  it('passes the capture time on', () => {
    const { toHub, frames } = setUp();
    toHub.frame({ codec: 'opus', payloads: [Uint8Array.of(0xf8)], pts: mediaTime(0), captureMs: wallMs(77) }, now, wall);
    expect(frames[0]?.captureMs).toBe(77);
  });

  it('says of a malformed frame that it is broken, warns once and goes on with the next keyframe', () => {
    const { toHub, put, frames, warnings } = setUp();
    const key = [...h264Sets(h264Main.config), idr];
    expect(put('h264', key)).toBe(true);
    // A fragment that never begins.
    expect(put('h264', [Uint8Array.of(0x7c, 0x01, 9)])).toBe(false);
    expect(put('h264', [Uint8Array.of(0x7c, 0x01, 9)])).toBe(false);
    expect(put('h264', [slice])).toBe(true);
    expect(put('opus', [Uint8Array.of(0xf8)])).toBe(true);
    expect(put('h264', [idr])).toBe(true);
    expect(put('h264', [slice])).toBe(true);
    expect(frames.map(({ track, isKeyframe }) => [track.kind, isKeyframe])).toEqual([
      ['video', true],
      ['audio', true],
      ['video', true],
      ['video', false],
    ]);
    expect(toHub.stats()).toEqual({ malformedFrames: 2, framesBeforeConfig: 0, framesBeforeKeyframe: 1 });
    expect(warnings).toEqual(['rtp.bad-h264-payload']);
  });

  it('does not stop the sound for a malformed packet', () => {
    const { put, frames } = setUp();
    expect(put('opus', [])).toBe(false);
    expect(put('opus', [Uint8Array.of(0xf8)])).toBe(true);
    expect(frames).toHaveLength(1);
  });

  it('says of a keyframe with a broken header that it is broken', () => {
    const { put, frames } = setUp();
    expect(put('vp8', [Uint8Array.of(0x10, ...vp8Frames.keyframe.subarray(0, 7))])).toBe(false);
    expect(frames).toEqual([]);
  });
});

describe('from the hub to RTP and back', () => {
  const segment: SegmentStamp = { sequence: 1, discontinuity: 0, startMs: wallMs(0), targetDurationS: 2, partTargetMs: 500, tracks: [] };
  const cases: readonly (readonly [Track, readonly [keyframe: Uint8Array, interframe: Uint8Array]])[] = [
    [videoTrack(1, 'h264', h264Main.config), [h264Main.keyframe, h264Main.interframe]],
    [videoTrack(1, 'vp8', new Uint8Array(), vp8Frames.keyframe), [vp8Frames.keyframe, vp8Frames.interframe]],
    [videoTrack(1, 'vp9', vp9Profile0.config, vp9Profile0.keyframe), [vp9Profile0.keyframe, vp9Profile0.interframe]],
    [videoTrack(1, 'av1', av1Main.config), [av1Main.keyframe, av1Main.interframe]],
    [audioTrack(2, 'opus', opusSamples.dOps), [Uint8Array.of(0xf8, 1, 2, 3), Uint8Array.of(0xf8, 4)]],
  ];

  it.each(cases.map(([track, payloads]) => [track.codec, track, payloads] as const))('%s is the same', (codec, track, payloads) => {
    for (const payloadBytesMax of [64, 1_140]) {
      const { put, frames } = setUp();
      const rtp = new HubToRtp(
        {
          track: () => undefined,
          frame: (_kind, made, timestamp) => put(codec as RtpCodec, copiesOf(made), timestamp),
          paused: () => undefined,
          ended: () => undefined,
        },
        { payloadBytesMax },
      );
      rtp.tracks([track]);
      payloads.forEach((payload, index) => {
        const isKeyframe = index === 0 || track.kind === 'audio';
        const pts = mediaTime(90_000 + 3_000 * index);
        const frame: Frame = { track, dts: pts, pts, isKeyframe, payload, segment, part: 0, startsPart: false, receivedMs: 0 };
        rtp.frame(frame);
      });
      expect(frames.map(({ pts, isKeyframe }) => [pts, isKeyframe])).toEqual([
        [90_000, true],
        [93_000, track.kind === 'audio'],
      ]);
      expect(frames.map(({ payload }) => payload)).toEqual(payloads);
      if (track.kind === 'video') expect(frames[0]?.track).toMatchObject({ codec, width: track.width, height: track.height });
    }
  });

  it('hevc is the same', () => {
    const { put, frames } = setUp();
    const sets = hevcParameterSets(hevcMain.config);
    put('hevc', [...sets, hevcMain.keyframe.subarray(4)], 0);
    put('hevc', [hevcMain.interframe.subarray(4)], 3_000);
    expect(frames.map(({ payload }) => payload)).toEqual([hevcMain.keyframe, hevcMain.interframe]);
    expect(frames[0]?.track).toMatchObject({ codec: 'hevc', width: 322, height: 182 });
  });
});

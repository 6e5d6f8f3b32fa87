import { describe, expect, it } from 'vitest';
import { mediaTime, wallMs } from '../core/mod.ts';
import { aacSamples, h264HighReordered, h264Main, opusSamples, vp8Frames } from '../media/codecs/samples.fixture.ts';
import { audioTrack, type Frame, joinNalUnits, type SegmentStamp, type Track, videoTrack } from '../media/mod.ts';
import { depacketize } from '../protocols/rtp/mod.ts';
import { copiesOf } from '../protocols/rtp/payload/frames.fixture.ts';
import { HubToRtp, type RtpKind } from './hub-to-rtp.ts';

const h264 = videoTrack(1, 'h264', h264Main.config);
const vp8 = videoTrack(1, 'vp8', new Uint8Array(), vp8Frames.keyframe);
const opus = audioTrack(2, 'opus', opusSamples.dOps);
const aac = audioTrack(2, 'aac', aacSamples.stereo);
const segment: SegmentStamp = { sequence: 1, discontinuity: 0, startMs: wallMs(0), targetDurationS: 2, partTargetMs: 500, tracks: [h264] };
const WALL = 1_800_000_000_000;

interface SentFrame {
  readonly kind: RtpKind;
  readonly payloads: readonly Uint8Array[];
  readonly timestamp: number;
  readonly isKeyframe: boolean;
  readonly captureMs: number;
}

function setUp(payloadBytesMax = 1_000) {
  const tracks: [RtpKind, string | undefined][] = [];
  const frames: SentFrame[] = [];
  const calls: string[] = [];
  const rtp = new HubToRtp(
    {
      track: (kind, track) => tracks.push([kind, track?.codecString]),
      frame: (kind, payloads, timestamp, isKeyframe, captureMs) =>
        frames.push({ kind, payloads: copiesOf(payloads), timestamp, isKeyframe, captureMs }),
      paused: () => calls.push('paused'),
      ended: () => calls.push('ended'),
    },
    { payloadBytesMax },
  );
  return { rtp, tracks, frames, calls };
}

function frame(track: Track, pts: number, options: { isKeyframe?: boolean; payload?: Uint8Array; captureMs?: number } = {}): Frame {
  const { isKeyframe = track.kind === 'audio', payload = picture(100, isKeyframe), captureMs } = options;
  const stamped = {
    track,
    dts: mediaTime(pts),
    pts: mediaTime(pts),
    isKeyframe,
    payload,
    segment,
    part: 0,
    startsPart: false,
    receivedMs: 0,
  };
  return captureMs === undefined ? stamped : { ...stamped, captureMs: wallMs(captureMs) };
}

/** An H.264 access unit of one slice. */
const picture = (size: number, isKeyframe: boolean): Uint8Array =>
  joinNalUnits([new Uint8Array(size).fill(7).fill(isKeyframe ? 0x65 : 0x41, 0, 1)]);

describe('HubToRtp', () => {
  it('carries the first video and the first audio track, and says which', () => {
    const { rtp, tracks } = setUp();
    rtp.tracks([h264, { ...h264, id: 3 }, opus]);
    expect(tracks).toEqual([
      ['video', h264.codecString],
      ['audio', 'opus'],
    ]);
  });

  it('makes payloads within the limit that hold the frame', () => {
    const { rtp, frames } = setUp(1_000);
    rtp.tracks([h264, opus]);
    const payload = picture(5_000, true);
    rtp.frame(frame(h264, 90_000, { isKeyframe: true, payload }));
    rtp.frame(frame(opus, 48_000, { payload: Uint8Array.of(0xf8, 1, 2) }));
    const [video, audio] = frames;
    expect(video).toMatchObject({ kind: 'video', timestamp: 90_000, isKeyframe: true });
    expect(video?.payloads.every(({ length }) => length <= 1_000)).toBe(true);
    expect(depacketize('h264', video?.payloads ?? [])).toMatchObject({ payload, isKeyframe: true, config: expect.any(Uint8Array) });
    expect(audio).toMatchObject({ kind: 'audio', timestamp: 48_000, payloads: [Uint8Array.of(0xf8, 1, 2)] });
  });

  it('takes the pts as timestamp, modulo 2^32', () => {
    const { rtp, frames } = setUp();
    rtp.tracks([h264]);
    rtp.frame(frame(h264, 2 ** 32 - 1, { isKeyframe: true }));
    rtp.frame(frame(h264, 2 ** 32 + 5));
    expect(frames.map(({ timestamp }) => timestamp)).toEqual([2 ** 32 - 1, 5]);
  });

  it('leaves out tracks that are not in force or cannot be played', () => {
    const { rtp, tracks, frames } = setUp();
    rtp.tracks([videoTrack(1, 'h264', h264HighReordered), aac]);
    expect(tracks).toEqual([
      ['video', undefined],
      ['audio', undefined],
    ]);
    rtp.frame(frame(h264, 0, { isKeyframe: true }));
    rtp.frame(frame(aac, 0));
    rtp.tracks([h264, opus]);
    rtp.frame(frame({ ...h264, id: 3 }, 0, { isKeyframe: true }));
    expect(frames).toEqual([]);
  });

  it('goes on with another codec as a new track', () => {
    const { rtp, tracks, frames } = setUp();
    rtp.tracks([h264]);
    rtp.frame(frame(h264, 0, { isKeyframe: true }));
    rtp.tracks([vp8]);
    rtp.frame(frame(vp8, 3_000, { isKeyframe: true, payload: vp8Frames.keyframe }));
    expect(tracks.filter(([kind]) => kind === 'video')).toEqual([
      ['video', h264.codecString],
      ['video', vp8.codecString],
    ]);
    expect(depacketize('vp8', frames[1]?.payloads ?? []).payload).toEqual(vp8Frames.keyframe);
  });

  it('ends the picture at the first frame that is shown before the one ahead of it, but not the sound', () => {
    const { rtp, tracks, frames } = setUp();
    rtp.tracks([h264, opus]);
    for (const [pts, isKeyframe] of [
      [9_000, true],
      [18_000, false],
      [12_000, false],
      [27_000, false],
      [36_000, true],
    ] as const)
      rtp.frame(frame(h264, pts, { isKeyframe }));
    rtp.frame(frame(opus, 0, { payload: Uint8Array.of(1) }));
    expect(frames.map(({ kind, timestamp }) => [kind, timestamp])).toEqual([
      ['video', 9_000],
      ['video', 18_000],
      ['audio', 0],
    ]);
    expect(tracks.at(-1)).toEqual(['video', undefined]);
  });

  it('does not take a new source whose time begins earlier for B-frames', () => {
    const { rtp, frames } = setUp();
    rtp.tracks([h264]);
    rtp.frame(frame(h264, 9_000, { isKeyframe: true }));
    rtp.tracks([h264]);
    rtp.frame(frame(h264, 3_000, { isKeyframe: true }));
    expect(frames).toHaveLength(2);
  });

  it('drops malformed frames and counts them', () => {
    const { rtp, frames } = setUp();
    rtp.tracks([h264, opus]);
    rtp.frame(frame(h264, 0, { isKeyframe: true, payload: Uint8Array.of(0, 0, 9, 9, 0x65) }));
    rtp.frame(frame(opus, 0, { payload: new Uint8Array(2_000) }));
    rtp.frame(frame(h264, 3_000, { isKeyframe: true }));
    expect(rtp.unusableFrames).toBe(2);
    expect(frames).toHaveLength(1);
  });

  it('tells the capture time with keyframes and each half second, also when the clock of the publisher is set back', () => {
    const { rtp, frames } = setUp();
    rtp.tracks([h264, opus]);
    const told = (kind: RtpKind) => frames.filter((sent) => sent.kind === kind).map(({ captureMs }) => captureMs - WALL);
    for (const [ms, isKeyframe] of [
      [0, true],
      [40, false],
      [480, true],
      [520, false],
      [980, false],
      [-3_600_000, false],
    ] as const)
      rtp.frame(frame(h264, frames.length * 3_000, { isKeyframe, captureMs: WALL + ms }));
    expect(told('video')).toEqual([0, Number.NaN, 480, Number.NaN, 980, -3_600_000]);
    for (const ms of [0, 20, 499, 500, -60_000]) rtp.frame(frame(opus, 0, { payload: Uint8Array.of(1), captureMs: WALL + ms }));
    expect(told('audio')).toEqual([0, Number.NaN, Number.NaN, 500, -60_000]);
    rtp.frame(frame(h264, 90_000, { isKeyframe: true }));
    expect(frames.at(-1)?.captureMs).toBeNaN();
  });

  it('passes pause and end on', () => {
    const { rtp, calls } = setUp();
    rtp.paused();
    rtp.ended();
    expect(calls).toEqual(['paused', 'ended']);
  });
});

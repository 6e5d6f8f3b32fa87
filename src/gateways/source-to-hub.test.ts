import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monotonicMs, wallMs } from '../core/mod.ts';
import {
  aacSamples,
  av1Main,
  h264Main,
  hevcMain,
  mp3Samples,
  opusSamples,
  vp8Frames,
  vp9Profile0,
} from '../media/codecs/samples.fixture.ts';
import { hevcParameterSets, parseH264Config, type SourceFrame, splitNalUnits } from '../media/mod.ts';
import type { PulledTrack } from './source-audio.ts';
import { type PulledFrame, SourceToHub } from './source-to-hub.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };
const MPEG_TS = { numerator: 1, denominator: 90_000 };
const MILLISECONDS = { numerator: 1, denominator: 1000 };
const NONE = new Uint8Array();

function annexB(...units: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(units.flatMap((unit) => [0, 0, 0, 1, ...unit]));
}

function makeSource() {
  const frames: SourceFrame[] = [];
  const warnings: string[] = [];
  const source = new SourceToHub({ write: (frame) => void frames.push(frame) }, (code) => void warnings.push(code));
  const video = (payload: Uint8Array, dts?: number, pts: number | undefined = dts): void =>
    source.frame({ kind: 'video', dts, pts, payload }, monotonicMs(0), wallMs(0));
  const audio = (payload: Uint8Array, pts?: number): void =>
    source.frame({ kind: 'audio', dts: pts, pts, payload }, monotonicMs(0), wallMs(0));
  return { source, frames, warnings, video, audio };
}

const track = (codec: PulledTrack['codec'], config: Uint8Array, timeBase = MPEG_TS): PulledTrack =>
  ({ kind: codec === 'aac' || codec === 'opus' || codec === 'mp3' ? 'audio' : 'video', codec, config, timeBase }) as PulledTrack;

const h264Sets = (): Uint8Array[] => {
  const { sps, pps } = parseH264Config(h264Main.config);
  return [...sps, ...pps];
};

describe('video of a source', () => {
  it('with start codes becomes length-prefixed, with a configuration from its parameter sets in-band', () => {
    const { source, frames, video } = makeSource();
    source.track(track('h264', NONE));
    video(annexB(...splitNalUnits(h264Main.interframe)), 0);
    expect(source.stats().framesBeforeConfig).toBe(1);
    const delimiter = Uint8Array.of(9, 0xf0);
    video(annexB(delimiter, ...h264Sets(), ...splitNalUnits(h264Main.keyframe)), 3000, 6000);
    video(annexB(delimiter, ...splitNalUnits(h264Main.interframe)), 6000, 9000);
    expect(frames.map(({ isKeyframe, dts, pts }) => [isKeyframe, dts, pts])).toEqual([
      [true, 3000, 6000],
      [false, 6000, 9000],
    ]);
    expect(frames[0]?.track).toMatchObject({ id: 1, codec: 'h264', width: 322, height: 182, timescale: 90_000 });
    expect(frames[0]?.payload).toEqual(h264Main.keyframe);
    expect(frames[1]?.track).toBe(frames[0]?.track);
  });

  it('takes parameter sets from the container, with start codes or as a record', () => {
    for (const config of [annexB(...h264Sets()), h264Main.config]) {
      const { source, frames, video } = makeSource();
      source.track(track('h264', config));
      video(config === h264Main.config ? h264Main.keyframe : annexB(...splitNalUnits(h264Main.keyframe)), 0);
      expect(frames).toMatchObject([{ payload: h264Main.keyframe, track: { width: 322 } }]);
    }
  });

  it('of HEVC comes both ways, too', () => {
    for (const isAnnexB of [true, false]) {
      const { source, frames, video } = makeSource();
      const sets = hevcParameterSets(hevcMain.config);
      source.track(track('hevc', isAnnexB ? NONE : hevcMain.config));
      video(isAnnexB ? annexB(...sets, ...splitNalUnits(hevcMain.keyframe)) : hevcMain.keyframe, 0);
      expect(frames).toMatchObject([{ isKeyframe: true, payload: hevcMain.keyframe, track: { codec: 'hevc', width: 322, height: 182 } }]);
    }
  });

  it.each([
    ['av1', av1Main.config, av1Main.keyframe],
    ['vp8', NONE, vp8Frames.keyframe],
    ['vp9', Uint8Array.of(1, 1, 0, 2, 1, 30), vp9Profile0.keyframe],
  ] as const)('of %s is described by its keyframe', (codec, config, keyframe) => {
    const { source, frames, video } = makeSource();
    source.track(track(codec, config, MILLISECONDS));
    video(keyframe, 40);
    expect(frames).toMatchObject([{ isKeyframe: true, dts: 3600, track: { codec, timescale: 90_000 } }]);
  });

  it('without timestamps goes on at its own pace, and never shows a frame before it is decoded', () => {
    const { source, frames, video } = makeSource();
    source.track(track('h264', h264Main.config));
    video(h264Main.keyframe, 3000);
    video(h264Main.interframe, 6000);
    video(h264Main.interframe);
    video(h264Main.interframe, undefined, 5000);
    video(h264Main.interframe, 15_000, 9000);
    expect(frames.map(({ dts, pts }) => [dts, pts])).toEqual([
      [3000, 3000],
      [6000, 6000],
      [9000, 9000],
      [12_000, 12_000],
      [15_000, 15_000],
    ]);
  });

  it('is left out while nothing tells when it is shown, for a while', () => {
    const { source, frames, video, audio } = makeSource();
    source.track(track('h264', h264Main.config));
    source.track(track('mp3', NONE));
    for (let frame = 0; frame < 150; frame++) {
      video(h264Main.keyframe);
      audio(mp3Samples.mpeg1.frame);
    }
    expect(frames).toEqual([]);
    video(h264Main.keyframe);
    video(h264Main.interframe);
    audio(mp3Samples.mpeg1.frame);
    audio(mp3Samples.mpeg1.frame);
    expect(frames.map(({ dts }) => dts)).toEqual([0, 3600, 0, 1152]);
  });

  it('goes on in small steps when its clock is set back a little', () => {
    const { source, frames, video } = makeSource();
    source.track(track('h264', h264Main.config));
    video(h264Main.keyframe, 3000);
    for (const dts of [6000, 5500, 8500, 11_500, 1_000_000, 3000]) video(h264Main.interframe, dts);
    expect(frames.map(({ dts }) => dts)).toEqual([3000, 6000, 6750, 8500, 11_500, 1_000_000, 3000]);
  });

  it('waits for a keyframe behind a broken frame', () => {
    const { source, frames, warnings, video } = makeSource();
    source.track(track('h264', h264Main.config));
    video(h264Main.keyframe, 0);
    video(Uint8Array.of(0, 0, 9, 0, 1), 3000);
    video(h264Main.interframe, 6000);
    video(h264Main.keyframe, 9000);
    expect(frames.map(({ dts }) => dts)).toEqual([0, 9000]);
    expect(warnings).toEqual(['media.bad-nal-units']);
    expect(source.stats()).toMatchObject({ malformedFrames: 1 });
  });
});

describe('sound of a source', () => {
  const adts = (payload: Uint8Array): Uint8Array => {
    const size = payload.length + 7;
    return Uint8Array.of(0xff, 0xf1, 0x4c, 0x80 | (size >> 11), (size >> 3) & 0xff, ((size & 7) << 5) | 0x1f, 0xfc, ...payload);
  };

  it('loses its ADTS headers, and frames that came in one packet come one after the other', () => {
    const { source, frames, audio } = makeSource();
    source.track(track('aac', NONE));
    const [first, second] = [Uint8Array.of(0x21, 1, 2, 3), Uint8Array.of(0x21, 4, 5)];
    audio(Uint8Array.of(...adts(first), ...adts(second)), 90_000);
    audio(adts(first), 90_000 + 3840);
    expect(frames.map(({ dts }) => dts)).toEqual([48_000, 49_024, 50_048]);
    expect(frames.map(({ payload }) => payload)).toEqual([first, second, first]);
    expect(frames[0]?.track).toMatchObject({ id: 2, codec: 'aac', sampleRate: 48_000, channels: 2 });
  });

  it('as a raw AAC frame is taken as it is', () => {
    const { source, frames, audio } = makeSource();
    source.track(track('aac', aacSamples.stereo, MILLISECONDS));
    audio(Uint8Array.of(0x21, 1, 2, 3), 21);
    expect(frames).toMatchObject([{ dts: 1008, track: { sampleRate: 48_000 } }]);
  });

  it('as MP3 and Opus is described by what there is', () => {
    const { source, frames, audio } = makeSource();
    source.track(track('mp3', NONE, MILLISECONDS));
    audio(mp3Samples.mpeg1.frame, 0);
    source.track(track('opus', NONE, MILLISECONDS));
    audio(opusSamples.packet20Ms, 26);
    expect(frames).toMatchObject([{ track: { codec: 'mp3' } }, { track: { codec: 'opus', channels: 2, timescale: 48_000 } }]);
  });
});

it('whatever comes, nothing is thrown', () => {
  const config = fc.oneof(fc.uint8Array(), fc.constantFrom(h264Main.config, hevcMain.config, NONE));
  const codec = fc.constantFrom<PulledTrack['codec']>('h264', 'hevc', 'av1', 'vp8', 'vp9', 'aac', 'mp3', 'opus');
  const time = fc.option(fc.integer(), { nil: undefined });
  const payload = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(h264Main.keyframe, annexB(...h264Sets()), hevcMain.keyframe));
  const frame: fc.Arbitrary<PulledFrame> = fc.record({ kind: fc.constantFrom('video', 'audio'), dts: time, pts: time, payload });
  fc.assert(
    fc.property(fc.array(fc.tuple(codec, config, fc.array(frame, { maxLength: 5 })), { maxLength: 4 }), (rounds) => {
      const { source } = makeSource();
      for (const [of, record, frames] of rounds) {
        source.track(track(of, record));
        for (const each of frames) source.frame(each, monotonicMs(0), wallMs(0));
      }
    }),
    RUNS,
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAmf0 } from '../containers/mod.ts';
import { ProtocolError } from '../core/mod.ts';
import { aacSamples, av1Main, h264Main, hex, mp3Samples, vp9Profile0 } from '../media/codecs/samples.fixture.ts';
import type { SourceFrame } from '../media/mod.ts';
import { FlvToHub } from './flv-to-hub.ts';

const bytes = (...parts: (string | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...(typeof part === 'string' ? hex(part) : part)]));
const h264Header = bytes('17 00 000000', h264Main.config);
const aacHeader = bytes('af 00', aacSamples.stereo);
const aacFrame = bytes('af 01', aacSamples.frame);
const keyframe = (compositionTime = '000000'): Uint8Array => bytes('17 01', compositionTime, h264Main.keyframe);

function bridge(): { source: FlvToHub; frames: SourceFrame[]; warnings: string[] } {
  const frames: SourceFrame[] = [];
  const warnings: string[] = [];
  const source = new FlvToHub({ frame: (frame) => frames.push(frame), warning: (code, message) => warnings.push(`${code}: ${message}`) });
  return { source, frames, warnings };
}
const dts = (frames: readonly SourceFrame[]): number[] => frames.map((frame) => frame.dts);

describe('FlvToHub video', () => {
  it('makes frames at 90 kHz with composition time, sharing the body', () => {
    const { source, frames } = bridge();
    source.video(0, h264Header);
    const body = keyframe('000050');
    source.video(1000, body);
    const [frame] = frames;
    expect(frame).toMatchObject({ dts: 90_000, pts: 97_200, isKeyframe: true, track: { kind: 'video', id: 1, codec: 'h264', width: 322 } });
    expect(frame?.payload.buffer).toBe(body.buffer);
    expect(frame?.payload).toEqual(h264Main.keyframe);
  });

  it('adds the nanoseconds of a modifier', () => {
    const { source, frames } = bridge();
    source.video(0, bytes('90 61763031', av1Main.config));
    source.video(33, bytes('97 02 051615 01 61763031', av1Main.keyframe));
    expect(dts(frames)).toEqual([33 * 90 + 30]);
  });

  it('turns short NAL unit lengths into 4 bytes', () => {
    const { source, frames } = bridge();
    source.video(0, bytes('17 00 000000', h264Main.config.with(4, 0xfd)));
    source.video(0, bytes('17 01 000000', h264Main.keyframe.subarray(2)));
    expect(frames[0]?.payload).toEqual(h264Main.keyframe);
    expect(frames[0]?.track.config).toEqual(h264Main.config);
  });

  it('keeps the track over repeated headers and changes it with the configuration', () => {
    const { source, frames } = bridge();
    for (const config of [
      h264Main.config,
      h264Main.config,
      hex('0142c028ffe100176742c028da01e0089f97011000003e90000ea600f1832a01000468ce0fc8'),
    ]) {
      source.video(0, bytes('17 00 000000', config));
      source.video(0, keyframe());
    }
    expect(frames[1]?.track).toBe(frames[0]?.track);
    expect(frames[2]?.track).toMatchObject({ id: 1, width: 1920 });
  });

  it('waits for a keyframe where only that tells the size', () => {
    const { source, frames } = bridge();
    source.video(0, bytes('90 76703039', vp9Profile0.config));
    source.video(0, bytes('a1 76703039', vp9Profile0.interframe));
    source.video(33, bytes('91 76703039', vp9Profile0.keyframe));
    expect(frames).toMatchObject([{ track: { codec: 'vp9', width: 322, height: 182 } }]);
  });

  it('drops and counts frames before their header', () => {
    const { source, frames, warnings } = bridge();
    source.video(0, keyframe());
    source.video(40, keyframe());
    source.audio(0, aacFrame);
    expect(frames).toEqual([]);
    expect(source.stats().droppedBeforeConfig).toBe(3);
    expect(warnings).toHaveLength(2);
  });

  it('unwraps timestamps and follows jumps back', () => {
    const { source, frames } = bridge();
    source.video(0xffff_ffd8, h264Header);
    for (const timestamp of [0xffff_ffd8, 0, 40, 5_000, 0]) source.video(timestamp, keyframe());
    const first = frames[0]?.dts ?? 0;
    expect(dts(frames).map((time) => (time - first) / 90)).toEqual([0, 40, 80, 5_040, 40]);
  });
});

describe('FlvToHub audio', () => {
  function play(timestamps: readonly number[]): { times: number[]; source: FlvToHub } {
    const { source, frames } = bridge();
    source.audio(0, aacHeader);
    for (const timestamp of timestamps) source.audio(timestamp, aacFrame);
    return { times: dts(frames), source };
  }
  const exact = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index * 1024);
  const rounded = (count: number): number[] => exact(count).map((time) => Math.floor(time / 48));

  it('keeps frames contiguous over rounding and jitter', () => {
    expect(play(rounded(500)).times).toEqual(exact(500));
    expect(play(rounded(500).map((time, index) => Math.max(0, time + ((index * 7) % 40) - 20))).times).toEqual(exact(500));
  });

  it('keeps frames contiguous when an encoder stamps several frames alike', () => {
    expect(play(rounded(400).map((_, index) => Math.floor((Math.floor(index / 4) * 4096) / 48))).times).toEqual(exact(400));
  });

  it('follows a jump at once, in both directions', () => {
    expect(play([0, 21, 1_000, 1_021, 0]).times).toEqual([0, 1_024, 48_000, 49_024, 0]);
  });

  it('follows a lasting gap', () => {
    const { times } = play(rounded(60).map((time, index) => (index < 20 ? time : time + 64)));
    expect(times.slice(0, 20)).toEqual(exact(20));
    const gaps = times.slice(1).filter((time, index) => time - (times[index] ?? 0) !== 1_024);
    expect(gaps).toHaveLength(1);
    expect(Math.abs((times.at(-1) ?? 0) / 48 - (Math.floor((59 * 1024) / 48) + 64))).toBeLessThan(2);
  });

  it('leaves frames out when the source sends more sound than time passes, and stays contiguous', () => {
    // An encoder whose clock runs 0.5 % slow against its samples.
    const { times, source } = play(rounded(3_000).map((time) => Math.floor(time * 0.995)));
    expect(times).toEqual(exact(times.length));
    expect(source.stats().surplusAudioFrames).toBe(3_000 - times.length);
    expect(Math.abs((times.at(-1) ?? 0) / 48 - rounded(3_000).at(-1)! * 0.995)).toBeLessThan(60);
  });

  it('describes MP3 by its frames', () => {
    const { source, frames } = bridge();
    for (const timestamp of [0, 26]) source.audio(timestamp, bytes('2f', mp3Samples.mpeg1.frame));
    expect(dts(frames)).toEqual([0, 1_152]);
    expect(frames[1]?.track).toBe(frames[0]?.track);
  });
});

describe('FlvToHub', () => {
  it('uses the first track of a multitrack publisher and warns once of each other and of unknown codecs', () => {
    const { source, frames, warnings } = bridge();
    source.video(0, h264Header);
    for (let time = 0; time < 3; time++) {
      source.video(time, keyframe());
      source.video(time, bytes('96 03 61766331 01', h264Main.keyframe));
      source.audio(time, bytes('91 61632d33 0b77'));
    }
    expect(frames).toHaveLength(3);
    expect(warnings.map((warning) => warning.split(':')[0])).toEqual(['flv.track-ignored', 'flv.codec-unsupported']);
  });

  it('reads metadata with and without @setDataFrame, and only warns when it is broken', () => {
    const { source, warnings } = bridge();
    source.data(encodeAmf0('@setDataFrame', 'onMetaData', new Map([['encoder', 'obs']])));
    expect(source.metadata?.get('encoder')).toBe('obs');
    source.data(encodeAmf0('onMetaData', new Map([['encoder', 'ffmpeg']])));
    source.data(encodeAmf0('onCuePoint', 1));
    source.data(hex('02ffff'));
    expect(source.metadata?.get('encoder')).toBe('ffmpeg');
    expect(warnings).toHaveLength(1);
  });

  it('survives mutated messages: only a ProtocolError comes out, and times stay integers', () => {
    const samples = [
      h264Header,
      keyframe(),
      aacHeader,
      aacFrame,
      bytes('90 61763031', av1Main.config),
      bytes('91 61763031', av1Main.keyframe),
      bytes('2f', mp3Samples.mpeg1.frame),
    ];
    const message = fc.record({
      body: fc.constantFrom(...samples),
      at: fc.nat({ max: 64 }),
      value: fc.nat({ max: 255 }),
      isMutated: fc.boolean(),
      timestamp: fc.nat({ max: 0xffff_ffff }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (list) => {
        const { source, frames } = bridge();
        for (const { body, at, value, isMutated, timestamp } of list) {
          const sent = isMutated && at < body.length ? body.with(at, value) : body;
          try {
            if ((body[0] ?? 0) === 0xaf || (body[0] ?? 0) === 0x2f) source.audio(timestamp, sent);
            else source.video(timestamp, sent);
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error;
          }
        }
        expect(frames.every((frame) => Number.isSafeInteger(frame.dts) && Number.isSafeInteger(frame.pts))).toBe(true);
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});

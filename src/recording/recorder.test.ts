import { beforeEach, describe, expect, it } from 'vitest';
import { AUDIO, FrameSource, VIDEO } from '../gateways/hls-frames.fixture.ts';
import type { Frame, Track } from '../media/mod.ts';
import { Recorder } from './recorder.ts';

/** What was asked for, in order. */
interface Written {
  readonly tracks: readonly Track[];
  readonly fragments: Frame[][];
  readonly nexts: (Frame | undefined)[];
  end?: string;
}

let files: Written[];
let recorder: Recorder;
let source: FrameSource;
let fileMsMax: number;

beforeEach(() => {
  files = [];
  fileMsMax = 3_600_000;
  source = new FrameSource();
  recorder = new Recorder(
    {
      begin: (tracks) => files.push({ tracks, fragments: [], nexts: [] }),
      fragment: (frames, next) => {
        files.at(-1)?.fragments.push([...frames]);
        files.at(-1)?.nexts.push(next);
      },
      end: (reason) => {
        (files.at(-1) as Written).end = reason;
      },
    },
    { fileMsMax: () => fileMsMax, queueBytesMax: 1_000 },
  );
});

const record = (frames: readonly Frame[]): void => {
  for (const frame of frames) recorder.frame(frame);
};
const framesOf = (file: Written | undefined): Frame[] => file?.fragments.flat() ?? [];
/** Since the stream began. */
const secondsOf = (frame: Frame | undefined): number =>
  frame === undefined ? Number.NaN : Math.round((frame.dts / frame.track.timescale - (source.frames[0]?.dts ?? 0) / 90_000) * 1000) / 1000;
const leads = (frames: readonly Frame[]): Frame[] => frames.filter(({ track }) => track.kind === 'video');

describe('a recorder', () => {
  it('puts each frame into one file once, in order, in fragments that begin at keyframes', () => {
    const frames = source.add({ seconds: 7 });
    record(frames);
    recorder.end('stream-ended');
    expect(files.map(({ end }) => end)).toEqual(['stream-ended']);
    expect(framesOf(files[0])).toEqual(frames);
    expect(files[0]?.tracks.map(({ kind }) => kind)).toEqual(['video', 'audio']);
    expect(files[0]?.fragments.map(([first]) => [first?.isKeyframe, secondsOf(first)])).toEqual([0, 2, 4, 6].map((s) => [true, s]));
    // Each but the last one ends where the next one begins.
    expect(files[0]?.nexts).toEqual([...(files[0]?.fragments.slice(1).map(([first]) => first) ?? []), undefined]);
  });

  it('makes no fragments shorter than a second of short GOPs, and none longer than 4.5 s of long ones', () => {
    record(source.add({ seconds: 5, gopSeconds: 0.2 }));
    recorder.end('stream-ended');
    const starts = files[0]?.fragments.map(([first]) => secondsOf(first)) ?? [];
    for (const [index, start] of starts.slice(1).entries()) expect(start - (starts[index] ?? 0)).toBeGreaterThanOrEqual(1);
    source = new FrameSource();
    record(source.add({ seconds: 20, gopSeconds: 20 }));
    recorder.end('stream-ended');
    const long = files[1]?.fragments ?? [];
    for (const fragment of long) expect(secondsOf(leads(fragment).at(-1)) - secondsOf(fragment[0])).toBeLessThanOrEqual(4.5);
    expect(long.flat()).toEqual(source.frames);
  });

  it('waits for a keyframe where it begins in the middle', () => {
    const frames = source.add({ seconds: 6 });
    record(frames.slice(10));
    recorder.end('stream-ended');
    expect(secondsOf(framesOf(files[0])[0])).toBe(2);
  });

  it('cuts at the first keyframe behind the longest that a file may be, and loses nothing', () => {
    fileMsMax = 3_000;
    const frames = source.add({ seconds: 9 });
    record(frames);
    recorder.end('stream-ended');
    expect(files.map((file) => [file.end, secondsOf(framesOf(file)[0])])).toEqual([
      ['length', 0],
      ['length', 4],
      ['stream-ended', 8],
    ]);
    expect(files.flatMap(framesOf)).toEqual(frames);
    expect(secondsOf(files[0]?.nexts.at(-1))).toBe(4);
  });

  it('begins a file for other tracks, and goes on in the same one over a hold with the same', () => {
    record(source.add({ seconds: 3 }));
    recorder.paused();
    expect(framesOf(files[0])).toHaveLength(source.frames.length);
    source.newSource();
    record(source.add({ seconds: 3, from: 100 }));
    expect(files).toHaveLength(1);
    source.newSource();
    record(source.add({ seconds: 3, from: 200, tracks: [{ ...VIDEO, width: 640, height: 360 }, AUDIO] }));
    recorder.end('stream-ended');
    expect(files.map(({ end }) => end)).toEqual(['tracks-changed', 'stream-ended']);
    expect(files.flatMap(framesOf)).toEqual(source.frames);
  });

  it('records sound alone', () => {
    const frames = source.add({ seconds: 5, tracks: [AUDIO] });
    record(frames);
    recorder.end('stream-ended');
    expect(framesOf(files[0])).toEqual(frames);
    expect(files[0]?.fragments.length).toBeGreaterThan(1);
  });

  it('leaves frames out while the disk is slow, from a keyframe to a keyframe, and counts them', () => {
    const frames = source.add({ seconds: 12 });
    const at = (seconds: number): number => frames.findIndex((frame) => frame.track === VIDEO && secondsOf(frame) >= seconds);
    record(frames.slice(0, at(3)));
    recorder.backlog(1_001);
    record(frames.slice(at(3), at(7)));
    // Half of what may wait has to be gone.
    recorder.backlog(501);
    record(frames.slice(at(7), at(9)));
    recorder.backlog(500);
    record(frames.slice(at(9)));
    recorder.end('stream-ended');
    expect(files).toHaveLength(1);
    const kept = leads(framesOf(files[0])).map(secondsOf);
    expect(kept.filter((s) => s >= 2 && s < 10)).toEqual([]);
    expect(kept.filter((s) => s >= 10).length).toBe(60);
    expect(recorder.droppedFrames).toBe(frames.length - framesOf(files[0]).length);
    expect(files[0]?.fragments.every(([first]) => first?.isKeyframe === true)).toBe(true);
  });

  it('gives up a file that cannot be written, and begins another one at the next keyframe', () => {
    const frames = source.add({ seconds: 6 });
    record(frames.slice(0, 100));
    const before = files[0]?.fragments.length;
    recorder.drop('disk-full');
    expect([files[0]?.fragments.length, files[0]?.end, recorder.isOpen]).toEqual([before, 'disk-full', false]);
    record(frames.slice(100));
    recorder.end('stream-ended');
    expect(files[1]?.fragments[0]?.[0]?.isKeyframe).toBe(true);
    recorder.end('stream-ended');
    expect(files).toHaveLength(2);
  });
});

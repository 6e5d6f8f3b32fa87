import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { durationMs, mediaTime, wallMs } from '../../core/mod.ts';
import { audioTrack, type Frame, type SourceFrame, type Track, type VideoCodec, videoTrack } from '../../media/mod.ts';

/** Each second of the source begins with a flash and a beep of 100 ms; between them the picture moves and it is silent. */
export interface SourceOptions {
  readonly video?: {
    readonly codec: VideoCodec;
    readonly width: number;
    readonly height: number;
    readonly frameRate: number;
    readonly keyframeEvery: number;
    readonly bFrames?: number;
    readonly is10Bit?: boolean;
    readonly isInterlaced?: boolean;
    /** Default 4:2:0. */
    readonly chroma?: '4:2:2' | '4:4:4';
    readonly preset?: string;
  };
  readonly audio?: { readonly codec: 'aac' | 'opus' | 'mp3'; readonly sampleRate: number; readonly channels: 1 | 2 };
  readonly seconds: number;
}

export interface MadeFrame {
  readonly kind: 'video' | 'audio';
  readonly dts: number;
  readonly pts: number;
  readonly isKeyframe: boolean;
  readonly payload: Uint8Array;
}

/** What the worker answers. */
export interface MadeSource {
  readonly videoConfig: Uint8Array;
  readonly audioConfig: Uint8Array;
  readonly frames: readonly MadeFrame[];
}

export interface DecodedPicture {
  readonly pts: number;
  readonly width: number;
  readonly height: number;
  readonly type: string;
  readonly isInterlaced: boolean;
  readonly luma: number;
}

export interface DecodedMedia {
  readonly pictures: readonly DecodedPicture[];
  readonly format: string;
  /** Samples a second, channels, samples in all, and the times at which beeps begin, in seconds of the frames' clock. */
  readonly sampleRate: number;
  readonly channels: number;
  readonly samples: number;
  readonly beeps: readonly number[];
}

export type MediaTask =
  | { readonly kind: 'make'; readonly options: SourceOptions }
  | {
      readonly kind: 'decode';
      readonly track: Track;
      readonly frames: readonly { readonly pts: number; readonly dts: number; readonly payload: Uint8Array }[];
    };

function inWorker<Result>(task: MediaTask): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./test-media-worker.fixture.ts', import.meta.url)), [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
      execArgv: [],
    });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-3000);
    });
    child.once('message', (result) => resolve(result as Result));
    child.once('close', (code, signal) => reject(new Error(`the media worker ended with ${signal ?? code}: ${errors}`)));
    child.send(task);
  });
}

export interface Source {
  readonly video: Track | undefined;
  readonly audio: Track | undefined;
  readonly tracks: readonly Track[];
  /** In decoding order of both tracks, all on a timeline that begins at about 10 s. */
  readonly frames: readonly Frame[];
}

const START_S = 10;

/** Encodes a source by FFmpeg in a child process. */
export async function makeSource(options: SourceOptions): Promise<Source> {
  const made = await inWorker<MadeSource>({ kind: 'make', options });
  const keyframe = made.frames.find(({ kind, isKeyframe }) => kind === 'video' && isKeyframe);
  const firstSound = made.frames.find(({ kind }) => kind === 'audio');
  const video = options.video && videoTrack(1, options.video.codec, made.videoConfig, keyframe?.payload);
  const header = options.audio?.codec === 'mp3' ? firstSound?.payload : made.audioConfig;
  const audio = options.audio && audioTrack(2, options.audio.codec, header ?? new Uint8Array());
  const tracks = [video, audio].filter((track) => track !== undefined);
  const frames = made.frames
    .map((frame) => onTimeline(frame, frame.kind === 'video' ? video : audio, tracks))
    .sort((a, b) => a.dts / a.track.timescale - b.dts / b.track.timescale);
  return { video, audio, tracks, frames };
}

function onTimeline(made: MadeFrame, track: Track | undefined, tracks: readonly Track[]): Frame {
  if (track === undefined) throw new Error(`a ${made.kind} frame of a source without such a track`);
  const start = START_S * track.timescale;
  return {
    track,
    dts: mediaTime(made.dts + start),
    pts: mediaTime(made.pts + start),
    isKeyframe: made.isKeyframe,
    payload: made.payload,
    segment: { sequence: 0, discontinuity: 0, startMs: wallMs(0), targetDurationS: 2, partTargetMs: durationMs(200), tracks },
    part: 0,
    startsPart: false,
    receivedMs: 0,
  };
}

/** The same frames later on the timeline, of another track where one is given. */
export function later(frames: readonly Frame[], seconds: number): Frame[] {
  return frames.map((frame) => {
    const shift = Math.round(seconds * frame.track.timescale);
    return { ...frame, dts: mediaTime(frame.dts + shift), pts: mediaTime(frame.pts + shift) };
  });
}

/** Decodes a rung's frames, all of one track, by FFmpeg in a child process. */
export async function decodeMedia(frames: readonly SourceFrame[]): Promise<DecodedMedia> {
  const [first] = frames;
  if (first === undefined) throw new Error('nothing to decode');
  return await inWorker({ kind: 'decode', track: first.track, frames: frames.map(({ pts, dts, payload }) => ({ pts, dts, payload })) });
}

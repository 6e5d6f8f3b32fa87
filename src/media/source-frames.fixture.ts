import { mediaTime, monotonicMs, wallMs } from '../core/mod.ts';
import type { SourceFrame } from './frame.ts';
import type { Timeline } from './timeline.ts';
import type { AudioTrack, Track, VideoTrack } from './track.ts';

export const videoTrack: VideoTrack = {
  kind: 'video',
  id: 1,
  codec: 'h264',
  timescale: 90_000,
  config: new Uint8Array([1, 100, 0, 31]),
  codecString: 'avc1.64001f',
  width: 1280,
  height: 720,
};

export const audioTrack: AudioTrack = {
  kind: 'audio',
  id: 2,
  codec: 'aac',
  timescale: 48_000,
  config: new Uint8Array([0x11, 0x90]),
  codecString: 'mp4a.40.2',
  sampleRate: 48_000,
  channels: 2,
};

/** A frame at `ms` of the source's clock. */
export function sourceFrame(track: Track, ms: number, isKeyframe: boolean, sizeBytes = 100): SourceFrame {
  const dts = mediaTime(Math.round((ms * track.timescale) / 1000));
  return { track, dts, pts: dts, isKeyframe, payload: new Uint8Array(sizeBytes) };
}

export interface FeedOptions {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly frameMs?: number;
  readonly keyframeMs?: number;
  /** What the source's clock shows when the monotonic clock shows 0. */
  readonly sourceOffsetMs?: number;
  readonly video?: VideoTrack | undefined;
  readonly audio?: AudioTrack | undefined;
}

export const WALL_ZERO_MS = 1_700_000_000_000;
/** Of the first segment of a stream that begins then. */
export const FIRST_NUMBER = 1_700_000_000;

/** Feeds video and audio as an encoder would, in real time: the monotonic clock shows the media time. */
export function feed(timeline: Pick<Timeline, 'write'>, options: FeedOptions): void {
  const { fromMs, untilMs, frameMs = 40, keyframeMs = 2_000, sourceOffsetMs = 0 } = options;
  const video = 'video' in options ? options.video : videoTrack;
  const audio = 'audio' in options ? options.audio : audioTrack;
  const frames: { ms: number; frame: SourceFrame }[] = [];
  for (let n = 0; video !== undefined && fromMs + n * frameMs < untilMs; n++) {
    const ms = fromMs + n * frameMs;
    frames.push({ ms, frame: sourceFrame(video, ms + sourceOffsetMs, Math.abs((n * frameMs) % keyframeMs) < frameMs / 2) });
  }
  for (let ms = fromMs; audio !== undefined && ms < untilMs; ms += 1024 / 48)
    frames.push({ ms, frame: sourceFrame(audio, ms + sourceOffsetMs, true) });
  frames.sort((a, b) => a.ms - b.ms);
  for (const { ms, frame } of frames) timeline.write(frame, monotonicMs(ms), wallMs(WALL_ZERO_MS + ms));
}

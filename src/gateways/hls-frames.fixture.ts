import { durationMs, mediaTime, monotonicMs, wallMs } from '../core/mod.ts';
import { type AudioTrack, type Frame, Timeline, type Track, type VideoTrack } from '../media/mod.ts';

export const VIDEO: VideoTrack = {
  kind: 'video',
  id: 1,
  codec: 'h264',
  timescale: 90_000,
  config: Uint8Array.of(1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 0),
  codecString: 'avc1.64001f',
  width: 1280,
  height: 720,
};

export const AUDIO: AudioTrack = {
  kind: 'audio',
  id: 2,
  codec: 'aac',
  timescale: 48_000,
  config: Uint8Array.of(0x11, 0x90),
  codecString: 'mp4a.40.2',
  sampleRate: 48_000,
  channels: 2,
};

export interface FixtureOptions {
  readonly seconds: number;
  readonly tracks?: readonly Track[];
  readonly gopSeconds?: number;
  readonly frameRate?: number;
  /** Seconds of the source's clock at the first frame. */
  readonly from?: number;
}

/** Makes stamped frames as the hub does: a video frame each 1/30 s, an AAC frame each 1,024 samples, through the real timeline. */
export class FrameSource {
  readonly frames: Frame[] = [];
  private readonly timeline = new Timeline(
    { frame: (frame) => this.frames.push(frame) },
    { segmentTargetMs: durationMs(2000), partTargetMs: durationMs(500), tracksMax: 4 },
  );

  newSource(): void {
    this.timeline.newSource();
  }

  /** Adds frames and returns those that came out for them. */
  add({ seconds, tracks = [VIDEO, AUDIO], gopSeconds = 2, frameRate = 30, from = 0 }: FixtureOptions): Frame[] {
    const before = this.frames.length;
    const due: { track: Track; n: number; timeS: number }[] = [];
    for (const track of tracks) {
      const step = track.kind === 'video' ? 1 / frameRate : 1024 / track.timescale;
      for (let n = 0; n * step < seconds; n++) due.push({ track, n, timeS: from + n * step });
    }
    due.sort((a, b) => a.timeS - b.timeS);
    for (const { track, n, timeS } of due) {
      const isKeyframe = track.kind === 'audio' || n % Math.round(gopSeconds * frameRate) === 0;
      const payload = new Uint8Array(isKeyframe && track.kind === 'video' ? 900 : 100).fill((n * 7 + track.id) & 0xff);
      const dts = mediaTime(Math.round(timeS * track.timescale));
      const pts = mediaTime(track.kind === 'video' ? dts + 3000 : dts);
      this.timeline.write({ track, dts, pts, isKeyframe, payload }, monotonicMs(timeS * 1000), wallMs(1_800_000_000_000 + timeS * 1000));
    }
    return this.frames.slice(before);
  }
}

import { type MonotonicMs, mediaTime, ProtocolError, type WallMs } from '../core/mod.ts';
import type { Publication } from '../hub/mod.ts';
import type { SourceFrame } from '../media/mod.ts';
import { type PulledTrack, SourceAudio } from './source-audio.ts';
import { SourceVideo } from './source-video.ts';

const WARNINGS_MAX = 16;

/** One access unit as a demuxer gives it, with times in ticks of its track's `timeBase`; undefined where the container does not tell. */
export interface PulledFrame {
  readonly kind: 'video' | 'audio';
  readonly dts: number | undefined;
  readonly pts: number | undefined;
  /** Given. */
  readonly payload: Uint8Array;
}

/** What {@link SourceToHub} left out. */
export interface SourceToHubStats {
  readonly malformedFrames: number;
  readonly framesBeforeConfig: number;
}

/**
 * Puts what a demuxer reads into the hub: track 1 is video, track 2 audio. H.264 and HEVC with start codes become length-prefixed, their
 * configuration comes from the container's record or from parameter sets in-band; AAC loses its ADTS headers.
 */
export class SourceToHub {
  private readonly publication: Pick<Publication, 'write'>;
  private readonly warning: (code: string, message: string) => void;
  private readonly warned = new Set<string>();
  private video: SourceVideo | undefined = undefined;
  private audio: SourceAudio | undefined = undefined;
  private malformedFrames = 0;
  private framesBeforeConfig = 0;

  /** `warning`: something is left out of the stream; said once for each cause. */
  constructor(publication: Pick<Publication, 'write'>, warning: (code: string, message: string) => void) {
    this.publication = publication;
    this.warning = warning;
  }

  /** The tracks of the input, or one whose configuration changed. */
  track(track: PulledTrack): void {
    if (track.kind === 'audio') this.audio = new SourceAudio(track, this.audio);
    else
      this.guarded('video', () => {
        this.video = new SourceVideo(track, this.video);
      });
  }

  /** Writes the frame; what is broken or cannot be described yet is left out and counted. */
  frame(frame: PulledFrame, now: MonotonicMs, wall: WallMs): void {
    this.guarded(frame.kind, () => {
      const made = this.made(frame);
      if (made.length === 0) this.framesBeforeConfig++;
      for (const each of made) this.publication.write(each, now, wall);
    });
  }

  stats(): SourceToHubStats {
    return { malformedFrames: this.malformedFrames, framesBeforeConfig: this.framesBeforeConfig };
  }

  private guarded(kind: PulledFrame['kind'], act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.malformedFrames++;
      if (kind === 'video') this.video?.broken();
      this.warn(error.code, `a frame is left out: ${error.message}`);
    }
  }

  private made({ kind, dts, pts, payload }: PulledFrame): readonly SourceFrame[] {
    if (kind === 'audio') return this.audio?.frames(dts ?? pts, payload) ?? [];
    const frame = this.video?.frame(dts, pts, payload);
    return frame === undefined ? [] : [{ ...frame, dts: mediaTime(frame.dts), pts: mediaTime(frame.pts) }];
  }

  private warn(code: string, message: string): void {
    if (this.warned.has(code) || this.warned.size >= WARNINGS_MAX) return;
    this.warned.add(code);
    this.warning(code, message);
  }
}

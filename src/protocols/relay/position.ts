import type { Frame } from '../../media/mod.ts';
import type { RelayPosition } from './messages.ts';

/** A holder that is behind the puller may take as many live frames to catch up; beyond that its times are another timeline's. */
const BEHIND_FRAMES_MAX = 2_000;

/** The index of a frame's track in its segment's tracks; -1 if it is not among them. */
export function trackIndex({ segment: { tracks }, track }: Frame): number {
  const index = tracks.indexOf(track);
  // A rendition's maker may bring an equal object with each frame.
  return index >= 0 ? index : tracks.findIndex(({ kind, id }) => kind === track.kind && id === track.id);
}

/** Tells frames that a puller has from those it has not. All nodes see the frames of a stream in the same order. */
export class ResumeFilter {
  private readonly position: RelayPosition;
  private behind = 0;

  constructor(position: RelayPosition) {
    this.position = position;
  }

  /**
   * Whether what is cached, and what comes after it, has all frames behind the position: since it has a frame at the position, or ends before it. Other
   * numbers alone say nothing: a stream that took the place of another one is renumbered.
   */
  covers(cached: readonly Frame[]): boolean {
    const last = cached.at(-1);
    if (last === undefined || last.segment.discontinuity < this.position.discontinuity) return false;
    return this.isOld(last) || cached.some((frame) => this.isAt(frame));
  }

  isOld(frame: Frame): boolean {
    const { position } = this;
    const { discontinuity, sequence } = frame.segment;
    if (discontinuity !== position.discontinuity) return discontinuity < position.discontinuity;
    if (sequence !== position.sequence) return sequence < position.sequence;
    const index = trackIndex(frame);
    const last = position.tracks.find(({ track }) => track === index);
    return last !== undefined && frame.dts <= last.dts;
  }

  private isAt(frame: Frame): boolean {
    if (frame.segment.discontinuity !== this.position.discontinuity) return false;
    const index = trackIndex(frame);
    return this.position.tracks.some(({ track, dts }) => track === index && dts === frame.dts);
  }

  /** A live frame was an old one. True when there have been too many to wait for the others. */
  countBehind(): boolean {
    this.behind++;
    return this.behind > BEHIND_FRAMES_MAX;
  }
}

import { type MediaTime, type MonotonicMs, mediaTime, msToTicks, ticksToMs } from '../core/mod.ts';
import type { SourceFrame } from './frame.ts';

/** A source's clock that leaps further than this past everything seen is re-anchored instead of leaving a hole. */
const FORWARD_JUMP_MS_MAX = 10_000;
/** A timestamp going back by up to this within its track is jitter and becomes the last one plus one tick; more is a jump. */
const BACKWARD_JITTER_MS_MAX = 250;
/** Presentation further than this after decoding is a broken composition time and is taken as zero. */
const COMPOSITION_MS_MAX = 10_000;
/** How long the clock before a jump stays valid for tracks that have not jumped yet. */
const OLD_ANCHOR_MS = 2_000;
/** Frames of one track are hardly further apart, and tracks of one source hardly out of step by more. */
const STEP_MS_MAX = 1_000;
/** Where a timeline begins, so that a track which starts a little before the first frame still gets a positive time. */
const TIMELINE_START_MS = 1_000;

/** One mapping of the source's clock to the timeline: the same shift for all tracks, so that they stay in sync. */
interface Anchor {
  shiftMs: number;
  /** The latest source time seen under this anchor, in ms. */
  headMs: number;
  usedAt: number;
  /** The latest source time per track id, in ms. */
  readonly latest: Map<number, number>;
}

interface TrackPosition {
  timescale: number;
  /** The last decoding time given out, in ticks. */
  dts: number;
  /** The last distance between two frames, in ms. */
  stepMs: number;
  /** When the last frame came. */
  now: number;
}

/** A frame's place on the timeline, in ticks of its track. */
export interface RebasedTime {
  readonly dts: MediaTime;
  readonly pts: MediaTime;
  /** Whether the source's clock was re-anchored at this frame. */
  readonly jumped: boolean;
}

/**
 * Shifts the clocks of successive sources onto one timeline. Within a track dts only grows. A new source, or one whose
 * timestamps jump, goes on at the last time given out plus the monotonic time that has passed since.
 * When tracks jump one after the other, the clock before the jump stays in force for those that have not jumped yet.
 */
export class SourceClock {
  private anchor: Anchor | undefined;
  private previous: Anchor | undefined;
  private readonly positions = new Map<number, TrackPosition>();
  /** Where the first frame goes. */
  private startMs = TIMELINE_START_MS;
  private headMs: number | undefined;
  private lastNow = 0;
  private jumpCount = 0;

  /** How often a source's timestamps jumped; new sources are not counted. */
  get jumps(): number {
    return this.jumpCount;
  }

  /** What is added to the source's times, in ms; undefined before its first frame. */
  get shiftMs(): number | undefined {
    return this.anchor?.shiftMs;
  }

  /** The timeline began so long before its first frame. To be called before that. */
  beganBefore(elapsedMs: number): void {
    this.startMs = TIMELINE_START_MS + Math.max(0, elapsedMs);
  }

  /** Everything that follows is so much later. */
  delay(ms: number): void {
    for (const anchor of [this.anchor, this.previous]) if (anchor !== undefined) anchor.shiftMs += ms;
  }

  /** The frames that follow come from another source with a clock of its own. */
  newSource(): void {
    this.anchor = undefined;
    this.previous = undefined;
  }

  rebase(frame: SourceFrame, now: MonotonicMs): RebasedTime {
    const { id, timescale } = frame.track;
    const sourceMs = ticksToMs(frame.dts, timescale);
    const position = this.position(id, timescale);
    const jumps = this.jumpCount;
    const anchor = this.anchorFor(id, sourceMs, position, now);
    const shift = msToTicks(anchor.shiftMs, timescale);
    const dts = Math.max(frame.dts + shift, position.dts + 1, 0);
    const composition = frame.pts - frame.dts;
    const usable = composition >= 0 && composition <= (COMPOSITION_MS_MAX * timescale) / 1000;
    const pts = Math.max(dts, usable ? frame.pts + shift : dts);

    anchor.headMs = Math.max(anchor.headMs, sourceMs);
    anchor.latest.set(id, sourceMs);
    anchor.usedAt = now;
    if (position.dts >= 0) position.stepMs = ticksToMs(dts - position.dts, timescale);
    position.dts = dts;
    position.now = now;
    this.headMs = Math.max(this.headMs ?? 0, ticksToMs(dts, timescale));
    this.lastNow = now;
    return { dts: mediaTime(dts), pts: mediaTime(pts), jumped: this.jumpCount !== jumps };
  }

  private position(id: number, timescale: number): TrackPosition {
    let position = this.positions.get(id);
    if (position === undefined) {
      position = { timescale, dts: -1, stepMs: 0, now: 0 };
      this.positions.set(id, position);
    } else if (position.timescale !== timescale) {
      if (position.dts >= 0) position.dts = Math.ceil((position.dts * timescale) / position.timescale);
      position.timescale = timescale;
    }
    return position;
  }

  private anchorFor(id: number, sourceMs: number, position: TrackPosition, now: MonotonicMs): Anchor {
    const { anchor, previous } = this;
    if (anchor !== undefined) {
      if (fits(anchor, id, sourceMs)) return anchor;
      if (previous !== undefined && now - previous.usedAt <= OLD_ANCHOR_MS && fits(previous, id, sourceMs)) return previous;
      this.jumpCount++;
      this.previous = anchor;
    }
    const targetMs = this.continuation(position, now, anchor === undefined);
    this.anchor = { shiftMs: targetMs - sourceMs, headMs: sourceMs, usedAt: now, latest: new Map() };
    return this.anchor;
  }

  /** Where on the timeline a re-anchored frame goes, in ms. */
  private continuation(position: TrackPosition, now: MonotonicMs, isNewSource: boolean): number {
    if (this.headMs === undefined) return this.startMs;
    const afterHeadMs = this.headMs + now - this.lastNow;
    if (isNewSource || position.dts < 0) return afterHeadMs;
    // After the track's own last frame the rhythm is kept exactly; at least by a frame's length, for a jump in the middle of a burst.
    const afterOwnMs = ticksToMs(position.dts, position.timescale) + Math.max(now - position.now, Math.min(position.stepMs, STEP_MS_MAX));
    return Math.abs(afterOwnMs - afterHeadMs) > STEP_MS_MAX ? afterHeadMs : afterOwnMs;
  }
}

function fits(anchor: Anchor, id: number, sourceMs: number): boolean {
  if (sourceMs - anchor.headMs > FORWARD_JUMP_MS_MAX) return false;
  const latest = anchor.latest.get(id);
  return latest === undefined ? anchor.headMs - sourceMs <= FORWARD_JUMP_MS_MAX : latest - sourceMs <= BACKWARD_JITTER_MS_MAX;
}

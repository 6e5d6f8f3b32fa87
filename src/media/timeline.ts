import { type DurationMs, type MonotonicMs, monotonicMs, ticksToMs, type WallMs, wallMs } from '../core/mod.ts';
import { CatchUp } from './catch-up.ts';
import { ClockDrift } from './clock-drift.ts';
import type { Frame, SegmentStamp, SourceFrame } from './frame.ts';
import { type RebasedTime, SourceClock } from './source-clock.ts';
import type { Track } from './track.ts';
import { TrackRoster } from './track-roster.ts';

/** How long the first frames of a source are kept back for a second kind of track to show up. */
const GATHER_MS_MAX = 1_000;
const GATHER_FRAMES_MAX = 512;
/** A keyframe this much before the segment's target still cuts it: encoders round timestamps. */
const CUT_TOLERANCE_MS = 50;
/** A segment without any keyframe for this long is cut in mid-GOP, to bound what packagers hold. */
const SEGMENT_MS_MAX = 30_000;
/** When the lead track falls this far behind another, it counts as gone and the other leads. */
const LEAD_SILENT_MS_MAX = 5_000;
/** PROGRAM-DATE-TIME follows the media clock until it is this far from the wall clock. */
const WALL_DRIFT_MS_MAX = 1_000;

export interface TimelineOptions {
  /** Segments are cut at the first lead keyframe from here on. */
  readonly segmentTargetMs: DurationMs;
  readonly partTargetMs: DurationMs;
  /** Frames of further tracks are dropped. */
  readonly tracksMax: number;
  /** When the stream began, if that was elsewhere: its times go on from there. */
  readonly startedWallMs?: WallMs;
  /** Of the first segment; 0 unless the stream began elsewhere. */
  readonly firstDiscontinuity?: number;
}

/** Takes the stamped frames, in order. */
export interface TimelineOutput {
  frame(frame: Frame): void;
}

interface Arrival extends RebasedTime {
  readonly source: SourceFrame;
  readonly track: Track;
  readonly now: MonotonicMs;
  readonly wall: WallMs;
}

/** The open segment and part; times are ticks of the lead track. */
interface Open {
  readonly stamp: SegmentStamp;
  readonly lead: Track;
  readonly startDts: number;
  /** What a segment's length counts from when it is to be cut: of one that begins with repeated pictures, the keyframe's first time. */
  cutFromDts: number;
  part: number;
  partStartDts: number;
  leadDts: number;
}

/**
 * Stamps each frame with its place in segments and parts, once for all outputs (see {@link SegmentStamp}).
 *
 * - The lead track is the first video track, else the first audio track. Segments begin at its keyframes; a GOP longer than
 *   30 s is cut in its middle. Parts never exceed the target while frames are evenly spaced (RFC 8216bis 4.4.4.9).
 * - The first frames of a source wait up to 1 s for both a video and an audio track, so that the first segment has both.
 * - Frames before the first lead keyframe are dropped. A track that appears later, or changes its configuration, is dropped
 *   until the next lead keyframe and begins there with a discontinuity; a video track takes over the lead at its keyframe.
 * - A jump of timestamps is re-anchored at once by {@link SourceClock} and marked by a discontinuity at the next lead keyframe.
 * - A lead track 5 s behind another is given up with a discontinuity, until it comes back.
 */
export class Timeline {
  private readonly out: TimelineOutput;
  private readonly options: TimelineOptions;
  private readonly clock = new SourceClock();
  private readonly drift = new ClockDrift();
  private readonly roster: TrackRoster;
  private gathered: Arrival[] | undefined = [];
  private open: Open | undefined;
  /** The last stamp ever made, kept over changes of source. */
  private last: SegmentStamp | undefined;
  private isDiscontinuityDue = false;
  /** The last numbers of what came from elsewhere, until the first segment behind it. */
  private takenOver: { readonly sequence: number; readonly discontinuity: number } | undefined;
  /** While pictures have their times from a group that came out twice. */
  private catchUp: CatchUp | undefined;
  private hasBegun = false;
  private targetDurationS: number;
  private leadStep = 0;
  /** Wall time of the timeline's zero. */
  private zeroWallMs: number | undefined;
  private dropped = 0;

  constructor(out: TimelineOutput, options: TimelineOptions) {
    this.out = out;
    this.options = options;
    this.roster = new TrackRoster(options.tracksMax);
    this.targetDurationS = Math.max(1, Math.round(options.segmentTargetMs / 1000));
  }

  /** How often timestamps jumped. */
  get jumps(): number {
    return this.clock.jumps;
  }

  /** By how many ms the present source's timestamps have run ahead of the clock since it began or they jumped; negative: fallen behind. */
  get driftMs(): number {
    return this.drift.ms;
  }

  /** Frames dropped because no lead keyframe had come, their track was not yet in force, or there were too many tracks. */
  get droppedFrames(): number {
    return this.dropped;
  }

  /** What is added to the present source's times to get the timeline's, in ms; undefined before its first frame. */
  get shiftMs(): number | undefined {
    return this.clock.shiftMs;
  }

  /** The lead track of the frames now coming out. */
  get lead(): Track | undefined {
    return this.open?.lead;
  }

  /** The frames that follow come from another source: they continue at the last time plus what has passed, after a discontinuity. */
  newSource(): void {
    this.closeSegment();
    this.clock.newSource();
    this.drift.restart();
    this.roster.clear();
    this.gathered = [];
    this.isDiscontinuityDue = false;
  }

  /**
   * What follows, from the next lead keyframe on, takes the place of the same stream from elsewhere, after a discontinuity: segments are numbered from the wall
   * clock again, and from `after` at least; discontinuities go on behind the greatest that there was.
   */
  renumber(after: { readonly sequence?: number; readonly discontinuity: number }): void {
    this.closeSegment();
    this.takenOver = { sequence: after.sequence ?? 0, discontinuity: after.discontinuity };
    this.isDiscontinuityDue = true;
  }

  /** What follows is so much later on the timeline, all tracks alike. */
  delay(ms: number): void {
    this.clock.delay(ms);
    this.drift.restart();
  }

  /**
   * Pictures of the lead track that were the last ones to come out, from a keyframe on, come out once more, so that what follows can be decoded at once: see
   * {@link CatchUp}. False if they cannot, as the source has other tracks by now.
   */
  repeat(pictures: readonly Frame[], wall: WallMs): boolean {
    const [first, ...others] = pictures;
    if (first === undefined || first.track !== this.roster.lead || this.gathered !== undefined) return false;
    this.catchUp = new CatchUp([first, ...others]);
    for (const source of pictures) {
      const { track, dts, pts, receivedMs } = source;
      this.place({ source, track, ...this.catchUp.place(dts, pts), jumped: false, now: monotonicMs(receivedMs), wall });
    }
    if (this.open !== undefined) this.open.cutFromDts = first.dts;
    return true;
  }

  /** Takes the next frame of the source, read at `now` and `wall`. */
  write(source: SourceFrame, now: MonotonicMs, wall: WallMs): void {
    const track = this.roster.admit(source.track);
    if (track === undefined) {
      this.dropped++;
      return;
    }
    if (!this.hasBegun) this.begin(wall);
    const arrival: Arrival = { ...this.rebase(source, now), source, track, now, wall };
    if (arrival.jumped) this.drift.restart();
    if (track.id === this.roster.lead?.id) this.drift.observe(track.id, dtsMs(arrival), now);
    if (this.gathered === undefined) {
      this.place(arrival);
      return;
    }
    this.gathered.push(arrival);
    if (this.isGathered(this.gathered, now)) {
      const { gathered } = this;
      this.gathered = undefined;
      for (const held of gathered) this.place(held);
    }
  }

  private rebase(source: SourceFrame, now: MonotonicMs): RebasedTime {
    const rebased = this.clock.rebase(source, now);
    const { catchUp } = this;
    if (catchUp?.isOf(source.track) !== true) return rebased;
    if (!catchUp.isOver(rebased.dts)) return { ...catchUp.place(rebased.dts, rebased.pts), jumped: rebased.jumped };
    this.catchUp = undefined;
    return rebased;
  }

  private begin(wall: WallMs): void {
    this.hasBegun = true;
    const { startedWallMs } = this.options;
    if (startedWallMs !== undefined) this.clock.beganBefore(wall - startedWallMs);
  }

  private isGathered(gathered: readonly Arrival[], now: MonotonicMs): boolean {
    const first = gathered[0];
    const latest = gathered.at(-1);
    if (first === undefined || latest === undefined || gathered.length >= GATHER_FRAMES_MAX) return true;
    const kinds = new Set(this.roster.tracks.map((track) => track.kind));
    return kinds.size > 1 || now - first.now >= GATHER_MS_MAX || dtsMs(latest) - dtsMs(first) >= GATHER_MS_MAX;
  }

  private place(arrival: Arrival): void {
    if (arrival.jumped) this.isDiscontinuityDue = true;
    const isLeadKeyframe = arrival.source.isKeyframe && arrival.track.id === this.roster.lead?.id;
    const isChangeDue = this.isDiscontinuityDue || this.open?.stamp.tracks !== this.roster.tracks;
    if (isLeadKeyframe && isChangeDue && arrival.track === this.roster.lead) {
      this.startSegment(arrival, 1);
      return;
    }
    const { open } = this;
    if (open === undefined || !open.stamp.tracks.includes(arrival.track)) {
      this.dropped++;
      return;
    }
    if (arrival.track.id === open.lead.id) this.placeLead(open, arrival);
    else this.placeOther(open, arrival);
  }

  private placeLead(open: Open, arrival: Arrival): void {
    const { timescale } = open.lead;
    this.leadStep = arrival.dts - open.leadDts;
    const elapsedMs = ticksToMs(arrival.dts - open.cutFromDts, timescale);
    const isLongEnough = elapsedMs >= this.options.segmentTargetMs - CUT_TOLERANCE_MS;
    if ((isLongEnough && arrival.source.isKeyframe) || elapsedMs >= SEGMENT_MS_MAX) {
      this.startSegment(arrival, 0);
      return;
    }
    const partMs = ticksToMs(arrival.dts + this.leadStep - open.partStartDts, timescale);
    const startsPart = partMs > this.options.partTargetMs;
    if (startsPart) {
      open.part++;
      open.partStartDts = arrival.dts;
    }
    open.leadDts = arrival.dts;
    this.emit(open, arrival, startsPart);
  }

  private placeOther(open: Open, arrival: Arrival): void {
    const behindMs = dtsMs(arrival) - ticksToMs(open.leadDts, open.lead.timescale);
    if (behindMs > LEAD_SILENT_MS_MAX) {
      this.roster.remove(open.lead.id);
      if (arrival.track === this.roster.lead && arrival.source.isKeyframe) {
        this.startSegment(arrival, 1);
        return;
      }
    }
    this.emit(open, arrival, false);
  }

  private startSegment(arrival: Arrival, discontinuities: 0 | 1): void {
    if (discontinuities === 0 && this.open !== undefined) this.growTarget(arrival.dts - this.open.startDts, this.open.lead);
    else this.closeSegment();
    const startMs = this.wallOf(arrival);
    const { last } = this;
    const stamp: SegmentStamp = {
      sequence: this.nextSequence(arrival.wall),
      discontinuity: this.nextDiscontinuity(discontinuities),
      startMs,
      targetDurationS: this.targetDurationS,
      partTargetMs: this.options.partTargetMs,
      tracks: discontinuities === 0 && last !== undefined ? last.tracks : this.roster.tracks,
    };
    this.last = stamp;
    this.takenOver = undefined;
    if (discontinuities === 1) this.isDiscontinuityDue = false;
    const { track: lead, dts } = arrival;
    this.open = { stamp, lead, startDts: dts, cutFromDts: dts, part: 0, partStartDts: dts, leadDts: dts };
    this.emit(this.open, arrival, true);
  }

  /**
   * Numbers begin with the Unix time in seconds and grow by at most one a second, so whoever goes on with a stream that ended elsewhere has greater ones without
   * having to ask.
   */
  private nextSequence(wall: WallMs): number {
    const initial = Math.floor(wall / 1000);
    const { last, takenOver } = this;
    if (last !== undefined && takenOver === undefined) return last.sequence + 1;
    return Math.max(initial, (last?.sequence ?? 0) + 1, (takenOver?.sequence ?? 0) + 1);
  }

  /** Small numbers: players keep lists by them. */
  private nextDiscontinuity(step: number): number {
    const { last, takenOver } = this;
    const next = last === undefined ? (this.options.firstDiscontinuity ?? 0) : last.discontinuity + step;
    return takenOver === undefined ? next : Math.max(next, takenOver.discontinuity + 1);
  }

  /** Ends the open segment where its last lead frame ends. */
  private closeSegment(): void {
    const { open } = this;
    if (open === undefined) return;
    this.growTarget(open.leadDts + this.leadStep - open.startDts, open.lead);
    this.open = undefined;
    this.leadStep = 0;
  }

  /** RFC 8216bis 4.4.3.1: no segment's duration, rounded, exceeds the target duration. */
  private growTarget(durationTicks: number, lead: Track): void {
    this.targetDurationS = Math.max(this.targetDurationS, Math.round(ticksToMs(durationTicks, lead.timescale) / 1000));
  }

  private wallOf(arrival: Arrival): WallMs {
    const mediaMs = dtsMs(arrival);
    if (this.zeroWallMs === undefined || Math.abs(this.zeroWallMs + mediaMs - arrival.wall) > WALL_DRIFT_MS_MAX) {
      this.zeroWallMs = arrival.wall - mediaMs;
    }
    return wallMs(Math.round(this.zeroWallMs + mediaMs));
  }

  private emit(open: Open, arrival: Arrival, startsPart: boolean): void {
    const { source, track, dts, pts, now } = arrival;
    const frame: Frame = {
      track,
      dts,
      pts,
      isKeyframe: source.isKeyframe,
      payload: source.payload,
      segment: open.stamp,
      part: open.part,
      startsPart,
      receivedMs: now,
    };
    this.out.frame(source.captureMs === undefined ? frame : { ...frame, captureMs: source.captureMs });
  }
}

const dtsMs = (arrival: Arrival): number => ticksToMs(arrival.dts, arrival.track.timescale);

import { type MonotonicMs, type SizeBytes, ticksToMs } from '../core/mod.ts';
import type { Frame, Track } from '../media/mod.ts';
import { GopCache } from './gop-cache.ts';
import type { Sink, StreamEnd } from './ports.ts';
import { SlidingRate } from './sliding-rate.ts';
import { TimestampRate } from './timestamp-rate.ts';

/** What a {@link FrameFan} counts of what passes. */
export interface FanCounts {
  readonly framesIn: number;
  readonly bytesIn: number;
  readonly keyframeIntervalMs: number;
  readonly gopBytes: number;
}

/** What a {@link FrameFan} measures of what passes. */
export interface FanStats extends FanCounts {
  readonly bitrateBps: number;
  readonly frameRate: number;
}

/** Stamped frames on their way to every sink, with what a new sink starts from. */
export class FrameFan {
  tracks: readonly Track[] = [];
  /** Whether frames of the present tracks came in another order than they are shown (B-frames). */
  hasReorderedFrames = false;
  private readonly sinkFailed: (error: unknown) => void;
  private readonly watched: (isWatched: boolean) => void;
  private readonly gop: GopCache;
  // A new array on each change, so that a loop over the old one is not disturbed.
  private sinks: readonly Sink[] = [];
  /** `stalled`: nothing comes, but what is open may still be completed. */
  private flow: 'live' | 'held' | 'stalled' = 'live';
  private endedAs: StreamEnd | undefined = undefined;
  private framesIn = 0;
  private bytesIn = 0;
  private readonly bytesRate = new SlidingRate();
  private readonly leadRate = new SlidingRate();
  private readonly leadTimes = new TimestampRate();
  private lastNow: MonotonicMs;
  private keyframeMs: number | undefined;
  private keyframeIntervalMs = 0;
  private leadPts = Number.NEGATIVE_INFINITY;

  /** `sinkFailed`: a sink threw and was detached. `watched`: the first sink came, or the last one left. */
  constructor(
    gopCacheBytesMax: SizeBytes,
    sinkFailed: (error: unknown) => void,
    now: MonotonicMs,
    watched: (isWatched: boolean) => void = () => undefined,
  ) {
    this.gop = new GopCache(gopCacheBytesMax);
    this.sinkFailed = sinkFailed;
    this.watched = watched;
    this.lastNow = now;
  }

  /** Counts what came in, before it is stamped. */
  received(bytes: number, now: MonotonicMs): void {
    this.framesIn++;
    this.bytesIn += bytes;
    this.lastNow = now;
    this.bytesRate.add(bytes, now);
  }

  deliver(frame: Frame): void {
    const lead = frame.segment.tracks[0];
    if (lead === undefined) return;
    this.flow = 'live';
    if (frame.segment.tracks !== this.tracks) this.begin(frame.segment.tracks);
    this.gop.push(frame, lead);
    if (frame.track.id === lead.id) this.measureLead(frame);
    this.eachSink((sink) => sink.frame(frame));
  }

  /** A source goes on after a change or a break. */
  resume(): void {
    this.flow = 'live';
    this.keyframeMs = undefined;
  }

  /** What is kept for new sinks is of no use any more. */
  forget(): void {
    this.tracks = [];
    this.keyframeMs = undefined;
    this.gop.clear();
  }

  hold(): void {
    this.flow = 'held';
    this.eachSink((sink) => sink.paused());
  }

  /** Whether its source broke off, and has not gone on. */
  get isStalled(): boolean {
    return this.flow === 'stalled';
  }

  /** Nothing comes for now; what comes next may be right behind the last frame, so sinks are not told. */
  stall(): void {
    if (this.flow === 'live') this.flow = 'stalled';
  }

  /** Frames are missing before the next one. */
  gap(): void {
    this.keyframeMs = undefined;
    this.gop.clear();
    this.eachSink((sink) => sink.gap?.());
  }

  end(end: StreamEnd): void {
    // What a sink has in part would be taken for whole.
    if (this.flow === 'stalled') this.gap();
    this.endedAs = end;
    this.eachSink((sink) => sink.ended(end));
    this.sinks = [];
    this.gop.clear();
  }

  /** The newest keyframe of the pictures; undefined while there is none that is kept, and where sound leads. */
  get keyframe(): Frame | undefined {
    const { keyframe } = this.gop;
    return keyframe?.track.kind === 'video' ? keyframe : undefined;
  }

  /** The newest keyframe of the pictures, as far as it is kept, and those that came after it. */
  get pictures(): readonly Frame[] {
    return this.gop.pictures;
  }

  get isWatched(): boolean {
    return this.sinks.length > 0;
  }

  attach(sink: Sink, from: 'keyframe' | 'segment'): () => void {
    const detach = (): void => this.detach(sink);
    const { tracks, gop, endedAs } = this;
    if (endedAs !== undefined) {
      this.call(sink, (it) => it.ended(endedAs));
      return detach;
    }
    this.sinks = [...this.sinks, sink];
    if (this.sinks.length === 1) this.watched(true);
    this.call(sink, (it) => {
      if (tracks.length > 0) it.tracks(tracks);
      for (const frame of from === 'keyframe' ? gop.gop : gop.segments) it.frame(frame);
      if (this.flow === 'held') it.paused();
    });
    return detach;
  }

  counts(): FanCounts {
    return {
      framesIn: this.framesIn,
      bytesIn: this.bytesIn,
      keyframeIntervalMs: this.keyframeIntervalMs,
      gopBytes: this.gop.sizeBytes,
    };
  }

  stats(): FanStats {
    const isLive = this.flow === 'live' && this.endedAs === undefined;
    return {
      ...this.counts(),
      bitrateBps: isLive ? Math.round(this.bytesRate.perSecond(this.lastNow) * 8) : 0,
      frameRate: isLive ? Math.round(this.frameRate() * 100) / 100 : 0,
    };
  }

  private begin(tracks: readonly Track[]): void {
    this.tracks = tracks;
    this.hasReorderedFrames = false;
    this.leadPts = Number.NEGATIVE_INFINITY;
    this.leadTimes.restart();
    this.gop.clear();
    this.eachSink((sink) => sink.tracks(tracks));
  }

  /** As frames come, but no more than their timestamps say: some come all at once, at the start or after a delay. */
  private frameRate(): number {
    return Math.min(this.leadRate.perSecond(this.lastNow), this.leadTimes.perSecond);
  }

  private measureLead(frame: Frame): void {
    const ms = ticksToMs(frame.dts, frame.track.timescale);
    this.leadRate.add(1, this.lastNow);
    this.leadTimes.add(ms);
    if (frame.pts < this.leadPts) this.hasReorderedFrames = true;
    this.leadPts = frame.pts;
    if (frame.track.kind !== 'video' || !frame.isKeyframe) return;
    if (this.keyframeMs !== undefined) this.keyframeIntervalMs = Math.round(ms - this.keyframeMs);
    this.keyframeMs = ms;
  }

  private eachSink(act: (sink: Sink) => void): void {
    const { sinks } = this;
    for (const sink of sinks) {
      // No call follows a detachment, also when another sink asked for it in this very loop.
      if (sinks === this.sinks || this.sinks.includes(sink)) this.call(sink, act);
    }
  }

  private call(sink: Sink, act: (sink: Sink) => void): void {
    try {
      act(sink);
    } catch (error) {
      this.detach(sink);
      this.sinkFailed(error);
    }
  }

  private detach(sink: Sink): void {
    if (!this.sinks.includes(sink)) return;
    this.sinks = this.sinks.filter((other) => other !== sink);
    if (this.sinks.length === 0) this.watched(false);
  }
}

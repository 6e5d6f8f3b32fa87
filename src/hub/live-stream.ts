import {
  type BitrateBps,
  bitrateBps,
  type DurationMs,
  type MonotonicMs,
  type SizeBytes,
  type StreamRef,
  ticksToMs,
  type WallMs,
} from '../core/mod.ts';
import { type Frame, type SourceFrame, Timeline, type Track } from '../media/mod.ts';
import { GopCache } from './gop-cache.ts';
import type { HubListener, Sink } from './ports.ts';
import { SlidingRate } from './sliding-rate.ts';

/** Who publishes a stream. */
export type PublisherInfo = {
  readonly protocol: 'rtmp';
  readonly address: string;
  /** The encoder's name as it says; may be empty. */
  readonly agent: string;
};

/** Counters and gauges of one stream. */
export interface StreamStats {
  readonly framesIn: number;
  readonly bytesIn: number;
  /** Payload bits per second over the last seconds of input. */
  readonly bitrateBps: BitrateBps;
  /** Frames a second of the lead track; 0 until known. */
  readonly frameRate: number;
  /** The distance between the last two lead keyframes; 0 until known, and for audio alone. */
  readonly keyframeIntervalMs: number;
  readonly timestampJumps: number;
  readonly gopBytes: number;
  readonly droppedBeforeKeyframe: number;
}

/** A stream that somebody publishes, or that is held over a drop. */
export interface LiveStream {
  readonly ref: StreamRef;
  /** The present publisher, or the last one while the stream is held. */
  readonly publisher: PublisherInfo;
  /** The tracks in force; empty until the first frame. */
  readonly tracks: readonly Track[];
  readonly state: 'live' | 'held';
  readonly startedWallMs: WallMs;
  /** Viewers by protocol (`flv`, `rtmp`, `hls`), set by the outputs. */
  readonly viewers: Map<string, number>;
  /**
   * Replays the tracks and the frames since the last lead keyframe (or since the beginning of the last whole segment, as far as
   * it is kept) into `sink` before it returns; live frames follow.
   * Returns a function that detaches; it may be called at any time and more than once.
   */
  attach(sink: Sink, from?: 'keyframe' | 'segment'): () => void;
  stats(): StreamStats;
}

/** What the hub needs to make a stream. */
export interface StreamOptions {
  readonly segmentTargetMs: DurationMs;
  readonly partTargetMs: DurationMs;
  readonly gopCacheBytesMax: SizeBytes;
  readonly tracksMax: number;
}

/** The hub's own side of a stream: frames come in here and go out to every sink. */
export class FanOut implements LiveStream {
  readonly ref: StreamRef;
  publisher: PublisherInfo;
  readonly startedWallMs: WallMs;
  readonly viewers: Map<string, number> = new Map();
  state: 'live' | 'held' = 'live';
  tracks: readonly Track[] = [];
  private readonly listener: HubListener;
  private readonly timeline: Timeline;
  private readonly gop: GopCache;
  // A new array on each change, so that a loop over the old one is not disturbed.
  private sinks: readonly Sink[] = [];
  private isOver = false;
  private framesIn = 0;
  private bytesIn = 0;
  private readonly bytesRate = new SlidingRate();
  private readonly leadRate = new SlidingRate();
  private lastNow: MonotonicMs;
  private keyframeMs: number | undefined;
  private keyframeIntervalMs = 0;

  constructor(ref: StreamRef, publisher: PublisherInfo, listener: HubListener, options: StreamOptions, now: MonotonicMs, wall: WallMs) {
    this.ref = ref;
    this.publisher = publisher;
    this.listener = listener;
    this.lastNow = now;
    this.startedWallMs = wall;
    this.gop = new GopCache(options.gopCacheBytesMax);
    this.timeline = new Timeline({ frame: (frame) => this.deliver(frame) }, options);
  }

  write(frame: SourceFrame, now: MonotonicMs, wall: WallMs): void {
    this.framesIn++;
    this.bytesIn += frame.payload.length;
    this.lastNow = now;
    this.bytesRate.add(frame.payload.length, now);
    this.timeline.write(frame, now, wall);
  }

  /** Another source goes on with the stream. */
  resume(publisher: PublisherInfo): void {
    this.publisher = publisher;
    this.state = 'live';
    this.keyframeMs = undefined;
    this.timeline.newSource();
  }

  hold(): void {
    this.state = 'held';
    this.eachSink((sink) => sink.paused());
  }

  end(): void {
    this.isOver = true;
    this.eachSink((sink) => sink.ended());
    this.sinks = [];
    this.gop.clear();
  }

  attach(sink: Sink, from: 'keyframe' | 'segment' = 'keyframe'): () => void {
    const detach = (): void => this.detach(sink);
    if (this.isOver) {
      this.call(sink, (it) => it.ended());
      return detach;
    }
    const { tracks, gop } = this;
    this.sinks = [...this.sinks, sink];
    this.call(sink, (it) => {
      if (tracks.length > 0) it.tracks(tracks);
      for (const frame of from === 'keyframe' ? gop.gop : gop.segments) it.frame(frame);
      if (this.state === 'held') it.paused();
    });
    return detach;
  }

  stats(): StreamStats {
    const isLive = this.state === 'live' && !this.isOver;
    return {
      framesIn: this.framesIn,
      bytesIn: this.bytesIn,
      bitrateBps: bitrateBps(isLive ? Math.round(this.bytesRate.perSecond(this.lastNow) * 8) : 0),
      frameRate: isLive ? Math.round(this.leadRate.perSecond(this.lastNow) * 100) / 100 : 0,
      keyframeIntervalMs: this.keyframeIntervalMs,
      timestampJumps: this.timeline.jumps,
      gopBytes: this.gop.sizeBytes,
      droppedBeforeKeyframe: this.timeline.droppedFrames,
    };
  }

  private deliver(frame: Frame): void {
    const lead = frame.segment.tracks[0];
    if (lead === undefined) return;
    if (frame.segment.tracks !== this.tracks) {
      this.tracks = frame.segment.tracks;
      this.gop.clear();
      this.eachSink((sink) => sink.tracks(this.tracks));
    }
    this.gop.push(frame, lead);
    if (frame.track.id === lead.id) this.measureLead(frame);
    this.eachSink((sink) => sink.frame(frame));
  }

  private measureLead(frame: Frame): void {
    this.leadRate.add(1, this.lastNow);
    if (frame.track.kind !== 'video' || !frame.isKeyframe) return;
    const ms = ticksToMs(frame.dts, frame.track.timescale);
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
      this.listener.sinkFailed(this.ref, error);
    }
  }

  private detach(sink: Sink): void {
    this.sinks = this.sinks.filter((other) => other !== sink);
  }
}

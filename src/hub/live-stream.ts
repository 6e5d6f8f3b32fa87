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
import { type Frame, type SegmentStamp, type SourceFrame, shifted, Timeline, type Track } from '../media/mod.ts';
import { DeliveryLatency, type LatencyQuantiles } from './delivery-latency.ts';
import { FrameFan } from './frame-fan.ts';
import type { FrameSource, HubListener, Sink, SourceListener, StreamEnd } from './ports.ts';
import {
  type RelayedRenditionInput,
  type Rendition,
  type RenditionInput,
  type RenditionMaker,
  type RenditionOffer,
  RenditionSet,
} from './rendition.ts';

/** Who publishes a stream; `relay`: another node of the cluster brings it. */
export type PublisherInfo = {
  readonly protocol: 'rtmp' | 'webrtc' | 'relay' | 'pull';
  readonly address: string;
  /** The encoder's name as it says; may be empty. */
  readonly agent: string;
};

/** What is counted of one stream, and costs next to nothing to read. */
export interface StreamCounts {
  readonly framesIn: number;
  readonly bytesIn: number;
  /** The distance between the last two lead keyframes; 0 until known, and for audio alone. */
  readonly keyframeIntervalMs: number;
  readonly timestampJumps: number;
  readonly gopBytes: number;
  readonly droppedBeforeKeyframe: number;
}

/** Counters and gauges of one stream. */
export interface StreamStats extends StreamCounts {
  /** Payload bits per second over the last seconds of input. */
  readonly bitrateBps: BitrateBps;
  /** Frames a second of the lead track; 0 until known. */
  readonly frameRate: number;
  /** By how many ms the publisher's timestamps have run ahead of the clock since it began or they jumped; negative: fallen behind. 0 until known, and of relayed streams. */
  readonly driftMs: number;
}

/** A stream that somebody publishes, or that is held over a drop. */
export interface LiveStream extends FrameSource {
  readonly ref: StreamRef;
  /** The present publisher, or the last one while the stream is held. */
  readonly publisher: PublisherInfo;
  readonly state: 'live' | 'held';
  readonly startedWallMs: WallMs;
  /** Of the newest segment. */
  readonly discontinuity: number;
  /** How far it has come on its timeline; undefined before the first frame. */
  readonly headMs: number | undefined;
  /** Viewers by protocol (`flv`, `rtmp`, `hls`, `webrtc`), set by the outputs. */
  readonly viewers: Map<string, number>;
  /** Other qualities of the same pictures by name, on the same timeline. The stream itself is the rendition `source`. */
  readonly renditions: ReadonlyMap<string, Rendition>;
  /** How many `renditions` has, which is a new map at each look. */
  readonly renditionCount: number;
  /** The newest keyframe of the pictures, as new viewers start from it: shared, not to be held on to. Undefined while none is kept, and where there is only sound. */
  readonly keyframe: Frame | undefined;
  stats(): StreamStats;
  /** The part of `stats` that is read of thousands of streams at once: rates lie in arrays that are far from all else of the stream. */
  counts(): StreamCounts;
  /**
   * From a frame's coming in until the last viewer who keeps up has been sent it, as outputs tell; undefined while nobody watches by one that does. Reading
   * it sorts what came: it is no part of the figures that are read of thousands of streams at once.
   */
  readonly latency: LatencyQuantiles | undefined;
  /** An output has sent what came in so long ago to its last viewer. */
  delivered(latencyMs: number): void;
}

/** What the hub needs to make a stream. */
export interface StreamOptions {
  readonly segmentTargetMs: DurationMs;
  readonly partTargetMs: DurationMs;
  readonly gopCacheBytesMax: SizeBytes;
  readonly tracksMax: number;
}

/** When a stream began, and its next discontinuity: of one that goes on from another node, not the first. */
export interface StreamBeginning {
  readonly startedWallMs: WallMs;
  readonly discontinuity: number;
}

/** Where the same stream was on another node when this one takes its place. */
export interface TakenPlace {
  /** The last one there. */
  readonly discontinuity: number;
  /** How far it may have come on its timeline, if that is known. */
  readonly headMs: number | undefined;
}

/** The hub's own side of a stream: frames come in here and go out to every sink. */
export class FanOut implements LiveStream {
  readonly ref: StreamRef;
  publisher: PublisherInfo;
  readonly startedWallMs: WallMs;
  readonly viewers: Map<string, number> = new Map();
  state: 'live' | 'held' = 'live';
  private readonly timeline: Timeline;
  private readonly fan: FrameFan;
  private readonly set: RenditionSet;
  private source: SourceListener;
  private isOver = false;
  private readonly deliveries = new DeliveryLatency();
  /** The newest segment, and whether it has its numbers from another node. */
  private newest: SegmentStamp | undefined = undefined;
  private latestMs: number | undefined = undefined;
  private isRelayed = false;

  constructor(
    ref: StreamRef,
    publisher: PublisherInfo,
    source: SourceListener,
    listener: HubListener,
    options: StreamOptions,
    now: MonotonicMs,
    { startedWallMs, discontinuity }: StreamBeginning,
  ) {
    this.ref = ref;
    this.publisher = publisher;
    this.source = source;
    this.startedWallMs = startedWallMs;
    const sinkFailed = (error: unknown): void => listener.sinkFailed(ref, error);
    this.fan = new FrameFan(options.gopCacheBytesMax, sinkFailed, now);
    this.set = new RenditionSet({
      pictures: () => this.fan.pictures,
      gopCacheBytesMax: options.gopCacheBytesMax,
      sinkFailed,
      changed: () => listener.renditionsChanged(ref),
    });
    this.timeline = new Timeline(
      { frame: (frame) => this.deliver(frame) },
      {
        ...options,
        startedWallMs,
        firstDiscontinuity: discontinuity,
      },
    );
  }

  get discontinuity(): number {
    return this.newest?.discontinuity ?? 0;
  }

  get headMs(): number | undefined {
    return this.latestMs;
  }

  get tracks(): readonly Track[] {
    return this.fan.tracks;
  }

  get hasReorderedFrames(): boolean {
    return this.fan.hasReorderedFrames;
  }

  get renditions(): ReadonlyMap<string, Rendition> {
    return this.set.byName;
  }

  get renditionCount(): number {
    return this.set.count;
  }

  get keyframe(): Frame | undefined {
    return this.fan.keyframe;
  }

  write(frame: SourceFrame, now: MonotonicMs, wall: WallMs): void {
    this.fan.received(frame.payload.length, now);
    this.timeline.write(frame, now, wall);
  }

  /** A frame that has its place already. */
  relayed(frame: Frame, now: MonotonicMs): void {
    this.isRelayed = true;
    if (this.state === 'held') this.fan.resume();
    this.state = 'live';
    this.fan.received(frame.payload.length, now);
    this.deliver(frame);
  }

  gap(): void {
    this.fan.gap();
  }

  relayedRendition(offer: RenditionOffer, maker: RenditionMaker, now: MonotonicMs): RelayedRenditionInput | undefined {
    return this.set.openRelayed(offer, maker, now);
  }

  /** A further quality; `clock` says whose times its frames carry: the publisher's, or the stream's timeline. Undefined when there are too many. */
  rendition(offer: RenditionOffer, clock: 'source' | 'timeline', maker: RenditionMaker, now: MonotonicMs): RenditionInput | undefined {
    return this.set.open(offer, clock === 'source' ? () => this.timeline.shiftMs : undefined, maker, now);
  }

  /** Another source goes on with the stream. */
  resume(publisher: PublisherInfo, source: SourceListener): void {
    if (this.publisher.protocol === 'relay') this.set.relayGone();
    this.publisher = publisher;
    this.source = source;
    this.state = 'live';
    this.fan.resume();
    this.set.publisherGone();
    this.timeline.newSource();
    if (this.isRelayed && this.newest !== undefined) this.timeline.renumber(this.newest);
    this.isRelayed = false;
  }

  /**
   * What comes from now on takes the place of the same stream from another node, behind all that came there; what came before here is of no use for new sinks. It begins with the pictures since the newest keyframe, which come out once more: nobody has to wait for the next one, unless the publisher makes renditions,
   * which begin at a keyframe of theirs.
   */
  takePlace({ discontinuity, headMs = 0 }: TakenPlace, wall: WallMs): void {
    const pictures = this.state === 'live' && !this.set.isFedByPublisher ? this.fan.pictures : [];
    // Two encoders' clocks run apart in time, and what viewers have must not come before it.
    const behindMs = Math.max(0, headMs - (this.latestMs ?? headMs));
    this.timeline.delay(behindMs);
    // The other node may have begun a segment in this very second.
    this.timeline.renumber({ sequence: Math.floor(wall / 1000), discontinuity });
    this.fan.forget();
    const later = pictures.map((frame) => shifted(frame, behindMs));
    if (!this.timeline.repeat(later, wall)) this.requestKeyframe();
  }

  /** A relay goes on with the stream, perhaps right behind the last frame. */
  resumeRelayed(publisher: PublisherInfo, source: SourceListener): void {
    this.publisher = publisher;
    this.source = source;
    this.state = 'live';
    this.set.publisherGone();
  }

  /** The relay broke: what is open may still be completed. */
  stall(): void {
    this.state = 'held';
    this.fan.stall();
    this.set.stall();
  }

  hold(): void {
    this.state = 'held';
    this.fan.hold();
    this.set.publisherGone();
    this.set.hold();
  }

  end(end: StreamEnd): void {
    this.isOver = true;
    this.set.end(() => this.fan.end(end));
  }

  attach(sink: Sink, from: 'keyframe' | 'segment' = 'keyframe'): () => void {
    return this.fan.attach(sink, from);
  }

  requestKeyframe(): void {
    if (this.state === 'live' && !this.isOver) this.source.keyframeWanted?.();
  }

  stats(): StreamStats {
    const stats = this.fan.stats();
    return {
      ...stats,
      ...this.timelineCounts(),
      bitrateBps: bitrateBps(stats.bitrateBps),
      driftMs: Math.round(this.timeline.driftMs),
    };
  }

  counts(): StreamCounts {
    return { ...this.fan.counts(), ...this.timelineCounts() };
  }

  get latency(): LatencyQuantiles | undefined {
    return this.isSentToViewers ? this.deliveries.quantiles() : undefined;
  }

  delivered(latencyMs: number): void {
    this.deliveries.add(latencyMs);
  }

  /** HLS is fetched, whenever its viewers like. */
  private get isSentToViewers(): boolean {
    for (const [protocol, count] of this.viewers) if (count > 0 && protocol !== 'hls') return true;
    return false;
  }

  private timelineCounts(): Pick<StreamCounts, 'timestampJumps' | 'droppedBeforeKeyframe'> {
    return { timestampJumps: this.timeline.jumps, droppedBeforeKeyframe: this.timeline.droppedFrames };
  }

  private deliver(frame: Frame): void {
    this.newest = frame.segment;
    this.latestMs = Math.max(this.latestMs ?? 0, ticksToMs(frame.dts, frame.track.timescale));
    this.fan.deliver(frame);
    this.set.follow(frame);
  }
}

import type { MonotonicMs, SizeBytes } from '../core/mod.ts';
import { AudioFollower, FollowerTimeline, type Frame, type SegmentStamp, type SourceFrame, shifted, type Track } from '../media/mod.ts';
import { type FanStats, FrameFan } from './frame-fan.ts';
import type { FrameSource, Sink } from './ports.ts';
import { MeasuredRendition, type RenditionExpectation } from './rendition-description.ts';

/** A rendition that nobody feeds any more ends after so many segments of its source: its maker may come back, as a publisher may. */
const UNFED_SEGMENTS_MAX = 5;
/** Of one stream, also those that are unfed. */
const RENDITIONS_MAX = 16;

/** Whom a rendition is for: `webrtc` is one that only stands in for a source that WebRTC cannot play. */
export type RenditionAudience = 'everybody' | 'webrtc';

/** `video`: other pictures with the source's sound; `audio`: the same sound in another codec, alone. */
export type RenditionKind = 'video' | 'audio';

/** Another quality of a stream, on the stream's timeline. */
export interface Rendition extends FrameSource {
  readonly name: string;
  readonly kind: RenditionKind;
  readonly audience: RenditionAudience;
  /** Of one that is made on demand: then it has no tracks while nobody watches. */
  readonly expected: RenditionExpectation | undefined;
  /** What is said of it to everybody: what is expected, or else what was measured (a rate of 0: not yet). Undefined before its first frame. */
  readonly described: RenditionExpectation | undefined;
  readonly isWatched: boolean;
  /** Who gets this one, by protocol (`hls`, `webrtc`), set by the outputs; who waits for it counts. Other nodes and targets that take it are none. */
  readonly viewers: Map<string, number>;
  stats(): FanStats;
}

/** What a rendition's maker is told. */
export interface RenditionMaker {
  /** A viewer cannot go on without a keyframe. */
  keyframeWanted?(): void;
  /** The first viewer came, or the last one left. */
  watched?(isWatched: boolean): void;
}

/** What a maker says of its rendition. */
export interface RenditionOffer {
  readonly name: string;
  readonly kind: RenditionKind;
  /** Everybody unless it says otherwise. */
  readonly audience?: RenditionAudience;
  /** Present: it is offered to viewers from now on, and made when somebody watches. */
  readonly expected?: RenditionExpectation;
}

/** A rendition's maker puts frames in here. After `end`, or when another maker took the rendition over, every call is ignored. */
export interface RenditionInput {
  /** The frame is given to the rendition. */
  write(frame: SourceFrame, now: MonotonicMs): void;
  /** Nothing comes for a while, since nobody watches: what is kept for new viewers would be old. */
  rest(): void;
  /** No more comes from this maker. A rendition that was offered ends; a publisher's waits a while for it to come back. */
  end(): void;
}

/** A relay puts the frames of a rendition in here, which have their places already. Calls are ignored as for a {@link RenditionInput}. */
export interface RelayedRenditionInput {
  write(frame: Frame, now: MonotonicMs): void;
  /** Frames are missing before the next one, which is a lead keyframe. */
  gap(): void;
  /**
   * What comes next was made by somebody else than what came before: it begins with the next segment, or, where that maker was lost, already with the next
   * part that has a keyframe of its own.
   */
  remade(): void;
  /** The rendition is held where it comes from. */
  paused(): void;
  /** Nothing comes for a while, since nobody watches. */
  rest(): void;
  /** The relay broke; the next frame may be right behind the last one. */
  lost(): void;
  /** No more comes. */
  end(): void;
}

export interface RenditionSetOptions {
  readonly gopCacheBytesMax: SizeBytes;
  /** Of the source since its newest keyframe, as far as they are kept: a maker may begin with these. */
  readonly pictures: () => readonly Frame[];
  readonly sinkFailed: (error: unknown) => void;
  /** A rendition began to be playable, or ended, or something else is said of it. */
  readonly changed: () => void;
}

/** The renditions of one stream beside its source. */
export class RenditionSet {
  private readonly options: RenditionSetOptions;
  private readonly entries = new Map<string, FollowingFan>();
  private sequence: number | undefined = undefined;

  constructor(options: RenditionSetOptions) {
    this.options = options;
  }

  /** Those that have something to play, or will have when somebody watches. */
  get byName(): ReadonlyMap<string, Rendition> {
    return new Map([...this.entries].filter(([, fan]) => hasSomething(fan)));
  }

  /** How many these are. */
  get count(): number {
    let count = 0;
    for (const fan of this.entries.values()) if (hasSomething(fan)) count++;
    return count;
  }

  /**
   * `shiftMs`: what is added to the times of a maker who is the publisher; absent when they are the timeline's already. Undefined when there
   * are too many renditions.
   */
  open(
    offer: RenditionOffer,
    shiftMs: (() => number | undefined) | undefined,
    maker: RenditionMaker,
    now: MonotonicMs,
  ): RenditionInput | undefined {
    const input = this.fanOf(offer, now)?.feedFrom(maker, offer.expected, shiftMs);
    if (offer.expected !== undefined && input !== undefined) this.options.changed();
    return input;
  }

  /** A rendition whose frames come with their places. */
  openRelayed(offer: RenditionOffer, maker: RenditionMaker, now: MonotonicMs): RelayedRenditionInput | undefined {
    const input = this.fanOf(offer, now)?.relayFrom(maker, offer.expected);
    if (offer.expected !== undefined && input !== undefined) this.options.changed();
    return input;
  }

  /** Whether the stream's publisher makes any of them. */
  get isFedByPublisher(): boolean {
    return [...this.entries.values()].some((fan) => fan.isFedByPublisher);
  }

  follow(frame: Frame): void {
    const isNewSegment = frame.segment.sequence !== this.sequence;
    this.sequence = frame.segment.sequence;
    for (const fan of this.entries.values()) {
      fan.follow(frame);
      if (isNewSegment && fan.isUnfed()) this.remove(fan);
    }
  }

  hold(): void {
    for (const fan of this.entries.values()) fan.hold();
  }

  stall(): void {
    for (const fan of this.entries.values()) fan.stall();
  }

  /** The stream's publisher is another one now, or none: what the former one made is not fed any more. */
  publisherGone(): void {
    for (const fan of this.entries.values()) fan.publisherGone();
  }

  /** The stream is published here from now on: what came with it from another node is not fed any more, unless somebody makes it here. */
  relayGone(): void {
    for (const fan of this.entries.values()) fan.relayGone();
  }

  /** The stream ends, by `endSource`, and its renditions behind it: whoever takes both is told that the stream is over before its rendition is, whatever makers do about it. */
  end(endSource: () => void): void {
    const fans = [...this.entries.values()];
    this.entries.clear();
    for (const fan of fans) fan.unfeed();
    endSource();
    for (const fan of fans) fan.end();
  }

  /** Undefined if there are too many. */
  private fanOf(offer: RenditionOffer, now: MonotonicMs): FollowingFan | undefined {
    const known = this.entries.get(offer.name);
    if (known?.kind === offer.kind) return known;
    if (known !== undefined) this.remove(known);
    if (this.entries.size >= RENDITIONS_MAX) return undefined;
    const fan = new FollowingFan(offer, this.options, (ended) => this.remove(ended), now);
    this.entries.set(offer.name, fan);
    if (offer.kind === 'video') for (const picture of this.options.pictures()) fan.follow(picture);
    return fan;
  }

  private remove(fan: FollowingFan): void {
    this.entries.delete(fan.name);
    fan.end();
    this.options.changed();
  }
}

const hasSomething = ({ tracks, expected }: FollowingFan): boolean => tracks.length > 0 || expected !== undefined;

class FollowingFan implements Rendition {
  readonly name: string;
  readonly kind: RenditionKind;
  readonly audience: RenditionAudience;
  readonly viewers: Map<string, number> = new Map();
  expected: RenditionExpectation | undefined = undefined;
  private readonly measured = new MeasuredRendition();
  private readonly fan: FrameFan;
  private readonly deliver: (frame: Frame) => void;
  private readonly timeline: FollowerTimeline | AudioFollower;
  private readonly withdrawn: (fan: FollowingFan) => void;
  /** One object for each opening, also when a maker opens twice. */
  private maker: { readonly listener: RenditionMaker; readonly kind: 'publisher' | 'local' | 'relay' } | undefined = undefined;
  private unfedSegments = 0;
  /** Of the last frame. */
  private last: SegmentStamp | undefined = undefined;
  private lastPart = 0;
  /** What one maker began another cannot go on with: of that one only what lies behind this is taken. */
  private behind: Behind | undefined = undefined;

  constructor(
    { name, kind, audience = 'everybody' }: RenditionOffer,
    { gopCacheBytesMax, sinkFailed, changed }: RenditionSetOptions,
    withdrawn: (fan: FollowingFan) => void,
    now: MonotonicMs,
  ) {
    this.name = name;
    this.withdrawn = withdrawn;
    this.kind = kind;
    this.audience = audience;
    this.fan = new FrameFan(gopCacheBytesMax, sinkFailed, now, (isWatched) => this.maker?.listener.watched?.(isWatched));
    this.deliver = (frame) => {
      if (this.behind !== undefined && !beginsBehind(this.behind, frame)) return;
      this.behind = undefined;
      this.last = frame.segment;
      this.lastPart = frame.part;
      const isSaidAnew = this.expected === undefined && this.measured.frame(frame);
      this.fan.deliver(frame);
      if (isSaidAnew) changed();
    };
    const out = { frame: this.deliver };
    this.timeline = kind === 'video' ? new FollowerTimeline(out) : new AudioFollower(out);
  }

  get tracks(): readonly Track[] {
    return this.fan.tracks;
  }

  get described(): RenditionExpectation | undefined {
    return this.expected ?? this.measured.said;
  }

  get hasReorderedFrames(): boolean {
    return this.fan.hasReorderedFrames;
  }

  get isWatched(): boolean {
    return this.fan.isWatched;
  }

  feedFrom(
    listener: RenditionMaker,
    expected: RenditionExpectation | undefined,
    shiftMs: (() => number | undefined) | undefined,
  ): RenditionInput {
    const maker = { listener, kind: shiftMs === undefined ? 'local' : 'publisher' } as const;
    if (this.maker?.kind === 'relay') this.remade();
    this.maker = maker;
    this.expected = expected;
    this.unfedSegments = 0;
    this.fan.resume();
    if (this.fan.isWatched) listener.watched?.(true);
    return {
      write: (frame, now) => {
        if (this.maker === maker) this.write(frame, shiftMs, now);
      },
      rest: () => {
        if (this.maker !== maker) return;
        this.timeline.rest();
        this.fan.forget();
      },
      end: () => {
        if (this.maker === maker) this.withdraw();
      },
    };
  }

  relayFrom(listener: RenditionMaker, expected: RenditionExpectation | undefined): RelayedRenditionInput {
    const maker = { listener, kind: 'relay' } as const;
    if (this.maker?.kind === 'local') this.remade();
    this.maker = maker;
    this.expected = expected;
    this.unfedSegments = 0;
    // What a maker here had open is not gone on with.
    this.timeline.rest();
    if (this.fan.isWatched) listener.watched?.(true);
    const whileMaker = (act: () => void): void => {
      if (this.maker === maker) act();
    };
    return {
      write: (frame, now) => {
        if (this.maker !== maker) return;
        this.fan.received(frame.payload.length, now);
        this.deliver(frame);
      },
      gap: () => whileMaker(() => this.fan.gap()),
      remade: () => whileMaker(() => this.remade()),
      paused: () => whileMaker(() => this.fan.hold()),
      rest: () => whileMaker(() => this.restRelayed()),
      lost: () => whileMaker(() => this.fan.stall()),
      end: () => whileMaker(() => this.withdraw()),
    };
  }

  follow(frame: Frame): void {
    this.timeline.follow(frame);
  }

  get isFedByPublisher(): boolean {
    return this.maker?.kind === 'publisher';
  }

  /** Asked once a segment. */
  isUnfed(): boolean {
    this.unfedSegments = this.maker === undefined ? this.unfedSegments + 1 : 0;
    return this.unfedSegments > UNFED_SEGMENTS_MAX;
  }

  /** One that is relayed is held when its own last frame is here. */
  hold(): void {
    if (this.maker?.kind !== 'relay') this.fan.hold();
  }

  stall(): void {
    this.fan.stall();
  }

  publisherGone(): void {
    if (this.maker?.kind === 'publisher') this.unfeed();
  }

  relayGone(): void {
    if (this.maker?.kind !== 'relay') return;
    this.restRelayed();
    this.unfeed();
  }

  /** Its maker is none any more. */
  unfeed(): void {
    this.maker = undefined;
  }

  end(): void {
    this.unfeed();
    this.fan.end('over');
  }

  attach(sink: Sink, from: 'keyframe' | 'segment' = 'keyframe'): () => void {
    return this.fan.attach(sink, from);
  }

  requestKeyframe(): void {
    this.maker?.listener.keyframeWanted?.();
  }

  stats(): FanStats {
    return this.fan.stats();
  }

  private remade(): void {
    if (this.last === undefined) return;
    // A maker that goes on elsewhere makes the rest of its segment for other nodes. One that is gone does so for nobody, and the new one began later.
    this.behind = { segment: this.last, part: this.fan.isStalled ? this.lastPart : Number.POSITIVE_INFINITY };
    if (this.fan.tracks.length > 0) this.fan.gap();
  }

  private restRelayed(): void {
    this.last = undefined;
    this.behind = undefined;
    this.fan.forget();
  }

  private withdraw(): void {
    const wasOffered = this.expected !== undefined;
    this.unfeed();
    if (wasOffered) this.withdrawn(this);
  }

  private write(frame: SourceFrame, shiftMs: (() => number | undefined) | undefined, now: MonotonicMs): void {
    this.fan.received(frame.payload.length, now);
    const shift = shiftMs === undefined ? 0 : shiftMs();
    // Before the source's first frame nobody knows where the rendition's belong.
    if (shift !== undefined) this.timeline.write(shift === 0 ? frame : shifted(frame, shift), now);
  }
}

/** A segment, and the last part of it that must not be gone on with. */
interface Behind {
  readonly segment: SegmentStamp;
  readonly part: number;
}

/** Whether a decoder and a packager can begin with the frame, in a segment or part behind another one. */
function beginsBehind(behind: Behind, { segment, part, track, isKeyframe, startsPart }: Frame): boolean {
  const { discontinuity, sequence } = behind.segment;
  const lead = segment.tracks[0];
  const isSameSegment = segment.sequence === sequence && segment.discontinuity === discontinuity;
  const isLater = segment.sequence > sequence || segment.discontinuity > discontinuity;
  if (!isLater && !(isSameSegment && part > behind.part && startsPart)) return false;
  return lead !== undefined && track.id === lead.id && track.kind === lead.kind && (lead.kind === 'video' ? isKeyframe : startsPart);
}

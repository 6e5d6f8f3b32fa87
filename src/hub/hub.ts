import { type DurationMs, type MonotonicMs, monotonicMs, type SizeBytes, type StreamRef, type WallMs } from '../core/mod.ts';
import type { Frame, SourceFrame } from '../media/mod.ts';
import { FanOut, type LiveStream, type PublisherInfo, type StreamBeginning, type StreamOptions, type TakenPlace } from './live-stream.ts';
import type { HubListener, PublishRefusal, SourceListener, StreamEnd } from './ports.ts';
import type { RelayedRenditionInput, RenditionInput, RenditionMaker, RenditionOffer } from './rendition.ts';

export interface HubOptions extends StreamOptions {
  /** How long a stream whose publisher went away without a word stays up for the same publisher to return. */
  readonly holdMs: DurationMs;
  readonly segmentTargetMs: DurationMs;
  readonly partTargetMs: DurationMs;
  /** Further streams are refused with `too-many-streams`; held ones count. */
  readonly streamsMax: number;
  /** A GOP larger than this is not kept for new viewers. */
  readonly gopCacheBytesMax: SizeBytes;
  readonly tracksMax: number;
  /** When a stream (`app/name`) that somebody publishes now began on another node; undefined when it begins now. */
  readonly startedBefore?: (path: string) => StreamBeginning | undefined;
  /** Whether a stream that comes from another node is there for whoever publishes it here, as that node is to be left. */
  readonly isGivenUp?: (path: string) => boolean;
}

/** A source's hold on its stream. After `finish`, `release`, `lost` or an eviction every call is ignored. */
export interface Publication {
  readonly stream: LiveStream;
  /** The frame is given to the stream. */
  write(frame: SourceFrame, now: MonotonicMs, wall: WallMs): void;
  /**
   * A further quality of the same pictures that the publisher sends, with times on its own clock; undefined once the publication is over, and
   * when the stream has too many.
   */
  rendition(name: string, now: MonotonicMs): RenditionInput | undefined;
  /** The publisher said goodbye: the stream ends. */
  finish(now: MonotonicMs): void;
  /** Nobody wants the stream, which its source can bring again: it ends without being over. */
  release(now: MonotonicMs): void;
  /** The publisher went away without saying so: the stream is held for `holdMs`. */
  lost(now: MonotonicMs): void;
}

/** Where a relayed stream comes from. */
export interface RelayOrigin {
  /** The node that it is pulled from. */
  readonly node: string;
  /** The encoder's name, as the node says. */
  readonly agent: string;
  /** When the stream began, by the clock of the node that has its publisher. */
  readonly startedWallMs: WallMs;
}

/** A relay's hold on the stream that it brings. After `finish`, `release`, `lost` or an eviction every call is ignored. */
export interface RelayedPublication {
  readonly stream: LiveStream;
  /** The frame has its place on another node's timeline and is delivered as it is. */
  write(frame: Frame, now: MonotonicMs): void;
  /** Frames are missing between the last one and the next, which is a lead keyframe. */
  gap(): void;
  /** The stream is held where it comes from; how long is decided there. The next frame ends it. */
  paused(): void;
  /** A further quality whose frames have their places too. Offered with an expectation, it is relayed only while `maker.watched` says so. */
  rendition(offer: RenditionOffer, maker: RenditionMaker, now: MonotonicMs): RelayedRenditionInput | undefined;
  /** The stream is over where it comes from. */
  finish(now: MonotonicMs): void;
  /** Nobody wants the stream here, whatever becomes of it elsewhere. */
  release(now: MonotonicMs): void;
  /**
   * Nothing comes any more, but the stream may go on elsewhere: it is held for `holdMs`. Sinks are not told, so that whoever relays it again can go on
   * right behind the last frame (or says `gap`).
   */
  lost(now: MonotonicMs): void;
}

interface Source {
  readonly listener: SourceListener;
}

interface Entry {
  readonly stream: FanOut;
  /** Whose frames count; nobody's while the stream is held. One object per publication, also when a listener publishes twice. */
  source: Source | undefined;
  heldUntil: MonotonicMs | undefined;
  /** Whether its frames are stamped by another node. */
  isRelayed: boolean;
}

/** The live streams of this node: who puts in, and who takes out. */
export class Hub {
  private readonly listener: HubListener;
  private readonly options: HubOptions;
  private readonly entries = new Map<string, Entry>();

  constructor(listener: HubListener, options: HubOptions) {
    this.listener = listener;
    this.options = options;
  }

  /**
   * Begins a stream, or goes on with one that is held. On a stream that is live, `reject` refuses the newcomer and
   * `takeover` evicts the present source; viewers stay.
   */
  publish(
    ref: StreamRef,
    publisher: PublisherInfo,
    listener: SourceListener,
    policy: 'reject' | 'takeover',
    now: MonotonicMs,
    wall: WallMs,
  ): Publication | PublishRefusal {
    // A hold that is over but not yet ticked away must not be resumed: its end was promised.
    this.tick(now);
    const entry = this.entries.get(ref.path);
    const source: Source = { listener };
    if (entry === undefined) {
      const started = this.start(
        ref,
        publisher,
        source,
        false,
        now,
        this.options.startedBefore?.(ref.path) ?? { startedWallMs: wall, discontinuity: 0 },
      );
      if (started === undefined) return 'too-many-streams';
      const publication = this.publication(started, source);
      this.listener.streamStarted(ref);
      return publication;
    }
    // A relayed stream whose publisher is away, or whose node may be dead, is as good as held.
    const isFree = entry.isRelayed && (entry.stream.state === 'held' || this.options.isGivenUp?.(ref.path) === true);
    const isTaken = entry.source !== undefined && !isFree;
    if (isTaken && policy === 'reject') return 'stream-taken';
    return this.resume(entry, publisher, source);
  }

  /**
   * Begins a stream that another node has, or goes on with one that is held: without a discontinuity, since its frames bring their places. One that
   * is live is taken already, by a publisher or by another relay.
   */
  relay(ref: StreamRef, from: RelayOrigin, listener: SourceListener, now: MonotonicMs): RelayedPublication | PublishRefusal {
    this.tick(now);
    const publisher: PublisherInfo = { protocol: 'relay', address: from.node, agent: from.agent };
    const source: Source = { listener };
    const entry = this.entries.get(ref.path);
    if (entry === undefined) {
      const started = this.start(ref, publisher, source, true, now, { startedWallMs: from.startedWallMs, discontinuity: 0 });
      if (started === undefined) return 'too-many-streams';
      const publication = this.relayedPublication(started, source);
      this.listener.streamStarted(ref);
      return publication;
    }
    if (entry.source !== undefined) return 'stream-taken';
    entry.source = source;
    entry.heldUntil = undefined;
    entry.isRelayed = true;
    entry.stream.resumeRelayed(publisher, listener);
    this.listener.streamResumed(ref);
    return this.relayedPublication(entry, source);
  }

  stream(path: string): LiveStream | undefined {
    return this.entries.get(path)?.stream;
  }

  /**
   * A further quality of a live stream, made of its frames; the times of what is put in are the stream's timeline. Undefined when there is no
   * such stream, or it has too many.
   */
  rendition(path: string, offer: RenditionOffer, maker: RenditionMaker, now: MonotonicMs): RenditionInput | undefined {
    return this.entries.get(path)?.stream.rendition(offer, 'timeline', maker, now);
  }

  /** As {@link Hub.rendition}, of frames that another node has made and given their places. */
  relayRendition(path: string, offer: RenditionOffer, maker: RenditionMaker, now: MonotonicMs): RelayedRenditionInput | undefined {
    return this.entries.get(path)?.stream.relayedRendition(offer, maker, now);
  }

  /** A snapshot, in the order in which the streams started. */
  streams(): Iterable<LiveStream> {
    return Array.from(this.entries.values(), (entry) => entry.stream);
  }

  /** Ends the streams whose hold is over. */
  tick(now: MonotonicMs): void {
    for (const entry of this.entries.values()) {
      if (entry.heldUntil !== undefined && entry.heldUntil <= now) this.end(entry);
    }
  }

  /** When `tick` is due next, if ever. */
  get wakeAt(): MonotonicMs | undefined {
    let earliest: MonotonicMs | undefined;
    for (const { heldUntil } of this.entries.values()) {
      if (heldUntil !== undefined && (earliest === undefined || heldUntil < earliest)) earliest = heldUntil;
    }
    return earliest;
  }

  /** Ends a stream; its source is evicted, as `deleted` by an operator where nothing else is said. False if there is no such stream. */
  remove(path: string, reason: 'deleted' | 'over-limit' = 'deleted'): boolean {
    const entry = this.entries.get(path);
    if (entry === undefined) return false;
    const { source } = entry;
    this.end(entry);
    source?.listener.evicted(reason);
    return true;
  }

  /**
   * Another node has the stream from now on: its source here is evicted as `taken-over`, and the stream is held until it is relayed from there. False if
   * nobody publishes it here.
   */
  handOver(path: string, now: MonotonicMs): boolean {
    const entry = this.entries.get(path);
    if (entry === undefined || entry.isRelayed) return false;
    const { source } = entry;
    if (source !== undefined) this.hold(entry, now);
    source?.listener.evicted('taken-over');
    return this.entries.has(path);
  }

  /**
   * A stream that is published here takes the place of the same stream of another node: it begins with the pictures since its newest keyframe, or where they are
   * not kept at the next one.
   */
  takePlace(path: string, taken: TakenPlace, wall: WallMs): void {
    this.entries.get(path)?.stream.takePlace(taken, wall);
  }

  /** Undefined when there are too many. */
  private start(
    ref: StreamRef,
    publisher: PublisherInfo,
    source: Source,
    isRelayed: boolean,
    now: MonotonicMs,
    beginning: StreamBeginning,
  ): Entry | undefined {
    if (this.entries.size >= this.options.streamsMax) return undefined;
    const stream = new FanOut(ref, publisher, source.listener, this.listener, this.options, now, beginning);
    const entry: Entry = { stream, source, heldUntil: undefined, isRelayed };
    this.entries.set(ref.path, entry);
    return entry;
  }

  private resume(entry: Entry, publisher: PublisherInfo, source: Source): Publication {
    const replaced = entry.source;
    const wasHeldOrRelayed = entry.heldUntil !== undefined || entry.isRelayed;
    entry.source = source;
    entry.heldUntil = undefined;
    entry.isRelayed = false;
    entry.stream.resume(publisher, source.listener);
    const publication = this.publication(entry, source);
    replaced?.listener.evicted('taken-over');
    if (wasHeldOrRelayed) this.listener.streamResumed(entry.stream.ref);
    return publication;
  }

  private publication(entry: Entry, source: Source): Publication {
    return {
      stream: entry.stream,
      write: (frame, now, wall) => {
        if (entry.source === source) entry.stream.write(frame, now, wall);
      },
      rendition: (name, now) => {
        if (entry.source !== source) return undefined;
        return entry.stream.rendition({ name, kind: 'video' }, 'source', { keyframeWanted: () => source.listener.keyframeWanted?.() }, now);
      },
      finish: () => {
        if (entry.source === source) this.end(entry);
      },
      release: () => {
        if (entry.source === source) this.end(entry, 'released');
      },
      lost: (now) => {
        if (entry.source === source) this.hold(entry, now);
      },
    };
  }

  private relayedPublication(entry: Entry, source: Source): RelayedPublication {
    const { stream } = entry;
    const whileSource = (act: () => void): void => {
      if (entry.source === source) act();
    };
    return {
      stream,
      write: (frame, now) => {
        if (entry.source !== source) return;
        const wasHeld = stream.state === 'held';
        stream.relayed(frame, now);
        if (wasHeld) this.listener.streamResumed(stream.ref);
      },
      gap: () => whileSource(() => stream.gap()),
      paused: () =>
        whileSource(() => {
          if (stream.state === 'held') return;
          stream.hold();
          this.listener.streamHeld(stream.ref);
        }),
      rendition: (offer, maker, now) => (entry.source === source ? stream.relayedRendition(offer, maker, now) : undefined),
      finish: () => whileSource(() => this.end(entry)),
      release: () => whileSource(() => this.end(entry, 'released')),
      lost: (now) => whileSource(() => this.hold(entry, now)),
    };
  }

  private hold(entry: Entry, now: MonotonicMs): void {
    if (this.options.holdMs <= 0) {
      this.end(entry);
      return;
    }
    entry.source = undefined;
    entry.heldUntil = monotonicMs(now + this.options.holdMs);
    const wasHeld = entry.stream.state === 'held';
    if (entry.isRelayed) entry.stream.stall();
    else entry.stream.hold();
    if (!wasHeld) this.listener.streamHeld(entry.stream.ref);
  }

  private end(entry: Entry, end: StreamEnd = 'over'): void {
    entry.source = undefined;
    entry.heldUntil = undefined;
    this.entries.delete(entry.stream.ref.path);
    entry.stream.end(end);
    this.listener.streamEnded(entry.stream.ref);
  }
}

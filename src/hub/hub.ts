import { type DurationMs, type MonotonicMs, monotonicMs, type SizeBytes, type StreamRef, type WallMs } from '../core/mod.ts';
import type { SourceFrame } from '../media/mod.ts';
import { FanOut, type LiveStream, type PublisherInfo, type StreamOptions } from './live-stream.ts';
import type { HubListener, PublishRefusal, SourceListener } from './ports.ts';
import type { RenditionInput, RenditionMaker, RenditionOffer } from './rendition.ts';

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
}

/** A source's hold on its stream. After `finish`, `lost` or an eviction every call is ignored. */
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
  /** The publisher went away without saying so: the stream is held for `holdMs`. */
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
    if (entry === undefined) return this.start(ref, publisher, source, now, wall);
    if (entry.source !== undefined && policy === 'reject') return 'stream-taken';
    return this.resume(entry, publisher, source);
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

  /** Ends a stream by an operator's word: its source is evicted as `deleted`. False if there is no such stream. */
  remove(path: string): boolean {
    const entry = this.entries.get(path);
    if (entry === undefined) return false;
    const { source } = entry;
    this.end(entry);
    source?.listener.evicted('deleted');
    return true;
  }

  private start(ref: StreamRef, publisher: PublisherInfo, source: Source, now: MonotonicMs, wall: WallMs): Publication | PublishRefusal {
    if (this.entries.size >= this.options.streamsMax) return 'too-many-streams';
    const stream = new FanOut(ref, publisher, source.listener, this.listener, this.options, now, wall);
    const entry: Entry = { stream, source, heldUntil: undefined };
    this.entries.set(ref.path, entry);
    const publication = this.publication(entry, source);
    this.listener.streamStarted(ref);
    return publication;
  }

  private resume(entry: Entry, publisher: PublisherInfo, source: Source): Publication {
    const replaced = entry.source;
    const wasHeld = entry.heldUntil !== undefined;
    entry.source = source;
    entry.heldUntil = undefined;
    entry.stream.resume(publisher, source.listener);
    const publication = this.publication(entry, source);
    replaced?.listener.evicted('taken-over');
    if (wasHeld) this.listener.streamResumed(entry.stream.ref);
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
      lost: (now) => {
        if (entry.source === source) this.hold(entry, now);
      },
    };
  }

  private hold(entry: Entry, now: MonotonicMs): void {
    if (this.options.holdMs <= 0) {
      this.end(entry);
      return;
    }
    entry.source = undefined;
    entry.heldUntil = monotonicMs(now + this.options.holdMs);
    entry.stream.hold();
    this.listener.streamHeld(entry.stream.ref);
  }

  private end(entry: Entry): void {
    entry.source = undefined;
    entry.heldUntil = undefined;
    this.entries.delete(entry.stream.ref.path);
    entry.stream.end();
    this.listener.streamEnded(entry.stream.ref);
  }
}

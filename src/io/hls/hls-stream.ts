import { type MonotonicMs, type StreamRef, utf8Encode } from '../../core/mod.ts';
import type { HlsWindowLimits } from '../../gateways/mod.ts';
import type { FrameSource, PublisherInfo, Rendition, StreamEnd } from '../../hub/mod.ts';
import type { Track } from '../../media/mod.ts';
import {
  MEDIA_PLAYLIST_NAME,
  MULTIVARIANT_PLAYLIST_NAME,
  renderMultivariantPlaylist,
  type VariantStream,
} from '../../protocols/hls/mod.ts';
import type { SharedResponse } from '../shared-route.ts';
import { HlsRendition, type HlsRenditionOptions, pollCache } from './hls-rendition.ts';
import { PLAYLIST_TYPE, sharedResponse } from './shared-response.ts';
import { ViewerEstimate, type ViewerKey } from './viewer-estimate.ts';
import type { WaitingRequests } from './waiting-requests.ts';

/** What HLS needs of a rendition. */
export type HlsRenditionSource = Pick<Rendition, 'attach' | 'kind' | 'audience' | 'expected' | 'described' | 'viewers'>;

/** What HLS needs of a live stream. */
export interface HlsSource extends Pick<FrameSource, 'attach'> {
  readonly ref: StreamRef;
  readonly publisher: Pick<PublisherInfo, 'protocol'>;
  readonly viewers: Map<string, number>;
  readonly tracks: readonly Track[];
  readonly renditions: ReadonlyMap<string, HlsRenditionSource>;
}

export interface HlsStreamOptions {
  /** Shared by all streams and keyed by path. */
  readonly files: Map<string, SharedResponse>;
  readonly limits: HlsWindowLimits;
  readonly makeWaiting: () => WaitingRequests;
  /** The answer to who asks for a rendition that is not there. */
  readonly missing: (rendition: string) => SharedResponse;
  readonly viewersMax: number;
  /** Absent: there are no other nodes. */
  readonly from: HlsRenditionOptions['from'];
  /** Nothing more comes of the stream. */
  readonly ended: (stream: HlsStream, end: StreamEnd) => void;
}

/** Peaks of an encoder with a constant target, over its average. */
const DESCRIBED_PEAK = 1.2;
/** The rendition that is what the publisher sends. */
const SOURCE = 'source';
/** A viewer who has asked for no playlist for this many target durations has gone. */
const VIEWER_TARGETS_MAX = 3;

/** One stream's HLS side: its renditions, and the playlist of them. */
export class HlsStream {
  readonly source: HlsSource;
  private readonly viewers: ViewerEstimate;
  /** Of renditions beside the source that somebody has asked for. */
  private readonly renditionViewers = new Map<string, ViewerEstimate>();
  /** `/APP/NAME`. */
  readonly base: string;
  endedAt: MonotonicMs | undefined;
  /** When a playlist was last asked for. */
  askedAt: MonotonicMs;
  private readonly options: HlsStreamOptions;
  private readonly opened = new Map<string, HlsRendition>();
  private readonly main: HlsRendition;
  // Made at the first request after a rendition advanced.
  private multivariant: SharedResponse | undefined;
  /** What it says of the renditions. */
  private rendered: readonly HlsRenditionSource['described'][] = [];

  constructor(source: HlsSource, options: HlsStreamOptions, now: MonotonicMs) {
    this.askedAt = now;
    this.source = source;
    this.options = options;
    this.viewers = new ViewerEstimate(options.viewersMax);
    this.base = `/${source.ref.path}`;
    this.main = this.open(SOURCE, source);
  }

  get renditions(): Iterable<HlsRendition> {
    return this.opened.values();
  }

  /** Whether there is a playlist already. */
  get hasBegun(): boolean {
    return this.main.playlists !== undefined;
  }

  /** In seconds; a guess before there is a playlist. */
  get targetDurationS(): number {
    return this.main.playlists?.targetDurationS ?? 2;
  }

  get sizeBytes(): number {
    let sizeBytes = 0;
    for (const rendition of this.opened.values()) sizeBytes += rendition.sizeBytes;
    return sizeBytes;
  }

  /** A rendition by its name, packaged from now on if it was not yet. */
  rendition(name: string): HlsRendition | undefined {
    const opened = this.opened.get(name);
    if (opened !== undefined) return opened;
    const source = this.source.renditions.get(name);
    return source === undefined || !isForHls(source) ? undefined : this.open(name, source);
  }

  /** Somebody asked for a playlist: for all of them together, or one rendition's. */
  asked(viewer: ViewerKey, rendition: string | undefined, now: MonotonicMs): void {
    this.askedAt = now;
    const isNew = this.viewers.seen(viewer, now);
    const ofRendition = rendition === undefined || rendition === SOURCE ? undefined : this.viewersOf(rendition);
    if (ofRendition?.seen(viewer, now) === true || isNew) this.countViewers(now);
  }

  /** Whether it is counted as a viewer. */
  isViewing(viewer: ViewerKey, now: MonotonicMs): boolean {
    return this.viewers.has(viewer, now, this.viewerWindowMs);
  }

  /** Tells the hub who is there still. */
  countViewers(now: MonotonicMs): void {
    const { source, viewerWindowMs } = this;
    source.viewers.set('hls', this.viewers.count(now, viewerWindowMs));
    for (const [name, viewers] of this.renditionViewers) {
      const count = viewers.count(now, viewerWindowMs);
      if (count === 0) this.renditionViewers.delete(name);
      setCount(source.renditions.get(name), count);
    }
  }

  get multivariantPath(): string {
    return `${this.base}/${MULTIVARIANT_PLAYLIST_NAME}`;
  }

  /** Requests for the multivariant playlist wait with those for the source, without which there is nothing to play. */
  get waiting(): WaitingRequests {
    return this.main.waiting;
  }

  /** The multivariant playlist, once there is something to play: the source first, then what else there is. */
  multivariantPlaylist(): SharedResponse | undefined {
    const { playlists } = this.main;
    if (playlists === undefined || !playlists.isPlayable) return undefined;
    // Those that are made anyway show what they really are; one that is made on demand begins when its own playlist is asked for.
    for (const [name, { expected }] of this.source.renditions) if (expected === undefined) this.rendition(name);
    const described = Array.from(this.source.renditions.values(), (rendition) => rendition.described);
    const { rendered } = this;
    if (this.multivariant === undefined || described.length !== rendered.length || described.some((one, at) => one !== rendered[at])) {
      this.rendered = described;
      this.multivariant = sharedResponse(200, PLAYLIST_TYPE, pollCache(playlists), [utf8Encode(this.renderMultivariant())]);
    }
    return this.multivariant;
  }

  /** Takes the stream's files away and answers who still waits with `last`. */
  close(last: SharedResponse): void {
    for (const rendition of this.opened.values()) rendition.close(last);
    this.source.viewers.delete('hls');
    for (const name of this.renditionViewers.keys()) setCount(this.source.renditions.get(name), 0);
  }

  private get viewerWindowMs(): number {
    return this.targetDurationS * 1000 * VIEWER_TARGETS_MAX;
  }

  private viewersOf(rendition: string): ViewerEstimate {
    const known = this.renditionViewers.get(rendition);
    const viewers = known ?? new ViewerEstimate(this.options.viewersMax);
    if (known === undefined) this.renditionViewers.set(rendition, viewers);
    return viewers;
  }

  private renderMultivariant(): string {
    return renderMultivariantPlaylist([SOURCE, ...this.listed()].flatMap((name) => this.variant(name) ?? []));
  }

  /** All but the source is told of as it was described to all nodes, on those that have it, too: all nodes say the same. */
  private variant(name: string): VariantStream | undefined {
    if (name === SOURCE) return this.main.playlists?.variant(mediaUri(name));
    const described = this.source.renditions.get(name)?.described;
    return described === undefined || described.bitrateBps === 0
      ? undefined
      : describedVariant(mediaUri(name), described, this.source.tracks);
  }

  private open(name: string, source: Pick<FrameSource, 'attach'>): HlsRendition {
    const { files, limits, makeWaiting, from } = this.options;
    const rendition = new HlsRendition(source, {
      name,
      base: this.base,
      files,
      limits,
      waiting: makeWaiting(),
      siblings: () => [SOURCE, ...this.listed()].filter((other) => other !== name),
      from,
      advanced: () => {
        this.multivariant = undefined;
      },
      ended: (over, end) => this.ended(over, end),
    });
    this.opened.set(name, rendition);
    return rendition;
  }

  /** The end of the source is the stream's; what was only let go of has none. Another rendition just goes: its players find it gone and take another one. */
  private ended(over: HlsRendition, end: StreamEnd): void {
    this.multivariant = undefined;
    if (over.name === SOURCE) {
      if (end === 'over') over.finish();
      this.options.ended(this, end);
    } else {
      this.opened.delete(over.name);
      over.close(this.options.missing(over.name));
    }
  }

  /** Renditions beside the source that the multivariant playlist names: in the same order on all nodes, in whatever order they learnt of them. */
  private listed(): readonly string[] {
    return [...this.source.renditions]
      .filter(([, rendition]) => isForHls(rendition))
      .map(([name]) => name)
      .sort();
  }
}

function setCount(rendition: HlsRenditionSource | undefined, count: number): void {
  if (count > 0) rendition?.viewers.set('hls', count);
  else rendition?.viewers.delete('hls');
}

const mediaUri = (name: string): string => `${name}/${MEDIA_PLAYLIST_NAME}`;

/** Sound alone, and pictures that only stand in for WebRTC viewers, are nothing that the source is not for a player of HLS. */
const isForHls = ({ kind, audience }: HlsRenditionSource): boolean => kind === 'video' && audience === 'everybody';

/** What was said of a rendition, which nobody may have here yet: its pictures, with the source's sound. */
function describedVariant(uri: string, described: NonNullable<HlsRenditionSource['described']>, tracks: readonly Track[]): VariantStream {
  const { codecString, width, height, frameRate, bitrateBps } = described;
  const sound = tracks.filter((track) => track.kind === 'audio').map((track) => track.codecString);
  return {
    uri,
    bandwidthBps: Math.round(bitrateBps * DESCRIBED_PEAK),
    averageBandwidthBps: Math.round(bitrateBps),
    codecs: [codecString, ...new Set(sound)],
    ...(width === undefined || height === undefined ? {} : { resolution: { width, height } }),
    ...(frameRate === undefined ? {} : { frameRate }),
  };
}

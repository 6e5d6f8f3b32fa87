import type { MonotonicMs, StreamRef } from '../../core/mod.ts';
import { type HlsOutput, type HlsPlaylists, type HlsWindowLimits, HubToHls } from '../../gateways/mod.ts';
import type { Sink } from '../../hub/mod.ts';
import {
  type DeliveryDirectives,
  isReached,
  isTooFarAhead,
  MEDIA_PLAYLIST_NAME,
  MULTIVARIANT_PLAYLIST_NAME,
} from '../../protocols/hls/mod.ts';
import { PLAYLIST_TYPE, REFUSALS, type SharedResponse, sharedResponse } from './shared-response.ts';
import { ViewerEstimate } from './viewer-estimate.ts';
import type { WaitingRequests } from './waiting-requests.ts';

/** What HLS needs of a live stream. */
export interface HlsSource {
  readonly ref: StreamRef;
  readonly viewers: Map<string, number>;
  attach(sink: Sink, from: 'segment'): () => void;
}

/** The rendition that is what the publisher sends. */
const RENDITION = 'source';
/** Names are never used twice, so that a file never changes. */
const FILE_CACHE = 'public, max-age=3600, immutable';

interface PlaylistResponses {
  readonly plain: SharedResponse;
  readonly blocking: SharedResponse;
}

/** One stream's HLS side: its packager, its answers ready to send, its held requests. */
export class HlsStream implements HlsOutput {
  readonly source: HlsSource;
  readonly waiting: WaitingRequests;
  readonly viewers: ViewerEstimate;
  /** `/APP/NAME`. */
  readonly base: string;
  endedAt: MonotonicMs | undefined;
  /** When a playlist was last asked for. */
  askedAt: MonotonicMs;
  private readonly packager: HubToHls;
  private readonly files: Map<string, SharedResponse>;
  private readonly paths = new Set<string>();
  private readonly onEnded: (stream: HlsStream) => void;
  private readonly detach: () => void;
  // Made at the first request after the playlists advanced.
  private full: PlaylistResponses | undefined;
  private delta: PlaylistResponses | undefined;
  private multivariant: SharedResponse | undefined;

  /** `files` is shared by all streams and keyed by path. */
  constructor(
    source: HlsSource,
    files: Map<string, SharedResponse>,
    limits: HlsWindowLimits,
    waiting: WaitingRequests,
    viewersMax: number,
    onEnded: (stream: HlsStream) => void,
    now: MonotonicMs,
  ) {
    this.askedAt = now;
    this.source = source;
    this.files = files;
    this.waiting = waiting;
    this.viewers = new ViewerEstimate(viewersMax);
    this.base = `/${source.ref.path}`;
    this.onEnded = onEnded;
    this.packager = new HubToHls(this, `${RENDITION}/${MEDIA_PLAYLIST_NAME}`, limits);
    this.detach = source.attach(
      {
        tracks: () => this.packager.tracks(),
        frame: (frame) => this.packager.frame(frame),
        paused: () => this.packager.paused(),
        ended: () => this.end(),
      },
      'segment',
    );
  }

  get playlists(): HlsPlaylists | undefined {
    return this.packager.playlists;
  }

  get sizeBytes(): number {
    return this.packager.sizeBytes;
  }

  get multivariantPath(): string {
    return `${this.base}/${MULTIVARIANT_PLAYLIST_NAME}`;
  }

  get mediaPath(): string {
    return this.pathOf(MEDIA_PLAYLIST_NAME);
  }

  added(name: string, chunks: readonly Uint8Array[]): void {
    const path = this.pathOf(name);
    this.paths.add(path);
    this.files.set(path, sharedResponse(200, 'video/mp4', FILE_CACHE, chunks, ['Accept-Ranges', 'bytes']));
  }

  removed(name: string): void {
    const path = this.pathOf(name);
    this.paths.delete(path);
    this.files.delete(path);
  }

  advanced(): void {
    this.full = undefined;
    this.delta = undefined;
    this.multivariant = undefined;
    this.waiting.advanced();
  }

  /** The multivariant playlist, once there is something to play. */
  multivariantPlaylist(): SharedResponse | undefined {
    const { playlists } = this;
    if (playlists === undefined || !playlists.isPlayable) return undefined;
    this.multivariant ??= sharedResponse(200, PLAYLIST_TYPE, pollCache(playlists), [playlists.multivariant]);
    return this.multivariant;
  }

  /** The media playlist as soon as it holds what the directives ask for; a refusal if they ask for too much. */
  mediaPlaylist(directives: DeliveryDirectives): SharedResponse | undefined {
    const { playlists } = this;
    if (playlists === undefined) return undefined;
    const { msn, part, skip } = directives;
    // 6.2.5.1 and 6.2.5.2: an ended playlist ignores all directives.
    if (playlists.isEnded || msn === undefined) return playlists.isPlayable ? this.responses(playlists, skip).plain : undefined;
    if (isReached(playlists.edge, msn, part)) return this.responses(playlists, skip).blocking;
    return isTooFarAhead(playlists.edge, msn, part, playlists.partTargetMs) ? REFUSALS.badDirective : undefined;
  }

  /** Whether `path` is the part that comes next. */
  isHinted(path: string): boolean {
    const hinted = this.playlists?.hintedName;
    return hinted !== undefined && path === this.pathOf(hinted);
  }

  /** A part held for: its bytes, or Not Found if it turned out not to come (6.2.6). */
  hintedFile(path: string): SharedResponse | undefined {
    return this.files.get(path) ?? (this.isHinted(path) ? undefined : REFUSALS.notFound);
  }

  /** Takes the stream's files away and answers who still waits with `last`. */
  close(last: SharedResponse): void {
    this.detach();
    for (const path of this.paths) this.files.delete(path);
    this.paths.clear();
    this.waiting.answerAll(last);
    this.source.viewers.delete('hls');
  }

  private end(): void {
    this.packager.ended();
    this.waiting.answerAll(REFUSALS.notFound);
    this.onEnded(this);
  }

  private pathOf(name: string): string {
    return `${this.base}/${RENDITION}/${name}`;
  }

  private responses(playlists: HlsPlaylists, isDelta: boolean): PlaylistResponses {
    if (isDelta) {
      this.delta ??= playlistResponses(playlists, playlists.delta);
      return this.delta;
    }
    this.full ??= playlistResponses(playlists, playlists.media);
    return this.full;
  }
}

function playlistResponses(playlists: HlsPlaylists, bytes: Uint8Array): PlaylistResponses {
  // What a blocking request got stays a right answer to it: the draft's server profile says six target durations.
  const blocking = `public, max-age=${playlists.targetDurationS * 6}`;
  return {
    plain: sharedResponse(200, PLAYLIST_TYPE, pollCache(playlists), [bytes]),
    blocking: sharedResponse(200, PLAYLIST_TYPE, blocking, [bytes]),
  };
}

/** Half the target duration for a playlist that is polled; an ended one is served a little longer only. */
const pollCache = (playlists: HlsPlaylists): string => `public, max-age=${Math.max(1, Math.floor(playlists.targetDurationS / 2))}`;

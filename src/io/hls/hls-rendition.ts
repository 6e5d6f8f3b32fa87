import type { MonotonicMs } from '../../core/mod.ts';
import { type HlsOutput, type HlsPlaylists, type HlsWindowLimits, HubToHls, writeWindowRecord } from '../../gateways/mod.ts';
import type { FrameSource, StreamEnd } from '../../hub/mod.ts';
import { type DeliveryDirectives, isReached, isTooFarAhead, MEDIA_PLAYLIST_NAME } from '../../protocols/hls/mod.ts';
import type { SharedResponse } from '../shared-route.ts';
import { type OlderFile, OlderWindow, type OlderWindowOptions } from './older-window.ts';
import { PLAYLIST_TYPE, REFUSALS, sharedResponse } from './shared-response.ts';
import type { WaitingRequests } from './waiting-requests.ts';

/** Names are never used twice, so that a file never changes. */
const FILE_CACHE = 'public, max-age=3600, immutable';

interface PlaylistResponses {
  readonly plain: SharedResponse;
  readonly blocking: SharedResponse;
}

export interface HlsRenditionOptions {
  readonly name: string;
  /** `/APP/NAME`. */
  readonly base: string;
  /** Shared by all streams and keyed by path. */
  readonly files: Map<string, SharedResponse>;
  readonly limits: HlsWindowLimits;
  readonly waiting: WaitingRequests;
  /** Names of the stream's other renditions. */
  readonly siblings: () => readonly string[];
  /** Whom streams of other nodes come from; absent: there are no other nodes. */
  readonly from?: Omit<OlderWindowOptions, 'rendition' | 'known' | 'loaded'> | undefined;
  readonly advanced: () => void;
  /** No more frames come: the owner finishes or closes it. */
  readonly ended: (rendition: HlsRendition, end: StreamEnd) => void;
}

/** One rendition of a stream as HLS: its packager, its answers ready to send, its held requests. */
export class HlsRendition implements HlsOutput {
  readonly waiting: WaitingRequests;
  private readonly options: HlsRenditionOptions;
  private readonly packager: HubToHls;
  private readonly paths = new Set<string>();
  private readonly detach: () => void;
  private readonly older: OlderWindow | undefined;
  /** Whether the playlists are those of other nodes, or this node's own for want of theirs. */
  private isSettled: boolean;
  // Made at the first request after the playlists advanced.
  private full: PlaylistResponses | undefined;
  private delta: PlaylistResponses | undefined;

  constructor(source: Pick<FrameSource, 'attach'>, options: HlsRenditionOptions) {
    this.options = options;
    this.waiting = options.waiting;
    const siblings = (): readonly string[] => options.siblings().map((name) => `../${name}/${MEDIA_PLAYLIST_NAME}`);
    this.packager = new HubToHls(this, options.limits, siblings);
    this.isSettled = options.from === undefined;
    this.older = options.from && this.olderWindow(options.from);
    this.detach = source.attach(
      {
        tracks: () => this.packager.tracks(),
        frame: (frame) => this.packager.frame(frame),
        paused: () => this.packager.paused(),
        gap: () => this.packager.gap(),
        ended: (end) => options.ended(this, end),
      },
      'segment',
    );
  }

  get name(): string {
    return this.options.name;
  }

  /** Undefined before there is something to list, and while older segments of another node may still come. */
  get playlists(): HlsPlaylists | undefined {
    return this.isSettled ? this.packager.playlists : undefined;
  }

  get sizeBytes(): number {
    return this.packager.sizeBytes;
  }

  get mediaPath(): string {
    return this.pathOf(MEDIA_PLAYLIST_NAME);
  }

  added(name: string, chunks: readonly Uint8Array[]): void {
    const path = this.pathOf(name);
    this.paths.add(path);
    this.older?.drop(name);
    this.options.files.set(path, sharedResponse(200, 'video/mp4', FILE_CACHE, chunks, ['Accept-Ranges', 'bytes']));
  }

  removed(name: string): void {
    const path = this.pathOf(name);
    this.paths.delete(path);
    this.older?.drop(name);
    this.options.files.delete(path);
  }

  advanced(): void {
    if (!this.isSettled && !this.settle()) return;
    this.full = undefined;
    this.delta = undefined;
    this.options.advanced();
    this.waiting.advanced();
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

  /** To be called now and then. */
  tick(now: MonotonicMs): void {
    if (this.packager.playlists?.isEnded !== true) this.older?.tick(this.packager.playlists !== undefined, now);
    this.waiting.expire(now);
  }

  /** What another node that gets the stream from this one is told of the window. */
  window(): SharedResponse | undefined {
    if (this.playlists === undefined) return undefined;
    return sharedResponse(200, 'application/json', 'no-store', [writeWindowRecord(this.packager.complete)]);
  }

  /** Whether `path` is a file from before this node packaged the stream: it is on its way then. */
  brings(path: string): boolean {
    const name = this.nameOf(path);
    return name !== undefined && this.older?.bring(name) === true;
  }

  /** A file that was on its way: it, or a refusal when it did not come. */
  broughtFile(path: string): SharedResponse | undefined {
    const file = this.options.files.get(path);
    return file ?? (this.older?.isComing(this.nameOf(path) ?? '') === true ? undefined : REFUSALS.tooLate);
  }

  /** A part held for: its bytes, or Not Found if it turned out not to come (6.2.6). */
  hintedFile(path: string): SharedResponse | undefined {
    return this.options.files.get(path) ?? (this.isHinted(path) ? undefined : REFUSALS.notFound);
  }

  /** Ends its playlist; what is in it stays for those who still play it out. */
  finish(): void {
    this.isSettled = true;
    this.packager.ended();
    this.waiting.answerAll(REFUSALS.notFound);
  }

  /** Takes the rendition's files away and answers who still waits with `last`. */
  close(last: SharedResponse): void {
    this.detach();
    this.older?.close();
    for (const path of this.paths) this.options.files.delete(path);
    this.paths.clear();
    this.waiting.answerAll(last);
  }

  private olderWindow(from: NonNullable<HlsRenditionOptions['from']>): OlderWindow {
    return new OlderWindow({
      ...from,
      rendition: this.name,
      known: () => this.advanced(),
      loaded: (files) => this.loaded(files),
    });
  }

  /** Puts the older segments into the window once there is one and they are known; true when that is done. */
  private settle(): boolean {
    const segments = this.older?.segments;
    if (segments === undefined || this.packager.playlists === undefined) return false;
    this.isSettled = true;
    const kept = this.packager.precede(segments);
    this.older?.keep(kept, (name) => this.paths.has(this.pathOf(name)));
    return true;
  }

  private loaded(files: readonly OlderFile[]): void {
    for (const { name, chunks } of files) this.added(name, chunks);
    this.waiting.advanced();
  }

  private pathOf(name: string): string {
    return `${this.options.base}/${this.name}/${name}`;
  }

  private nameOf(path: string): string | undefined {
    const start = this.pathOf('');
    return path.startsWith(start) ? path.slice(start.length) : undefined;
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
export const pollCache = (playlists: HlsPlaylists): string => `public, max-age=${Math.max(1, Math.floor(playlists.targetDurationS / 2))}`;

import Hls, {
  type ErrorData,
  ErrorDetails,
  ErrorTypes,
  Events,
  type HlsConfig,
  type Level,
  type PlaylistLoaderContext,
} from 'hls.js/light';
import { BitrateWindow } from './bitrate-window.ts';
import type { Engine, EngineFigures, EngineListener, Quality } from './engine.ts';
import type { FailureKind } from './player-machine.ts';
import { playlistLoader } from './playlist-loader.ts';
import { redirectedPlaylist } from './redirected-playlist.ts';

const BITRATE_WINDOW_MS = 6000;

const CONFIG: Partial<HlsConfig> = {
  lowLatencyMode: true,
  // CMAF goes into the browser as it comes, so there is nothing for a worker to do; and the page's policy allows no `blob:` scripts.
  enableWorker: false,
  backBufferLength: 20,
  // A viewer who fell behind catches up a little faster than real time, too little to hear.
  maxLiveSyncPlaybackRate: 1.08,
  liveDurationInfinity: true,
};

const UNSUPPORTED: ReadonlySet<string> = new Set([
  ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR,
  ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR,
  ErrorDetails.BUFFER_ADD_CODEC_ERROR,
]);

/** Whether hls.js can play in this browser (Media Source Extensions, or Apple's managed ones). */
export const hlsEngineWorks = (): boolean => Hls.isSupported();

/** Plays LL-HLS, or plain HLS when that is what the playlist offers, by hls.js. */
export class HlsEngine implements Engine {
  readonly tellsProgress = false;
  readonly #hls: Hls;
  readonly #bitrate = new BitrateWindow(BITRATE_WINDOW_MS);
  /** The newest complete segment's number. */
  #newest: number | undefined;
  /** Where playlists were asked for before another server answered. */
  readonly #before = new Map<Level, string>();
  #qualities: readonly Quality[] = [];

  constructor(video: HTMLVideoElement, url: string, listener: EngineListener) {
    const hls = new Hls({ ...CONFIG, pLoader: playlistLoader((context, url) => this.#followServer(context, url)) });
    this.#hls = hls;
    hls.on(Events.ERROR, (_event, data) => {
      if (data.fatal) listener.failed(failureKind(data), describe(data));
    });
    hls.on(Events.MANIFEST_PARSED, () => {
      this.#qualities = hls.levels.map((level, index) => ({ index, label: labelOf(level) })).reverse();
      listener.qualities();
    });
    hls.on(Events.LEVEL_UPDATED, (_event, { details }) => this.#followJump(video, details));
    hls.on(Events.LEVEL_SWITCHED, () => listener.qualities());
    hls.on(Events.FRAG_LOADED, (_event, { frag, part }) => {
      const piece = part ?? frag;
      if (frag.sn !== 'initSegment') this.#bitrate.add(piece.stats.total, piece.duration * 1000);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
  }

  get protocol(): string {
    return this.#hls.latestLevelDetails?.partList ? 'LL-HLS' : 'HLS';
  }

  get isOver(): boolean {
    return this.#hls.latestLevelDetails?.live === false;
  }

  get qualities(): readonly Quality[] {
    return this.#qualities;
  }

  get playing(): number {
    return this.#hls.currentLevel;
  }

  get chosen(): number {
    return this.#hls.autoLevelEnabled ? -1 : this.#hls.loadLevel;
  }

  choose(index: number): void {
    this.#hls.nextLevel = index;
  }

  refreshQualities(): void {
    // They are told without asking.
  }

  liveSeconds(): number | undefined {
    return this.#hls.liveSyncPosition ?? undefined;
  }

  figures(): EngineFigures {
    const hls = this.#hls;
    const level = hls.levels[Math.max(0, hls.currentLevel)];
    const bitrateBps = this.#bitrate.bitrateBps;
    const picture = hls.playingDate;
    return {
      ...(hls.latestLevelDetails?.live && hls.latency > 0 ? { edgeLatencyMs: hls.latency * 1000 } : {}),
      ...(picture === null ? {} : { pictureWallMs: picture.getTime() }),
      ...(bitrateBps === undefined ? {} : { bitrateBps }),
      ...(level?.codecs ? { codecs: level.codecs } : {}),
    };
  }

  recoverMedia(): void {
    this.#hls.recoverMediaError();
  }

  resumeLoading(): void {
    // Whoever answered last may be gone; the first one knows who is there.
    for (const [level, url] of this.#before) level.url[0] = url;
    this.#before.clear();
    this.#hls.startLoad();
  }

  destroy(): void {
    this.#hls.destroy();
  }

  /** Who was sent on to another server asks there from the next request on. One request later, and it might go to and fro between two servers for ever. */
  #followServer({ levelOrTrack, url }: PlaylistLoaderContext, answered: string): void {
    const level = this.#hls.levels.find((one) => one === levelOrTrack);
    const next = level && redirectedPlaylist(new URL(url, location.href).href, answered);
    if (!level || next === undefined) return;
    if (!this.#before.has(level)) this.#before.set(level, level.uri);
    level.url[0] = next;
  }

  /**
   * A stream that goes on from another origin has greater numbers and shares nothing with the playlist before. hls.js would wait for what is in between for
   * ever: it does not exist.
   */
  #followJump(video: HTMLVideoElement, { startSN, endSN }: { readonly startSN: number; readonly endSN: number }): void {
    const before = this.#newest;
    this.#newest = endSN;
    const position = this.#hls.liveSyncPosition;
    if (before !== undefined && startSN > before && position !== null) video.currentTime = position;
  }
}

function labelOf(level: Level): string {
  if (level.name && level.name !== String(level.height)) return level.height > 0 ? `${level.name} (${level.height}p)` : level.name;
  return level.height > 0 ? `${level.height}p` : 'Source';
}

function failureKind(data: ErrorData): FailureKind {
  if (UNSUPPORTED.has(data.details)) return 'unsupported';
  if (data.type === ErrorTypes.NETWORK_ERROR) return 'network';
  return data.type === ErrorTypes.MEDIA_ERROR ? 'media' : 'other';
}

function describe(data: ErrorData): string {
  const status = data.response?.code;
  return status ? `${data.details}, HTTP ${status}` : data.details;
}

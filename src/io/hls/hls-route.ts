import type { Logger } from 'pino';
import { type MonotonicMs, monotonicMs, ProtocolError } from '../../core/mod.ts';
import { type DeliveryDirectives, parseDeliveryDirectives } from '../../protocols/hls/mod.ts';
import type { Clock } from '../clock.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import { type HlsSource, HlsStream } from './hls-stream.ts';
import { type HttpRequest, type HttpResponse, REFUSALS, type SharedResponse, send, sendPreflight } from './shared-response.ts';
import { type WaitingBudget, WaitingRequests } from './waiting-requests.ts';

export interface HlsRouteOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** `always`: streams are packaged from their start, so that the first viewer starts at once; `on-demand`: from the first request on. */
  readonly packaging: 'always' | 'on-demand';
  /** Finds a live stream by `app/name`. */
  readonly find: (path: string) => HlsSource | undefined;
  /** Complete segments in a playlist; at least 3. */
  readonly windowSegments: number;
  /** Bytes of segments kept for a stream. */
  readonly windowBytesMax: number;
  /** Held requests of one stream, and of all. */
  readonly waitingPerStreamMax: number;
  readonly waitingMax: number;
}

/** Sensible values for what need not be chosen. */
export const HLS_DEFAULTS: Omit<HlsRouteOptions, 'log' | 'clock' | 'find'> = {
  packaging: 'on-demand',
  windowSegments: 10,
  windowBytesMax: 64 * 1024 * 1024,
  waitingPerStreamMax: 20_000,
  waitingMax: 50_000,
};

/** Counters since the start and gauges, for metrics. */
export interface HlsStats {
  readonly requests: number;
  readonly bytesSent: number;
  readonly refused: number;
  readonly streams: number;
  readonly waiting: number;
  /** Bytes of segments in memory. */
  readonly sizeBytes: number;
}

/** Something that may have to be waited for. */
interface Pending {
  readonly stream: HlsStream;
  readonly answer: () => SharedResponse | undefined;
}

/** An ended stream's playlists and segments stay for viewers to play out. */
const ENDED_KEPT_MS = 30_000;
/** A stream that nobody asks for any more is packaged for so long, where that is done on demand. */
const IDLE_KEPT_MS = 60_000;
/** How long a request waits for the first part of a stream that has just started. */
const START_WAIT_MS_MAX = 6_000;
/** 6.2.5.2: a request is not held longer than three target durations. */
const HOLD_TARGETS_MAX = 3;
/** A viewer who has asked for no playlist for this many target durations has gone. */
const VIEWER_TARGETS_MAX = 3;
const VIEWERS_COUNTED_MAX = 100_000;
const SWEEP_MS = 250;

/** Serves LL-HLS: `/APP/NAME/index.m3u8` and everything below `/APP/NAME/source/`. All answers are made once for all viewers. */
export class HlsRoute {
  private readonly options: HlsRouteOptions;
  private readonly streams = new Map<string, HlsStream>();
  /** Every init segment, part and segment of all streams by its path. */
  private readonly files = new Map<string, SharedResponse>();
  private readonly budget: WaitingBudget;
  private readonly sweeper: NodeJS.Timeout;
  private requests = 0;
  private bytesSent = 0;
  private refused = 0;
  private isClosing = false;

  constructor(options: HlsRouteOptions) {
    this.options = options;
    this.budget = { waiting: 0, waitingMax: options.waitingMax };
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** To be called when a stream starts; packages it at once if `packaging` is `always`. */
  streamStarted(source: HlsSource): void {
    this.forget(`/${source.ref.path}`);
    if (this.options.packaging === 'always' && !this.isClosing) this.open(source);
  }

  /** The route for the HTTP server. Takes only paths that look like HLS. */
  readonly route: MediaRoute = (request, response, path, query) => {
    const file = this.files.get(path);
    if (file !== undefined && request.method === 'GET') {
      this.answer(request, response, file);
      return true;
    }
    const base = hlsBase(path);
    if (base === undefined) return false;
    if (request.method === 'OPTIONS') sendPreflight(response);
    else if (request.method !== 'GET' && request.method !== 'HEAD') this.answer(request, response, REFUSALS.methodNotAllowed);
    else this.serve(request, response, base, path, query);
    return true;
  };

  stats(): HlsStats {
    let sizeBytes = 0;
    for (const stream of this.streams.values()) sizeBytes += stream.sizeBytes;
    return {
      requests: this.requests,
      bytesSent: this.bytesSent,
      refused: this.refused,
      streams: this.streams.size,
      waiting: this.budget.waiting,
      sizeBytes,
    };
  }

  /** Answers all held requests and refuses new ones. */
  close(): Promise<void> {
    this.isClosing = true;
    clearInterval(this.sweeper);
    for (const stream of this.streams.values()) stream.close(REFUSALS.closing);
    this.streams.clear();
    return Promise.resolve();
  }

  private serve(request: HttpRequest, response: HttpResponse, base: string, path: string, query: string): void {
    const found = this.find(request, base, path, query);
    if ('status' in found) this.answer(request, response, found);
    else this.answerWhenReady(request, response, found);
  }

  private find(request: HttpRequest, base: string, path: string, query: string): SharedResponse | Pending {
    if (this.isClosing) return REFUSALS.closing;
    const file = this.files.get(path);
    if (file !== undefined) return file;
    const stream = this.streams.get(base) ?? this.openOnDemand(base);
    if (stream === undefined) return REFUSALS.notFound;
    if (path === stream.mediaPath) return this.findMediaPlaylist(request, stream, query);
    if (path === stream.multivariantPath) {
      this.countViewer(request, stream);
      return { stream, answer: () => stream.multivariantPlaylist() };
    }
    return stream.isHinted(path) ? { stream, answer: () => stream.hintedFile(path) } : REFUSALS.notFound;
  }

  private findMediaPlaylist(request: HttpRequest, stream: HlsStream, query: string): SharedResponse | Pending {
    const directives = readDirectives(query);
    // 6.2.5.2: an ended playlist ignores directives, wrong ones too.
    if (directives === undefined && stream.playlists?.isEnded !== true) return REFUSALS.badDirective;
    this.countViewer(request, stream);
    return { stream, answer: () => stream.mediaPlaylist(directives ?? { skip: false }) };
  }

  private answerWhenReady(request: HttpRequest, response: HttpResponse, { stream, answer }: Pending): void {
    const shared = answer() ?? this.hold(request, response, stream, answer);
    if (shared !== undefined) this.answer(request, response, shared);
  }

  /** Holds the request; returns the refusal if there is no room for it. */
  private hold(request: HttpRequest, response: HttpResponse, stream: HlsStream, answer: Pending['answer']): SharedResponse | undefined {
    const { playlists } = stream;
    const holdMs = playlists === undefined ? START_WAIT_MS_MAX : playlists.targetDurationS * 1000 * HOLD_TARGETS_MAX;
    const deadline = monotonicMs(this.options.clock.monotonic() + holdMs);
    return stream.waiting.hold({ request, response, deadline, answer }) ? undefined : REFUSALS.tooMany;
  }

  private answer(request: HttpRequest, response: HttpResponse, shared: SharedResponse): void {
    this.requests++;
    if (shared.status >= 400) this.refused++;
    this.bytesSent += send(request, response, shared);
  }

  private countViewer(request: HttpRequest, stream: HlsStream): void {
    stream.askedAt = this.options.clock.monotonic();
    stream.viewers.seen(remoteAddress(request.socket), request.headers['user-agent'] ?? '', stream.askedAt);
  }

  private openOnDemand(base: string): HlsStream | undefined {
    const source = this.options.find(base.slice(1));
    return source === undefined ? undefined : this.open(source);
  }

  private open(source: HlsSource): HlsStream {
    const { windowSegments, windowBytesMax, waitingPerStreamMax } = this.options;
    const waiting = new WaitingRequests(this.budget, waitingPerStreamMax, (bytes) => {
      this.requests++;
      this.bytesSent += bytes;
    });
    const limits = { segmentsMax: windowSegments, bytesMax: windowBytesMax };
    const ended = (over: HlsStream): void => {
      over.endedAt = this.options.clock.monotonic();
    };
    const stream = new HlsStream(source, this.files, limits, waiting, VIEWERS_COUNTED_MAX, ended, this.options.clock.monotonic());
    this.streams.set(stream.base, stream);
    this.options.log.debug({ code: 'hls.packaging', stream: source.ref.path }, 'HLS packaging started');
    return stream;
  }

  private forget(base: string): void {
    this.streams.get(base)?.close(REFUSALS.notFound);
    this.streams.delete(base);
  }

  private isDone(stream: HlsStream, now: MonotonicMs): boolean {
    if (stream.endedAt !== undefined) return now - stream.endedAt > ENDED_KEPT_MS;
    return this.options.packaging === 'on-demand' && now - stream.askedAt > IDLE_KEPT_MS;
  }

  private sweep(): void {
    const now = this.options.clock.monotonic();
    for (const stream of this.streams.values()) {
      stream.waiting.expire(now);
      if (this.isDone(stream, now)) this.forget(stream.base);
      else countViewers(stream, now);
    }
  }
}

function countViewers(stream: HlsStream, now: MonotonicMs): void {
  const windowMs = (stream.playlists?.targetDurationS ?? 2) * 1000 * VIEWER_TARGETS_MAX;
  stream.source.viewers.set('hls', stream.viewers.count(now, windowMs));
}

function readDirectives(query: string): DeliveryDirectives | undefined {
  try {
    return parseDeliveryDirectives(query);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** `/APP/NAME` of `/APP/NAME/index.m3u8` or `/APP/NAME/source/FILE`; undefined for paths that are not HLS. */
function hlsBase(path: string): string | undefined {
  const app = path.indexOf('/', 1);
  const name = app < 0 ? -1 : path.indexOf('/', app + 1);
  if (name < 0) return undefined;
  const rest = path.slice(name + 1);
  const isFile = rest.startsWith('source/') && (rest.endsWith('.m3u8') || rest.endsWith('.m4s') || rest.endsWith('.mp4'));
  return rest === 'index.m3u8' || isFile ? path.slice(0, name) : undefined;
}

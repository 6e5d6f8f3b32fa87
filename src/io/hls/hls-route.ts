import type { Logger } from 'pino';
import type { AccessGate } from '../../access/mod.ts';
import { type MonotonicMs, monotonicMs, ProtocolError, type StreamRef } from '../../core/mod.ts';
import { type DeliveryDirectives, MEDIA_PLAYLIST_NAME, parseDeliveryDirectives } from '../../protocols/hls/mod.ts';
import { queryToken, withoutToken } from '../access-answers.ts';
import { AppBytes } from '../app-bytes.ts';
import type { Clock } from '../clock.ts';
import type { MediaRoute } from '../media-route.ts';
import { remoteAddress } from '../remote-address.ts';
import type { SharedReply, SharedRequest, SharedResponse, SharedRoute } from '../shared-route.ts';
import { type ArrivalRequest, ArrivingStreams, streamRefOf } from './arriving-streams.ts';
import { type HlsPlace, hlsPlace } from './hls-place.ts';
import type { HlsRendition } from './hls-rendition.ts';
import { type HlsSource, HlsStream } from './hls-stream.ts';
import { NodeReply, sendPreflight } from './node-reply.ts';
import { type HlsGivers, OLDER_PREFIX, WINDOW_NAME } from './older-window.ts';
import { accessRefusal, REFUSALS, redirection, withheldRefusal } from './shared-response.ts';
import { viewerKey } from './viewer-estimate.ts';
import { type WaitingBudget, WaitingRequests } from './waiting-requests.ts';

export interface HlsRouteOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Who may play. */
  readonly access: AccessGate;
  /** `always`: streams are packaged from their start, so that the first viewer starts at once; `on-demand`: from the first request on. */
  readonly packaging: 'always' | 'on-demand';
  /** Finds a live stream by `app/name`. */
  readonly find: (path: string) => HlsSource | undefined;
  /** Brings a stream that is not here; without it, none is waited for. */
  readonly bring?: (ref: StreamRef, gone?: AbortSignal) => Promise<HlsSource | undefined> | undefined;
  /** Why a rendition of a stream, by `app/name`, is not there for now; undefined: there is no such one. */
  readonly withheld?: (path: string, rendition: string) => string | undefined;
  /** The nodes that streams of other nodes come from; absent: there are none. */
  readonly givers?: HlsGivers | undefined;
  /** Complete segments in a playlist; at least 3. */
  readonly windowSegments: number;
  /** Bytes of segments kept for a stream. */
  readonly windowBytesMax: number;
  /** Held requests of one stream, and of all. */
  readonly waitingPerStreamMax: number;
  readonly waitingMax: number;
}

/** Sensible values for what need not be chosen. */
export const HLS_DEFAULTS: Omit<HlsRouteOptions, 'log' | 'clock' | 'find' | 'bring' | 'access' | 'givers' | 'withheld'> = {
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

/** What is known of a request by its headers. */
interface Asking {
  readonly page: string | undefined;
}

/** Something that may have to be waited for. */
interface Pending {
  readonly waiting: WaitingRequests;
  readonly holdMsMax: number;
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
/** How long viewers wait for a file that another node has, and nodes for what this one has to ask for itself. */
const OLDER_WAIT_MS_MAX = 6_000;
const NODE_WAIT_MS_MAX = 4_000;
/** `/hls/APP/NAME/RENDITION/FILE`. */
const OLDER_PATH = new RegExp(`^${OLDER_PREFIX}(/[^/]+/[^/]+)/([^/]+)/([^/]+)$`);
const VIEWERS_COUNTED_MAX = 100_000;
const SWEEP_MS = 250;

/** Serves LL-HLS: `/APP/NAME/index.m3u8` and everything below `/APP/NAME/RENDITION/`. All answers are made once for all viewers. */
export class HlsRoute {
  private readonly options: HlsRouteOptions;
  private readonly streams = new Map<string, HlsStream>();
  /** Every init segment, part and segment of all streams by its path. */
  private readonly files = new Map<string, SharedResponse>();
  private readonly budget: WaitingBudget;
  private readonly arrivals: ArrivingStreams;
  private readonly sweeper: NodeJS.Timeout;
  private requests = 0;
  private bytesSent = 0;
  private refused = 0;
  private readonly byApp = new AppBytes();
  private isClosing = false;

  constructor(options: HlsRouteOptions) {
    this.options = options;
    this.budget = { waiting: 0, waitingMax: options.waitingMax };
    this.arrivals = new ArrivingStreams({
      isHere: (base, isBeginning) => {
        const stream = this.streams.get(base);
        return (stream !== undefined && !(isBeginning && stream.endedAt !== undefined)) || options.find(base.slice(1)) !== undefined;
      },
      bring: options.bring,
      requestsMax: options.waitingPerStreamMax,
      come: (waiting, isHere) => this.serve(waiting, isHere ? REFUSALS.notFound : REFUSALS.notStarted),
    });
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** To be called when a stream starts; packages it at once if `packaging` is `always`. */
  streamStarted(source: HlsSource): void {
    this.forget(`/${source.ref.path}`);
    if (this.options.packaging === 'always' && !this.isClosing) this.open(source);
  }

  /** The route for node:http and node:http2. Takes only paths that look like HLS. */
  readonly route: MediaRoute = (request, response, path, query) => {
    if (hlsPlace(path) === undefined) return false;
    const reply = new NodeReply(request, response);
    if (request.method === 'OPTIONS') sendPreflight(response);
    else if (request.method !== 'GET' && request.method !== 'HEAD') this.answer(reply, REFUSALS.methodNotAllowed);
    else {
      const { origin, referer, 'user-agent': userAgent = '', 'cmcd-session': session = '' } = request.headers;
      const cmcdSession = Array.isArray(session) ? (session[0] ?? '') : session;
      this.take({ path, query, userAgent, cmcdSession, remote: remoteAddress(request.socket) }, reply, { page: origin ?? referer });
    }
    return true;
  };

  /** What nodes ask for that get a stream from this one: what the window of a rendition has, and files of it. Their viewers are not counted here. */
  readonly forNodes: MediaRoute = (request, response, path) => {
    const asked = OLDER_PATH.exec(path);
    if (asked === null) return false;
    const [, base = '', rendition = '', file = ''] = asked;
    const reply = uncounted(new NodeReply(request, response));
    const found = this.findForNode(base, rendition, file);
    const shared = 'status' in found ? found : (found.answer() ?? this.hold(reply, found));
    if (shared !== undefined) reply.send(shared);
    return true;
  };

  /** The same for GET and HEAD without headers; what goes by the page that asks is left to {@link route}. */
  readonly shared: SharedRoute = (request, reply) => this.take(request, reply, undefined);

  stats(): HlsStats {
    let sizeBytes = 0;
    for (const stream of this.streams.values()) sizeBytes += stream.sizeBytes;
    return {
      requests: this.requests,
      bytesSent: this.bytesSent,
      refused: this.refused,
      streams: this.streams.size,
      waiting: this.budget.waiting + this.arrivals.size,
      sizeBytes,
    };
  }

  /** What has been sent to viewers since the start, by app. */
  addBytesSent(to: AppBytes): void {
    this.byApp.addTo(to);
  }

  /** Answers all held requests and refuses new ones. */
  close(): Promise<void> {
    this.isClosing = true;
    clearInterval(this.sweeper);
    this.arrivals.close();
    for (const stream of this.streams.values()) stream.close(REFUSALS.closing);
    this.streams.clear();
    return Promise.resolve();
  }

  private take(request: SharedRequest, reply: SharedReply, asking: Asking | undefined): boolean {
    const { path } = request;
    const { access } = this.options;
    const app = path.slice(1, path.indexOf('/', 1));
    const isOpen = access.isOpen(app);
    const file = isOpen ? this.files.get(path) : undefined;
    if (file !== undefined) {
      this.answer(reply, file, app);
      return true;
    }
    const place = hlsPlace(path);
    if (place === undefined || (!isOpen && asking === undefined && access.asksForPage(app))) return false;
    if (isOpen) this.deliver({ request: place.token === undefined ? request : { ...request, path: place.path }, reply, place });
    else this.admit({ request: { ...request, path: place.path }, reply, place }, asking?.page);
    return true;
  }

  /** Answers a request for what not everybody may play, at once or when its token was checked. */
  private admit(asked: ArrivalRequest, page: string | undefined): void {
    const { request, reply, place } = asked;
    const ref = streamRefOf(place.base);
    if (ref === undefined) {
      this.answer(reply, REFUSALS.notFound);
      return;
    }
    const token = place.token ?? queryToken(request.query);
    const credential = token === undefined ? {} : { token };
    const isViewing = this.isViewing(asked);
    this.options.access.admit({ act: 'play', ref, credential, address: request.remote, page, protocol: 'hls', isViewing }, (decision) => {
      if (reply.isGone) return;
      if (decision !== 'allowed') this.answer(reply, accessRefusal(decision));
      // From here on the token is in the path, so that everything that the playlists name by relative URLs has it, too.
      else if (place.rendition === undefined && place.token === undefined && token !== undefined)
        this.answer(reply, locationWith(token, request));
      else this.deliver(asked);
    });
  }

  /** Who was counted by a playlist goes on, and segments are for those who have one. */
  private isViewing({ request, place: { base, rendition } }: ArrivalRequest): boolean {
    const stream = this.streams.get(base);
    if (rendition !== undefined && !request.path.endsWith(`/${MEDIA_PLAYLIST_NAME}`)) return true;
    return stream?.isViewing(viewerKey(request), this.options.clock.monotonic()) === true;
  }

  /** Answers who may play. */
  private deliver(asked: ArrivalRequest): void {
    const file = this.files.get(asked.request.path);
    if (file !== undefined) this.answer(asked.reply, file, appOf(asked.place));
    else if (this.isClosing || !this.arrivals.hold(asked)) this.serve(asked, REFUSALS.notFound);
  }

  private serve({ request, reply, place }: ArrivalRequest, missing: SharedResponse): void {
    const found = this.find(request, place, missing);
    if ('status' in found) this.answer(reply, found, appOf(place));
    else this.answerWhenReady(reply, found, appOf(place));
  }

  private find(request: SharedRequest, { base, rendition: name }: HlsPlace, missing: SharedResponse): SharedResponse | Pending {
    if (this.isClosing) return REFUSALS.closing;
    const { path, query } = request;
    const stream = this.streams.get(base) ?? this.openOnDemand(base);
    if (stream === undefined) return missing;
    if (name === undefined) {
      this.countViewer(request, stream, undefined);
      return pending(stream, stream.waiting, () => stream.multivariantPlaylist());
    }
    const rendition = stream.rendition(name);
    if (rendition === undefined) return this.refusalOf(base, name);
    if (path === rendition.mediaPath) return this.findMediaPlaylist(request, stream, rendition, query);
    if (rendition.isHinted(path)) return pending(stream, rendition.waiting, () => rendition.hintedFile(path));
    return findOlderFile(rendition, path, OLDER_WAIT_MS_MAX) ?? REFUSALS.notFound;
  }

  private findForNode(base: string, name: string, file: string): SharedResponse | Pending {
    const stream = this.isClosing ? undefined : (this.streams.get(base) ?? this.openOnDemand(base));
    const rendition = stream?.rendition(name);
    if (stream === undefined || rendition === undefined) return REFUSALS.notFound;
    stream.askedAt = this.options.clock.monotonic();
    const { waiting } = rendition;
    if (file === WINDOW_NAME) return { waiting, holdMsMax: NODE_WAIT_MS_MAX, answer: () => rendition.window() };
    const path = `${base}/${name}/${file}`;
    return this.files.get(path) ?? findOlderFile(rendition, path, NODE_WAIT_MS_MAX) ?? REFUSALS.notFound;
  }

  private refusalOf(base: string, rendition: string): SharedResponse {
    const reason = this.options.withheld?.(base.slice(1), rendition);
    return reason === undefined ? REFUSALS.notFound : withheldRefusal(reason);
  }

  private findMediaPlaylist(request: SharedRequest, stream: HlsStream, rendition: HlsRendition, query: string): SharedResponse | Pending {
    const directives = readDirectives(query);
    // 6.2.5.2: an ended playlist ignores directives, wrong ones too.
    if (directives === undefined && rendition.playlists?.isEnded !== true) return REFUSALS.badDirective;
    this.countViewer(request, stream, rendition.name);
    return pending(stream, rendition.waiting, () => rendition.mediaPlaylist(directives ?? { skip: false }));
  }

  private answerWhenReady(reply: SharedReply, pending: Pending, app: string): void {
    const shared = pending.answer() ?? this.hold(reply, pending);
    if (shared !== undefined) this.answer(reply, shared, app);
  }

  /** Holds the request; returns the refusal if there is no room for it. */
  private hold(reply: SharedReply, { waiting, holdMsMax, answer }: Pending): SharedResponse | undefined {
    const deadline = monotonicMs(this.options.clock.monotonic() + holdMsMax);
    return waiting.hold({ reply, deadline, answer }) ? undefined : REFUSALS.tooMany;
  }

  private answer(reply: SharedReply, shared: SharedResponse, app?: string): void {
    this.requests++;
    if (shared.status >= 400) this.refused++;
    const bytes = reply.send(shared);
    this.bytesSent += bytes;
    // Paths that name no app of ours are answered with an error.
    if (app !== undefined && shared.status < 400) this.byApp.add(app, bytes);
  }

  private countViewer(request: SharedRequest, stream: HlsStream, rendition: string | undefined): void {
    stream.asked(viewerKey(request), rendition, this.options.clock.monotonic());
  }

  private openOnDemand(base: string): HlsStream | undefined {
    const source = this.options.find(base.slice(1));
    return source === undefined ? undefined : this.open(source);
  }

  private open(source: HlsSource): HlsStream {
    const { windowSegments, windowBytesMax, waitingPerStreamMax, givers, clock, log } = this.options;
    const sent = (bytes: number): void => {
      this.requests++;
      this.bytesSent += bytes;
      this.byApp.add(source.ref.app, bytes);
    };
    const stream = new HlsStream(
      source,
      {
        files: this.files,
        limits: { segmentsMax: windowSegments, bytesMax: windowBytesMax },
        makeWaiting: () => new WaitingRequests(this.budget, waitingPerStreamMax, sent),
        missing: (rendition) => this.refusalOf(`/${source.ref.path}`, rendition),
        viewersMax: VIEWERS_COUNTED_MAX,
        from: givers && { givers, ref: source.ref, isRelayed: source.publisher.protocol === 'relay', log },
        ended: (over, end) => {
          over.endedAt = clock.monotonic();
          // A playlist that ends would be a lie: who asks next has the stream brought again.
          if (end === 'released') this.forget(over.base);
        },
      },
      clock.monotonic(),
    );
    this.streams.set(stream.base, stream);
    log.debug({ code: 'hls.packaging', stream: source.ref.path }, 'HLS packaging started');
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
    this.arrivals.sweep();
    for (const stream of this.streams.values()) {
      for (const rendition of stream.renditions) rendition.tick(now);
      if (this.isDone(stream, now)) this.forget(stream.base);
      else stream.countViewers(now);
    }
  }
}

const appOf = ({ base }: HlsPlace): string => base.slice(1, base.indexOf('/', 1));

function locationWith(token: string, { query }: SharedRequest): SharedResponse {
  const rest = withoutToken(query);
  return redirection(`~${token}/index.m3u8${rest === '' ? '' : `?${rest}`}`);
}

function readDirectives(query: string): DeliveryDirectives | undefined {
  try {
    return parseDeliveryDirectives(query);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** What is from before this node packaged the stream comes from the node that gives it. */
function findOlderFile(rendition: HlsRendition, path: string, holdMsMax: number): Pending | undefined {
  if (!rendition.brings(path)) return undefined;
  return { waiting: rendition.waiting, holdMsMax, answer: () => rendition.broughtFile(path) };
}

/** What other nodes get counts at the viewers' node. */
const uncounted = (reply: SharedReply): SharedReply => ({
  get isGone() {
    return reply.isGone;
  },
  send: (shared) => {
    reply.send(shared);
    return 0;
  },
});

function pending(stream: HlsStream, waiting: WaitingRequests, answer: Pending['answer']): Pending {
  const hasBegun = stream.hasBegun;
  return { waiting, holdMsMax: hasBegun ? stream.targetDurationS * 1000 * HOLD_TARGETS_MAX : START_WAIT_MS_MAX, answer };
}

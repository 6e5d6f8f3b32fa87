import { randomInt } from 'node:crypto';
import type pino from 'pino';
import { type MonotonicMs, monotonicMs } from '../../core/mod.ts';
import { LayersToHub } from '../../gateways/mod.ts';
import type { Eviction, Publication, SourceListener } from '../../hub/mod.ts';
import { headerExtensionUris } from '../../protocols/rtp/mod.ts';
import type { NegotiatedMedia } from '../../protocols/sdp/mod.ts';
import { type PublishExtensions, type PublishedMedia, PublishSession, type PublishSessionStats } from '../../protocols/webrtc/mod.ts';
import type { Clock } from '../clock.ts';
import type { Kernel } from './kernel.ts';
import type { SessionEnd, SessionMedia } from './webrtc-session.ts';

export interface PublisherOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly log: pino.Logger;
  readonly cname: string;
  readonly keyframeIntervalMs: number;
  /** Asks the server to end the session. */
  readonly end: (reason: SessionEnd) => void;
}

/** A publisher that sends nothing for so long has gone without a word. */
const SILENT_MS_MAX = 5_000;

/** A WHIP session's media: decrypted packets become frames of a stream in the hub. */
export class WebrtcPublisher implements SessionMedia, SourceListener {
  private readonly options: PublisherOptions;
  private publication: Publication | undefined = undefined;
  private toHub: LayersToHub | undefined = undefined;
  private session: PublishSession | undefined = undefined;
  private heardAt: MonotonicMs | undefined = undefined;

  constructor(options: PublisherOptions) {
    this.options = options;
  }

  /** The hub has taken the stream. */
  published(publication: Publication): void {
    this.publication = publication;
    const { log } = this.options;
    const stream = publication.stream.ref.path;
    this.toHub = new LayersToHub(publication, {
      keyframeWanted: () => this.keyframeWanted(),
      warning: (code, message) => log.warn({ code, stream }, message),
    });
  }

  /** What was agreed on. */
  negotiated(key: number, media: readonly NegotiatedMedia[], now: MonotonicMs): void {
    const { kernel, cname, keyframeIntervalMs } = this.options;
    this.session = new PublishSession(
      {
        rtcp: (compound) => kernel.sendRtcp(key, compound),
        frame: (layer, frame) => {
          const at = this.options.clock.monotonic();
          const isUsable = this.toHub?.frame(layer, { ...frame, codec: layer.codec }, at, this.options.clock.wall());
          if (isUsable === false) this.session?.layerBroken(layer, at);
        },
      },
      {
        media: media.map(publishedMedia),
        extensions: publishExtensions(media),
        localSsrc: randomInt(1, 0xffff_ffff),
        cname,
        usesReducedSize: media.every(({ rtcpReducedSize }) => rtcpReducedSize),
        keyframeIntervalMs,
      },
      now,
    );
  }

  get wakeAt(): MonotonicMs {
    if (this.heardAt === undefined || this.session === undefined) return monotonicMs(Number.POSITIVE_INFINITY);
    return monotonicMs(Math.min(this.session.wakeAt, this.heardAt + SILENT_MS_MAX));
  }

  stats(): PublishSessionStats | undefined {
    return this.session?.stats();
  }

  connected(now: MonotonicMs): void {
    this.heardAt ??= now;
  }

  rtp(bytes: Uint8Array, arrivalUs: number, now: MonotonicMs): void {
    this.heardAt = now;
    this.session?.receiveRtp(bytes, arrivalUs, now);
  }

  rtcp(bytes: Uint8Array, now: MonotonicMs): void {
    this.heardAt = now;
    this.session?.receiveRtcp(bytes, now, this.options.clock.wall());
  }

  tick(now: MonotonicMs): void {
    this.session?.tick(now);
    if (this.heardAt !== undefined && now - this.heardAt >= SILENT_MS_MAX) this.options.end('webrtc.media-silent');
  }

  /** A client that says goodbye ends its stream; one that is lost leaves it held. */
  ended(reason: SessionEnd, now: MonotonicMs): void {
    const { publication } = this;
    this.publication = undefined;
    this.toHub = undefined;
    const isGoodbye = GOODBYES.has(reason);
    if (isGoodbye) publication?.finish(now);
    else publication?.lost(now);
  }

  evicted(reason: Eviction): void {
    this.publication = undefined;
    this.toHub = undefined;
    this.options.end(`webrtc.${reason}`);
  }

  keyframeWanted(): void {
    this.session?.requestKeyframe(this.options.clock.monotonic());
  }
}

/** After these nobody comes back to the stream. */
const GOODBYES: ReadonlySet<SessionEnd> = new Set([
  'webrtc.deleted-by-client',
  'webrtc.connect-timeout',
  'webrtc.server-stopping',
  'webrtc.access-withdrawn',
]);

function publishedMedia(media: NegotiatedMedia): PublishedMedia {
  const { kind, mid = '', codec, payloadType, clockRate, rids, sources, rtxPayloadType, feedback } = media;
  return {
    kind,
    mid,
    codec,
    payloadType,
    clockRate,
    rids,
    sources,
    usesNack: feedback.includes('nack'),
    ...(rtxPayloadType === undefined ? {} : { rtxPayloadType }),
  };
}

/** In a bundle one id means the same in all sections (RFC 8843 section 9.2.4). */
function publishExtensions(media: readonly NegotiatedMedia[]): PublishExtensions {
  const ids = new Map(media.flatMap(({ extensions }) => [...extensions]));
  const { mid, rid, repairedRid, transportCc, absCaptureTime } = headerExtensionUris;
  const named = Object.entries({ mid, rid, repairedRid, transportCc, absCaptureTime }).flatMap(([name, uri]) => {
    const id = ids.get(uri);
    return id === undefined ? [] : [[name, id] as const];
  });
  return Object.fromEntries(named);
}

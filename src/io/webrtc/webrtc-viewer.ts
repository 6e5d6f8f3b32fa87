import { randomInt } from 'node:crypto';
import { bitrateBps, type MonotonicMs, monotonicMs } from '../../core/mod.ts';
import type { RtpKind } from '../../gateways/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import type { Track } from '../../media/mod.ts';
import { headerExtensionUris, keyframePace } from '../../protocols/rtp/mod.ts';
import type { NegotiatedMedia } from '../../protocols/sdp/mod.ts';
import { PlaySession, type SentSoFar } from '../../protocols/webrtc/mod.ts';
import type { WhipLayerChoice } from '../../protocols/whip/mod.ts';
import type { Clock } from '../clock.ts';
import type { FlowOptions, Kernel } from './kernel.ts';
import type { MediaTotals } from './media-totals.ts';
import type { BroadcastViewer, StreamBroadcast, StreamBroadcasts } from './stream-broadcasts.ts';
import { SOURCE, type TrackHome, trackHomes } from './track-home.ts';
import { ViewerRendition } from './viewer-rendition.ts';
import type { SessionEnd, SessionMedia } from './webrtc-session.ts';

/** A track of the stream as this viewer gets it: what is promised in the SDP answer. */
export interface ViewerTrack {
  readonly home: TrackHome;
  readonly ssrc: number;
  readonly rtxSsrc: number;
}

export interface ViewerOptions {
  readonly stream: LiveStream;
  readonly broadcasts: StreamBroadcasts;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly cname: string;
  readonly totals: MediaTotals;
  /** Asks the server to end the session. */
  readonly end: (reason: SessionEnd) => void;
}

interface Flow {
  readonly track: ViewerTrack;
  readonly media: NegotiatedMedia;
  readonly timestampOffset: number;
  id: number | undefined;
}

const TICK_MS = 90;
/** How often the pace is adapted once a viewer has caught up. */
const PACE_EACH_MS = 500;
/** Of every RTP payload format that is sent: 90 kHz for pictures, Opus' 48 kHz (RFC 7587 section 4.1) for sound. */
const CLOCK_RATES: Readonly<Record<RtpKind, number>> = { video: 90_000, audio: 48_000 };
/** Where the bandwidth estimate begins, unless the stream has more: what most networks carry. */
const START_BPS = 2_000_000;
/** Browsers show frames as soon as they can, and keep no more than this before them (webrtc.org's playout-delay). */
const PLAYOUT_DELAY_MS_MAX = 400;

/** A WHEP session's media: flows from the stream's histories, and the RTCP that belongs to them. */
export class WebrtcViewer implements SessionMedia, BroadcastViewer {
  private readonly options: ViewerOptions;
  /** Of the stream itself: its clock is that of all tracks, and its end the session's. */
  private readonly broadcast: StreamBroadcast;
  /** What it gets, with the broadcasts that it has joined for it. */
  private homes: readonly { readonly home: TrackHome; readonly broadcast: StreamBroadcast }[] = [];
  private rendition: ViewerRendition | undefined = undefined;
  private flows: readonly Flow[] = [];
  private session: PlaySession | undefined = undefined;
  private key: number | undefined = undefined;
  private joinedAt: MonotonicMs | undefined = undefined;
  private tickedAt = 0;
  private paceAt = 0;

  /** Joins the stream's broadcast. */
  constructor(options: ViewerOptions) {
    this.options = options;
    this.broadcast = options.broadcasts.join(options.stream, this);
  }

  /** What can be played now, best first, with SSRCs of its own. */
  tracks(): readonly ViewerTrack[] {
    const { stream } = this.options;
    return trackHomes(stream, (kind) => this.broadcast.rtp.carried(kind)).map((home) => ({
      home,
      ssrc: randomSsrc(),
      rtxSsrc: randomSsrc(),
    }));
  }

  /**
   * What was agreed on: `media` names tracks by their place in `tracks`. Joins the broadcasts of renditions among them, so that they are being made
   * when it connects.
   */
  choose(tracks: readonly ViewerTrack[], media: readonly NegotiatedMedia[]): void {
    this.flows = media.flatMap((section) => {
      const track = section.trackIndex === undefined ? undefined : tracks[section.trackIndex];
      return track === undefined ? [] : [{ track, media: section, timestampOffset: randomInt(0x1_0000_0000), id: undefined }];
    });
    this.homes = this.flows.map(({ track: { home } }) => ({
      home,
      broadcast: home.name === SOURCE ? this.broadcast : this.options.broadcasts.join(home.frames, this),
    }));
  }

  /** Its session in the kernel is made. */
  negotiated(key: number, now: MonotonicMs): void {
    this.key = key;
    const { kernel, clock, cname, stream, broadcasts, totals } = this.options;
    const video = this.flows.find(({ track }) => track.home.kind === 'video');
    if (video !== undefined) {
      const { timestampOffset, track } = video;
      const { name: home, codec } = track.home;
      this.rendition = new ViewerRendition(
        { name: home, broadcast: this.broadcastOf('video') },
        { stream, main: this.broadcast, broadcasts, kernel, session: key, viewer: this, codec, timestampOffset },
        now,
      );
    }
    this.session = new PlaySession(
      {
        rtcp: (compound) => kernel.sendRtcp(key, compound),
        retransmit: (ssrc, sequenceNumbers, count) => {
          const flow = this.flowOf(ssrc);
          const needed = flow?.track.home.kind === 'video' ? this.rendition?.stillNeeded(sequenceNumbers, count) : count;
          totals.retransmitted(count, flow?.id === undefined ? 0 : kernel.retransmit(flow.id, sequenceNumbers, needed ?? count));
        },
        keyframeWanted: () => {
          totals.viewerWishedKeyframe();
          this.rendition?.requestKeyframe(clock.monotonic());
        },
        sent: (ssrc) => this.sent(ssrc),
        sentPackets: (first, count, sentUs, sizes) => kernel.sentPackets(key, first, count, sentUs, sizes),
      },
      {
        ssrcs: this.flows.map(({ track }) => track.ssrc),
        cname,
        startBps: bitrateBps(Math.max(START_BPS, this.options.stream.stats().bitrateBps)),
      },
      now,
    );
  }

  layers(): WhipLayerChoice | undefined {
    return this.rendition;
  }

  get wakeAt(): MonotonicMs {
    return monotonicMs(this.joinedAt === undefined ? Number.POSITIVE_INFINITY : this.tickedAt + TICK_MS);
  }

  connected(now: MonotonicMs): void {
    if (this.joinedAt !== undefined) return;
    this.joinedAt = now;
    for (const flow of this.flows) {
      const { kind } = flow.track.home;
      flow.id = this.broadcastOf(kind).rtp.addFlow(kind, this.flowOptions(flow));
      if (kind === 'video') this.rendition?.begin(flow.id);
    }
  }

  rtp(): void {
    // Viewers send no media.
  }

  rtcp(bytes: Uint8Array, now: MonotonicMs): void {
    this.session?.receive(bytes, now, this.options.clock.wall());
  }

  tick(now: MonotonicMs): void {
    this.tickedAt = now;
    const { session } = this;
    if (session === undefined) return;
    session.tick(now, this.options.clock.wall());
    this.rendition?.tick(session.estimator, now);
    if (now < this.paceAt) return;
    this.paceAt = this.isCatchingUp(now) ? now : now + PACE_EACH_MS;
    for (const { id, track } of this.flows)
      if (id !== undefined && track.home.kind === 'video') this.options.kernel.setPace(id, this.pace(now));
  }

  /** Whether a packet of its media has left. */
  get hasSent(): boolean {
    return this.flows.some(({ id }) => id !== undefined && this.options.kernel.flowStats(id).packets > 0);
  }

  ended(reason: SessionEnd): void {
    if (this.joinedAt !== undefined && reason !== 'webrtc.peer-closed') this.session?.goodbye();
    this.rendition?.close();
    for (const { broadcast } of this.homes) broadcast.remove(this);
    this.broadcast.remove(this);
  }

  trackChanged(from: StreamBroadcast, kind: RtpKind, track: Track | undefined): void {
    const promised = this.flows.find((flow) => flow.track.home.kind === kind)?.track.home;
    if (promised === undefined || from !== this.broadcastOf(kind) || track?.codec === promised.codec) return;
    // A rendition that is not made yet, or rests, has no track.
    if (promised.name !== SOURCE && track === undefined) return;
    // What was promised cannot be kept: the player makes a new session, which promises what there is now.
    this.options.end('webrtc.codec-changed');
  }

  keyframe(from: StreamBroadcast, timestamp: number): void {
    this.rendition?.keyframe(from, timestamp);
  }

  broadcastEnded(from: StreamBroadcast): void {
    if (from === this.broadcast) this.options.end('webrtc.stream-ended');
    // Without its sound, or with no other pictures to change to, a new session gets what there is now.
    else if (from === this.broadcastOf('audio') || this.rendition?.ended(from) !== true) this.options.end('webrtc.codec-changed');
  }

  private broadcastOf(kind: RtpKind): StreamBroadcast {
    return this.homes.find(({ home }) => home.kind === kind)?.broadcast ?? this.broadcast;
  }

  private flowOf(ssrc: number): Flow | undefined {
    return this.flows.find(({ track }) => track.ssrc === ssrc);
  }

  private sent(ssrc: number): SentSoFar | undefined {
    const flow = this.flowOf(ssrc);
    if (flow?.id === undefined) return undefined;
    const { packets, octets } = this.options.kernel.flowStats(flow.id);
    const timestamp = this.broadcast.rtp.timestampAt(CLOCK_RATES[flow.track.home.kind], this.options.clock.monotonic());
    if (packets === 0 || timestamp === undefined) return undefined;
    return { packets, octets, rtpTimestamp: (timestamp + flow.timestampOffset) >>> 0 };
  }

  private flowOptions({ track, media, timestampOffset }: Flow): Omit<FlowOptions, 'group' | 'fromIndex'> {
    const { ssrc, rtxSsrc } = track;
    const { rtxPayloadType, payloadType } = media;
    return {
      session: this.key ?? 0,
      ssrc,
      payloadType,
      ...(rtxPayloadType === undefined ? {} : { rtx: { ssrc: rtxSsrc, payloadType: rtxPayloadType } }),
      extensions: flowExtensions(media),
      // RFC 3711 section 3.3.1: it begins in the lower half, so that the first wrap is counted.
      firstSequenceNumber: randomInt(0x8000),
      timestampOffset,
      pacePackets: this.pace(this.joinedAt ?? (0 as MonotonicMs)),
    };
  }

  private pace(now: MonotonicMs): number {
    return keyframePace({
      streamBps: this.options.stream.stats().bitrateBps,
      estimateBps: this.session?.estimator.estimateBps ?? START_BPS,
      packetsBehind: this.isCatchingUp(now) ? this.broadcastOf('video').rtp.packetsSinceKeyframe() : 0,
      catchingUpMs: 0,
    });
  }

  /** A newcomer begins at the last keyframe, and is to reach the present within a second. */
  private isCatchingUp(now: MonotonicMs): boolean {
    return this.joinedAt !== undefined && now - this.joinedAt < 1_000;
  }
}

const randomSsrc = (): number => randomInt(1, 0xffff_ffff);

function flowExtensions({ extensions, mid }: NegotiatedMedia): FlowOptions['extensions'] {
  const { transportCc, absSendTime, absCaptureTime, playoutDelay, mid: midUri } = headerExtensionUris;
  const id = (uri: string): number | undefined => extensions.get(uri);
  const [twcc, sendTime, capture, playout, midId] = [transportCc, absSendTime, absCaptureTime, playoutDelay, midUri].map(id);
  return {
    ...(twcc === undefined ? {} : { transportCc: twcc }),
    // Of use only to peers that estimate the bandwidth themselves.
    ...(sendTime === undefined || twcc !== undefined ? {} : { absSendTime: sendTime }),
    ...(capture === undefined ? {} : { absCaptureTime: capture }),
    ...(playout === undefined ? {} : { playoutDelay: { id: playout, minMs: 0, maxMs: PLAYOUT_DELAY_MS_MAX } }),
    ...(midId === undefined || mid === undefined ? {} : { mid: { id: midId, value: mid } }),
  };
}

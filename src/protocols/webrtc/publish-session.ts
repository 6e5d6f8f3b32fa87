import { type DurationMs, durationMs, type MonotonicMs, monotonicMs, ProtocolError, type WallMs } from '../../core/mod.ts';
import {
  type ClockTrack,
  decodeSdesItem,
  decodeTransportCc,
  KeyframeRequests,
  MediaClock,
  PeerClock,
  parseRtcp,
  parseRtpPacket,
  type ReceivedFrame,
  type RtcpPacket,
  RtcpReporter,
  RtcpWriter,
  type RtpPacket,
  RtpReceiver,
  TwccReceiver,
} from '../rtp/mod.ts';
import type {
  PublishedLayer,
  PublishedMedia,
  PublishSessionOptions,
  PublishSessionOutput,
  PublishSessionStats,
} from './published-media.ts';

interface Lane {
  readonly layer: PublishedLayer;
  readonly media: PublishedMedia;
  readonly receiver: RtpReceiver;
  readonly clock: ClockTrack;
  rtxSsrc: number | undefined;
  /** When its last packet came. */
  heardAt: MonotonicMs;
  /** When its last keyframe came, or else its first packet. */
  keyframeAt: MonotonicMs;
}

/** Layers and their sound: more than any publisher sends. */
const LANES_MAX = 8;
/**
 * An encoder that begins anew may take another SSRC, but only when the former one is silent for so long: two that send at the same time
 * would replace each other with every packet.
 */
const REPLACED_AFTER_MS = 500;
/** A layer without packets for so long is switched off; it has no keyframes to wait for. */
const SILENT_MS_MAX = 2_000;
/** Wishes for keyframes that come faster than this are one. */
const KEYFRAME_REQUEST_MS: DurationMs = durationMs(500);
/** Keyframes that come by themselves are waited for this much longer than the interval, lest each be asked for just before it comes. */
const KEYFRAME_GRACE_MS = 100;

// Shared by all sessions: used only within a call.
const writer = new RtcpWriter();

/** The way in of one WebRTC publisher: RTP and RTCP packets, decrypted, become frames on one timeline; reports and requests go back. */
export class PublishSession {
  private readonly out: PublishSessionOutput;
  private readonly options: PublishSessionOptions;
  private readonly clock = new MediaClock();
  private readonly peerClock = new PeerClock();
  private readonly lanes: Lane[] = [];
  private readonly bySsrc = new Map<number, Lane>();
  private readonly reporter: RtcpReporter;
  private readonly twcc: TwccReceiver;
  private readonly keyframes = new KeyframeRequests(KEYFRAME_REQUEST_MS);
  private keyframesAskedAt: number = Number.NEGATIVE_INFINITY;
  private malformedPackets = 0;
  private unknownPackets = 0;

  constructor(out: PublishSessionOutput, options: PublishSessionOptions, now: MonotonicMs) {
    this.out = out;
    this.options = options;
    const { localSsrc, cname } = options;
    this.reporter = new RtcpReporter(out, writer, { localSsrc, cname }, now);
    this.twcc = new TwccReceiver(out, writer, { localSsrc, begin: () => this.beginFeedback() });
  }

  get wakeAt(): MonotonicMs {
    let wakeAt = Math.min(this.reporter.wakeAt, this.twcc.wakeAt, this.keyframesDueAt, this.keyframes.wakeAt ?? Number.POSITIVE_INFINITY);
    for (const { receiver } of this.lanes) wakeAt = Math.min(wakeAt, receiver.wakeAt);
    return monotonicMs(wakeAt);
  }

  /** A decrypted RTP packet; borrowed. `arrivalUs` is exact, in µs. */
  receiveRtp(bytes: Uint8Array, arrivalUs: number, now: MonotonicMs): void {
    this.guard(() => {
      const packet = parseRtpPacket(bytes);
      const lane = this.bySsrc.get(packet.ssrc) ?? this.discover(packet, now);
      this.noteArrival(packet, arrivalUs, now);
      if (lane === undefined) {
        this.unknownPackets++;
        return;
      }
      lane.heardAt = now;
      lane.receiver.receive(packet, now);
    });
  }

  /** A decrypted RTCP packet; borrowed. */
  receiveRtcp(bytes: Uint8Array, now: MonotonicMs, wall: WallMs): void {
    this.guard(() => {
      for (const packet of parseRtcp(bytes)) this.takeRtcp(packet, now, wall);
    });
  }

  /**
   * Somebody needs a keyframe of the whole stream: asked for of all layers at once, so that they stay aligned; soon, where that was done just
   * before.
   */
  requestKeyframe(now: MonotonicMs): void {
    if (this.keyframes.request(now)) this.askForKeyframes(now);
  }

  /** The frames of a layer cannot be used: one broke on the way, or is malformed. */
  layerBroken(layer: PublishedLayer, now: MonotonicMs): void {
    // Sound goes on with its next frame.
    if (layer.kind === 'video') this.lanes.find((lane) => lane.layer === layer)?.receiver.requestKeyframe(now);
  }

  tick(now: MonotonicMs): void {
    for (const { receiver } of this.lanes) if (receiver.wakeAt <= now) receiver.tick(now);
    this.twcc.tick(now);
    this.reporter.tick(
      this.lanes.map(({ receiver }) => receiver),
      now,
    );
    if (this.keyframes.tick(now)) this.askForKeyframes(now);
    if (now >= this.keyframesDueAt) this.requestKeyframe(now);
  }

  stats(): PublishSessionStats {
    return {
      layers: this.lanes.map(({ layer, receiver }) => ({ ...layer, ...receiver.stats() })),
      malformedPackets: this.malformedPackets,
      unknownPackets: this.unknownPackets,
    };
  }

  private guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.malformedPackets++;
    }
  }

  private askForKeyframes(now: MonotonicMs): void {
    this.keyframesAskedAt = now;
    const video = this.lanes.filter(({ media }) => media.kind === 'video');
    if (video.length === 0) return;
    this.beginFeedback();
    for (const { receiver } of video) writer.pictureLossIndication(this.options.localSsrc, receiver.ssrc);
    this.out.rtcp(writer.finish());
  }

  /** When the most preferred layer that is sent has been without a keyframe for too long. */
  private get keyframesDueAt(): number {
    const video = this.lanes.filter(({ media }) => media.kind === 'video');
    const heardAt = Math.max(...video.map((lane) => lane.heardAt));
    const sent = video.filter((lane) => heardAt - lane.heardAt <= SILENT_MS_MAX);
    const [preferred] = sent.sort((a, b) => a.layer.preference - b.layer.preference);
    if (preferred === undefined) return Number.POSITIVE_INFINITY;
    const latest = Math.max(preferred.keyframeAt, this.keyframesAskedAt);
    return latest + Math.max(this.options.keyframeIntervalMs, KEYFRAME_REQUEST_MS) + KEYFRAME_GRACE_MS;
  }

  private noteArrival(packet: RtpPacket, arrivalUs: number, now: MonotonicMs): void {
    const { transportCc } = this.options.extensions;
    const value = transportCc === undefined ? undefined : packet.extensions.get(transportCc);
    if (value !== undefined) this.twcc.received(decodeTransportCc(value), packet.ssrc, arrivalUs, now);
  }

  private takeRtcp(packet: RtcpPacket, now: MonotonicMs, wall: WallMs): void {
    const lane = packet.kind === 'sender-report' ? this.bySsrc.get(packet.ssrc) : undefined;
    if (lane === undefined || packet.kind !== 'sender-report') return;
    lane.receiver.senderReport(packet, now);
    this.peerClock.reported(packet.ntpMs, wall);
  }

  /** Where reduced-size RTCP was not agreed on (RFC 5506 section 5), feedback comes behind a report and a CNAME (RFC 4585 section 3.1). */
  private beginFeedback(): void {
    const { localSsrc, cname, usesReducedSize } = this.options;
    if (!usesReducedSize) writer.receiverReport(localSsrc, []).sourceDescription(localSsrc, cname);
  }

  /** Finds out what an unknown SSRC is: named in the offer, by its rid or mid (RFC 8852, RFC 8843), or by its payload type alone. */
  private discover(packet: RtpPacket, now: MonotonicMs): Lane | undefined {
    const { rid: ridId, repairedRid: repairedId } = this.options.extensions;
    const media = this.mediaOf(packet);
    if (media === undefined) return undefined;
    const isRtx = packet.payloadType === media.rtxPayloadType;
    // A rid that was not agreed on says nothing.
    const rid = media.rids.length === 0 ? '' : readId(packet, isRtx ? repairedId : ridId);
    if (rid === undefined || (rid !== '' && !media.rids.includes(rid))) return undefined;
    return isRtx ? this.attachRtx(packet, media, rid) : this.open(packet.ssrc, media, rid, now);
  }

  private mediaOf(packet: RtpPacket): PublishedMedia | undefined {
    const fits = (media: PublishedMedia): boolean =>
      packet.payloadType === media.payloadType || packet.payloadType === media.rtxPayloadType;
    const mid = readId(packet, this.options.extensions.mid);
    const { media } = this.options;
    const named = media.find(({ sources }) => sources.some(({ ssrc, rtxSsrc }) => ssrc === packet.ssrc || rtxSsrc === packet.ssrc));
    const found = named ?? (mid === undefined ? media.find(fits) : media.find((candidate) => candidate.mid === mid));
    return found !== undefined && fits(found) ? found : undefined;
  }

  private attachRtx(packet: RtpPacket, media: PublishedMedia, rid: string): Lane | undefined {
    const source = media.sources.find(({ rtxSsrc }) => rtxSsrc === packet.ssrc);
    const lane = this.lanes.find(
      (candidate) =>
        candidate.media === media && (source === undefined ? candidate.layer.rid === rid : candidate.receiver.ssrc === source.ssrc),
    );
    if (lane === undefined) return undefined;
    if (lane.rtxSsrc !== undefined) this.bySsrc.delete(lane.rtxSsrc);
    lane.rtxSsrc = packet.ssrc;
    lane.receiver.setRtx({ ssrc: packet.ssrc, payloadType: packet.payloadType });
    this.bySsrc.set(packet.ssrc, lane);
    return lane;
  }

  private open(ssrc: number, media: PublishedMedia, rid: string, now: MonotonicMs): Lane | undefined {
    const former = this.lanes.find((lane) => lane.media === media && lane.layer.rid === rid);
    if (former !== undefined && now - former.heardAt < REPLACED_AFTER_MS) return undefined;
    if (former !== undefined) this.close(former);
    if (this.lanes.length >= LANES_MAX) return undefined;
    const { kind, codec, clockRate, payloadType, usesNack, rids, rtxPayloadType } = media;
    const layer: PublishedLayer = { kind, codec, rid, preference: Math.max(0, rids.indexOf(rid)), layerCount: Math.max(1, rids.length) };
    const rtxSsrc = media.sources.find((source) => source.ssrc === ssrc)?.rtxSsrc;
    const { absCaptureTime } = this.options.extensions;
    const receiver = new RtpReceiver(
      {
        frame: (frame) => this.deliver(lane, frame),
        nack: (of, sequenceNumbers) => {
          this.beginFeedback();
          this.out.rtcp(writer.nack(this.options.localSsrc, of, sequenceNumbers).finish());
        },
        keyframeRequest: (of) => {
          this.beginFeedback();
          this.out.rtcp(writer.pictureLossIndication(this.options.localSsrc, of).finish());
        },
        lost: () => undefined,
      },
      {
        codec,
        ssrc,
        payloadType,
        clockRate,
        usesNack,
        keyframeIntervalMs: KEYFRAME_REQUEST_MS,
        ...(rtxPayloadType === undefined || rtxSsrc === undefined ? {} : { rtx: { ssrc: rtxSsrc, payloadType: rtxPayloadType } }),
        ...(absCaptureTime === undefined ? {} : { absCaptureTimeId: absCaptureTime }),
      },
    );
    const leads = kind === 'audio' && !this.lanes.some((lane) => lane.media.kind === 'audio');
    const clock = this.clock.addTrack({ clockRate, sender: receiver.senderClock, leads });
    const lane: Lane = { layer, media, receiver, clock, rtxSsrc, heardAt: now, keyframeAt: now };
    this.lanes.push(lane);
    this.bySsrc.set(ssrc, lane);
    if (rtxSsrc !== undefined) this.bySsrc.set(rtxSsrc, lane);
    return lane;
  }

  private close(lane: Lane): void {
    this.lanes.splice(this.lanes.indexOf(lane), 1);
    for (const [ssrc, of] of this.bySsrc) if (of === lane) this.bySsrc.delete(ssrc);
  }

  private deliver(lane: Lane, frame: ReceivedFrame): void {
    if (frame.isKeyframe) lane.keyframeAt = frame.lastPacketAt;
    const { payloads, isKeyframe } = frame;
    // Without a CSRC, viewers take the time for one of the clock that their sender reports show, which is ours.
    const captureMs = frame.captureMs === undefined ? undefined : this.peerClock.toOurs(frame.captureMs);
    const pts = lane.clock.place(frame.timestamp, frame.firstPacketAt);
    this.out.frame(lane.layer, captureMs === undefined ? { payloads, pts, isKeyframe } : { payloads, pts, isKeyframe, captureMs });
  }
}

function readId(packet: RtpPacket, id: number | undefined): string | undefined {
  const value = id === undefined ? undefined : packet.extensions.get(id);
  return value === undefined ? undefined : decodeSdesItem(value);
}

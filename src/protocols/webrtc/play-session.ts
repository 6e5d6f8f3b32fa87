import { type BitrateBps, type MonotonicMs, monotonicMs, ProtocolError, type WallMs } from '../../core/mod.ts';
import {
  BandwidthEstimator,
  type FeedbackSamples,
  NackLimiter,
  parseRtcp,
  type ReportBlock,
  type RtcpPacket,
  RtcpWriter,
  roundTripMs,
  type TransportFeedback,
} from '../rtp/mod.ts';

/** What a sender report tells of one flow. */
export interface SentSoFar {
  readonly packets: number;
  readonly octets: number;
  /** The flow's RTP timestamp of this instant. */
  readonly rtpTimestamp: number;
}

/** Effects of a {@link PlaySession}; implemented by its owner. */
export interface PlaySessionOutput {
  /** A compound packet for the viewer; borrowed until the call returns. */
  rtcp(compound: Uint8Array): void;
  /** The viewer has not got these packets of a flow. */
  retransmit(ssrc: number, sequenceNumbers: Uint16Array, count: number): void;
  /** The viewer cannot decode the flow until a keyframe comes. */
  keyframeWanted(ssrc: number): void;
  /** How much of a flow was sent; undefined before its first packet. */
  sent(ssrc: number): SentSoFar | undefined;
  /** When packets of these transport-wide sequence numbers left, in µs, and their sizes; NaN where unknown. */
  sentPackets(firstSequenceNumber: number, count: number, sentUs: Float64Array, sizes: Uint16Array): void;
}

export interface PlaySessionOptions {
  /** The media SSRCs that this session sends. */
  readonly ssrcs: readonly number[];
  /** Binds the tracks together for lip sync (RFC 3550 section 6.5.1). */
  readonly cname: string;
  readonly startBps: BitrateBps;
}

/** How a viewer's session goes. */
export interface PlaySessionStats {
  /** Undefined until the viewer has answered a sender report. */
  readonly rttMs: number | undefined;
  /** 0 to 1. */
  readonly fractionLost: number;
  readonly estimateBps: BitrateBps;
  readonly packetsNacked: number;
  readonly keyframesWanted: number;
  readonly malformedPackets: number;
}

const REPORT_EACH_MS = 1_000;
/** The first reports come soon, so that sound and picture are in step soon. */
const FIRST_REPORTS = 3;
const FIRST_REPORT_EACH_MS = 200;
/** Feedback about more packets at a time is cut: the kernel keeps no more. */
const FEEDBACK_PACKETS_MAX = 512;
/** Of one NACK. */
const NACKED_MAX = 512;

// Shared by all sessions: used only within a call.
const writer = new RtcpWriter();
const sentUs = new Float64Array(FEEDBACK_PACKETS_MAX);
const sizes = new Uint16Array(FEEDBACK_PACKETS_MAX);
const allowed = new Uint16Array(NACKED_MAX);

/** The RTCP side of one WebRTC viewer: reports, retransmission, keyframe wishes and the bandwidth estimate. Media itself does not pass here. */
export class PlaySession {
  readonly estimator: BandwidthEstimator;
  private readonly out: PlaySessionOutput;
  private readonly options: PlaySessionOptions;
  private readonly nacks = new NackLimiter();
  private reports = 0;
  private reportAt: MonotonicMs;
  private estimateAt: MonotonicMs;
  /** The highest sequence number that the viewer reported of each flow. */
  private readonly reported = new Map<number, number>();
  private rttMs: number | undefined = undefined;
  private fractionLost = 0;
  private packetsNacked = 0;
  private keyframesWanted = 0;
  private malformedPackets = 0;

  constructor(out: PlaySessionOutput, options: PlaySessionOptions, now: MonotonicMs) {
    this.out = out;
    this.options = options;
    this.reportAt = now;
    this.estimateAt = now;
    this.estimator = new BandwidthEstimator({ startBps: options.startBps });
  }

  /** When `tick` is due. */
  get wakeAt(): MonotonicMs {
    return this.reportAt;
  }

  /** A decrypted RTCP packet of the viewer; borrowed. What is malformed is counted and dropped. */
  receive(bytes: Uint8Array, now: MonotonicMs, wall: WallMs): void {
    try {
      for (const packet of parseRtcp(bytes)) this.take(packet, now, wall);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.malformedPackets++;
    }
  }

  /** Sends the reports that are due. */
  tick(now: MonotonicMs, wall: WallMs): void {
    if (now < this.reportAt) return;
    const flows = this.options.ssrcs.flatMap((ssrc) => {
      const sent = this.out.sent(ssrc);
      return sent === undefined ? [] : [{ ssrc, ...sent }];
    });
    if (flows.length > 0) this.reports++;
    this.reportAt = monotonicMs(now + (this.reports <= FIRST_REPORTS ? FIRST_REPORT_EACH_MS : REPORT_EACH_MS));
    if (now >= this.estimateAt) {
      this.estimateAt = monotonicMs(now + REPORT_EACH_MS);
      this.estimator.tick(now);
    }
    if (flows.length === 0) return;
    for (const { ssrc, rtpTimestamp, packets, octets } of flows) {
      writer.senderReport(ssrc, wall, rtpTimestamp, packets, octets).sourceDescription(ssrc, this.options.cname);
    }
    this.out.rtcp(writer.finish());
  }

  /** Tells the viewer that the stream is over (RFC 3550 section 6.6). */
  goodbye(): void {
    const [first] = this.options.ssrcs;
    if (first === undefined) return;
    this.out.rtcp(writer.receiverReport(first, []).sourceDescription(first, this.options.cname).goodbye(this.options.ssrcs).finish());
  }

  stats(): PlaySessionStats {
    return {
      rttMs: this.rttMs,
      fractionLost: this.fractionLost,
      estimateBps: this.estimator.estimateBps,
      packetsNacked: this.packetsNacked,
      keyframesWanted: this.keyframesWanted,
      malformedPackets: this.malformedPackets,
    };
  }

  private take(packet: RtcpPacket, now: MonotonicMs, wall: WallMs): void {
    switch (packet.kind) {
      case 'receiver-report':
      case 'sender-report':
        this.takeReports(packet.reports, now, wall);
        break;
      case 'nack':
        this.takeNack(packet.mediaSsrc, packet.sequenceNumbers, now);
        break;
      case 'transport-feedback':
        this.takeFeedback(packet, now);
        break;
      case 'picture-loss-indication':
        this.takeKeyframeWish(packet.mediaSsrc);
        break;
      case 'full-intra-request':
        for (const { ssrc } of packet.requests) this.takeKeyframeWish(ssrc);
        break;
      case 'receiver-estimated-maximum-bitrate':
        this.estimator.remb(packet.bitrateBps);
        break;
      default:
        // Descriptions and goodbyes of a viewer change nothing: the transport tells when it has gone.
        break;
    }
  }

  /** All flows share one path: their losses count together, each by its packets. */
  private takeReports(blocks: readonly ReportBlock[], now: MonotonicMs, wall: WallMs): void {
    let expected = 0;
    let lost = 0;
    for (const block of blocks) {
      if (!this.options.ssrcs.includes(block.ssrc)) continue;
      this.rttMs = roundTripMs(block, wall) ?? this.rttMs;
      const packets = block.highestSequenceNumber - (this.reported.get(block.ssrc) ?? block.highestSequenceNumber - 1);
      this.reported.set(block.ssrc, block.highestSequenceNumber);
      if (packets <= 0) continue;
      expected += packets;
      lost += (packets * block.fractionLost) / 256;
    }
    if (expected === 0) return;
    this.fractionLost = lost / expected;
    this.estimator.receiverReport(this.fractionLost, this.rttMs ?? 0, now);
  }

  private takeNack(ssrc: number, asked: Uint16Array, now: MonotonicMs): void {
    if (!this.options.ssrcs.includes(ssrc)) return;
    this.nacks.pathCarries(this.estimator.estimateBps);
    // A viewer's own idea of the round trip is as good as ours: to refuse a repetition that seems a little early would cost it a whole one.
    const count = this.nacks.allow(asked.subarray(0, NACKED_MAX), (this.rttMs ?? 0) / 2, now, allowed);
    this.packetsNacked += count;
    if (count > 0) this.out.retransmit(ssrc, allowed, count);
  }

  private takeKeyframeWish(ssrc: number): void {
    if (!this.options.ssrcs.includes(ssrc)) return;
    this.keyframesWanted++;
    this.out.keyframeWanted(ssrc);
  }

  private takeFeedback({ baseSequenceNumber, arrivalsUs }: TransportFeedback, now: MonotonicMs): void {
    const count = Math.min(arrivalsUs.length, FEEDBACK_PACKETS_MAX);
    this.out.sentPackets(baseSequenceNumber, count, sentUs, sizes);
    const samples: FeedbackSamples = { firstSequenceNumber: baseSequenceNumber, count, sentUs, arrivalUs: arrivalsUs, sizes };
    this.estimator.feedback(samples, this.rttMs ?? 0, now);
  }
}

import { type DurationMs, durationMs, type MonotonicMs, monotonicMs, type SizeBytes, sizeBytes, type WallMs } from '../../../core/mod.ts';
import type { RtpPacket } from '../packet.ts';
import type { RtpCodec } from '../payload/payload-format.ts';
import { KeyframeRequests } from '../rtcp/keyframe-requests.ts';
import type { ReportBlock, SenderReport } from '../rtcp/packet.ts';
import { CaptureClock } from './capture-clock.ts';
import { type BufferedFrame, JitterBuffer } from './jitter-buffer.ts';
import { NackGenerator, type NackOptions, nackOptionsDefault } from './nack-generator.ts';
import { ReceptionStatistics } from './reception-statistics.ts';
import { RoundTrip } from './round-trip.ts';
import { SenderClock } from './sender-clock.ts';
import { SequenceNumbers } from './sequence-numbers.ts';
import { RtpTimestampUnwrapper } from './timestamp-unwrapper.ts';

/** A frame of one stream, complete, in decode order. */
export interface ReceivedFrame {
  /** The RTP payloads in order; given. */
  readonly payloads: readonly Uint8Array[];
  /** Unwrapped: 32 bits at first, then counting on; never jumps by 2^31 or more. */
  readonly timestamp: number;
  /** When it was captured, on the publisher's wall clock: from abs-capture-time, or else from its sender reports. */
  readonly captureMs?: WallMs;
  /** When the first of its packets came. */
  readonly firstPacketAt: MonotonicMs;
  /** When the last of its packets came. */
  readonly lastPacketAt: MonotonicMs;
  readonly isKeyframe: boolean;
}

/** Effects of a receiver; implemented by its owner, who writes the RTCP. */
export interface RtpReceiverOutput {
  frame(frame: ReceivedFrame): void;
  /** Ask for these packets of the media stream `ssrc` again: at most 200, 16 bits each, ascending with wrap. */
  nack(ssrc: number, sequenceNumbers: readonly number[]): void;
  /** Ask for a keyframe (PLI); already limited to one each `keyframeIntervalMs`. */
  keyframeRequest(ssrc: number): void;
  /** So many packets are given up for lost. */
  lost(packets: number): void;
}

/** The retransmission stream of a media stream (RFC 4588). */
export interface RtxStream {
  readonly ssrc: number;
  readonly payloadType: number;
}

/** How one stream is received. Limits have defaults that fit 50 Mbit/s video. */
export interface RtpReceiverOptions {
  readonly codec: RtpCodec;
  readonly ssrc: number;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly rtx?: RtxStream;
  /** Whether generic NACK was negotiated. */
  readonly usesNack: boolean;
  /** The negotiated id of abs-capture-time. */
  readonly absCaptureTimeId?: number;
  /** A lost packet is waited for so long; with NACK longer where the round trip asks for it, up to 1 s. Default 250 ms, audio 100 ms; without NACK 100 and 40. */
  readonly lossWaitMs?: DurationMs;
  /** Default 500 ms. */
  readonly keyframeIntervalMs?: DurationMs;
  /** A power of two; default 2,048 for video, 256 for audio. */
  readonly packetsMax?: number;
  /** Payload bytes held; default 4 MiB. */
  readonly bytesMax?: SizeBytes;
  readonly nack?: NackOptions;
}

/** Counters and gauges of a receiver; counters never go back. */
export interface RtpReceiverStats {
  readonly packets: number;
  readonly bytes: number;
  readonly frames: number;
  readonly keyframes: number;
  /** Packets that came by RTX and were needed. */
  readonly repaired: number;
  /** Duplicates, and packets that came too late. */
  readonly superfluous: number;
  /** Packets given up. */
  readonly lost: number;
  /** Packets asked for, repetitions counted. */
  readonly nacked: number;
  readonly keyframeRequests: number;
  /** Packets of payload types that were not negotiated, and those refused as a jump of the sequence numbers. */
  readonly refused: number;
  /** How often a limit of the jitter buffer was hit. */
  readonly overflows: number;
  readonly jitterMs: number;
  readonly roundTripMs: number;
  readonly heldBytes: number;
  readonly isAwaitingKeyframe: boolean;
}

const LOSS_WAIT_MS_MAX = 1_000;
/** How many round trips a lost packet is waited for: at 5 % loss each way a packet that has six tries is missed once in a million losses. */
const LOSS_WAIT_ROUND_TRIPS = 10;
const VIDEO_LOSS_WAIT_MS = 250;
const AUDIO_LOSS_WAIT_MS = 100;
/** Without retransmissions only reordering is worth waiting for. */
const VIDEO_REORDER_WAIT_MS = 100;
const AUDIO_REORDER_WAIT_MS = 40;
const KEYFRAME_INTERVAL_MS = 500;
const RTX_HEADER_BYTES = 2;

/** The way in of one RTP stream: packets as they come, frames in decode order, and what to ask the sender for. */
export class RtpReceiver {
  private readonly out: RtpReceiverOutput;
  private readonly options: RtpReceiverOptions;
  private readonly sequence = new SequenceNumbers();
  private readonly statistics: ReceptionStatistics;
  private readonly sender: SenderClock;
  private readonly capture: CaptureClock;
  private readonly timestamps = new RtpTimestampUnwrapper();
  private readonly roundTrip = new RoundTrip();
  private readonly nacks: NackGenerator;
  private readonly buffer: JitterBuffer;
  private readonly keyframes: KeyframeRequests;
  private rtx: RtxStream | undefined;
  private now: MonotonicMs = monotonicMs(0);
  private readonly counters = {
    packets: 0,
    bytes: 0,
    frames: 0,
    keyframes: 0,
    repaired: 0,
    superfluous: 0,
    lost: 0,
    nacked: 0,
    keyframeRequests: 0,
    refused: 0,
  };

  constructor(out: RtpReceiverOutput, options: RtpReceiverOptions) {
    this.out = out;
    this.options = options;
    this.rtx = options.rtx;
    this.statistics = new ReceptionStatistics(options.clockRate);
    this.sender = new SenderClock(options.clockRate);
    this.capture = new CaptureClock(options.clockRate, this.sender, options.absCaptureTimeId);
    this.nacks = new NackGenerator(this.roundTrip, options.nack ?? nackOptionsDefault);
    this.keyframes = new KeyframeRequests(options.keyframeIntervalMs ?? durationMs(KEYFRAME_INTERVAL_MS));
    this.buffer = this.makeBuffer();
  }

  get ssrc(): number {
    return this.options.ssrc;
  }

  /** The sender reports' clock of this stream; for `toWallMs` and the media clock. */
  get senderClock(): SenderClock {
    return this.sender;
  }

  /** When `tick` has something to do; infinite while there is nothing to wait for. */
  get wakeAt(): MonotonicMs {
    return monotonicMs(Math.min(this.nacks.wakeAt, this.buffer.wakeAt, this.keyframes.wakeAt ?? Number.POSITIVE_INFINITY));
  }

  /** The retransmission stream became known, e.g. by its repaired-rid. */
  setRtx(rtx: RtxStream): void {
    this.rtx = rtx;
  }

  /** Takes a packet of the stream or of its retransmission stream; borrowed. Never throws for what the peer sends. */
  receive(packet: RtpPacket, now: MonotonicMs): void {
    this.now = now;
    if (packet.ssrc === this.options.ssrc && packet.payloadType === this.options.payloadType) this.receiveMedia(packet);
    else if (packet.ssrc === this.rtx?.ssrc && packet.payloadType === this.rtx.payloadType) this.receiveRtx(packet);
    else this.counters.refused++;
    this.tick(now);
  }

  /** A sender report of this stream. */
  senderReport(report: SenderReport, now: MonotonicMs): void {
    this.statistics.senderReport(report, now);
    this.sender.senderReport(report);
  }

  /** The block for the owner's next report; `undefined` before the first packet. Each call begins a new interval for the fraction lost. */
  reportBlock(now: MonotonicMs): ReportBlock | undefined {
    return this.sequence.highest < 0 ? undefined : this.statistics.reportBlock(this.options.ssrc, this.sequence, now);
  }

  /** The owner wants a keyframe (a frame that cannot be used, a viewer that waits); counts against the interval like the receiver's own wishes. */
  requestKeyframe(now: MonotonicMs): void {
    this.now = now;
    this.keyframeNeeded();
  }

  tick(now: MonotonicMs): void {
    this.now = now;
    this.buffer.lossWaitMs = this.lossWaitMs();
    this.buffer.tick(now);
    this.nacks.forgetBefore(this.buffer.neededFrom);
    const asked = this.nacks.tick(now);
    if (asked.length > 0) {
      this.counters.nacked += asked.length;
      this.out.nack(
        this.options.ssrc,
        asked.map((sequence) => sequence & 0xffff),
      );
    }
    if (this.keyframes.tick(now)) this.sendKeyframeRequest();
  }

  stats(): RtpReceiverStats {
    return {
      ...this.counters,
      overflows: this.buffer.overflows,
      jitterMs: (this.statistics.jitter * 1000) / this.options.clockRate,
      roundTripMs: this.roundTrip.ms,
      heldBytes: this.buffer.heldBytes,
      isAwaitingKeyframe: this.buffer.isAwaitingKeyframe,
    };
  }

  private makeBuffer(): JitterBuffer {
    const { codec, packetsMax = codec === 'opus' ? 256 : 2_048, bytesMax = sizeBytes(4 * 1024 * 1024) } = this.options;
    const output = {
      frame: (frame: BufferedFrame): void => this.deliver(frame),
      lost: (packets: number): void => this.lost(packets),
      keyframeNeeded: (): void => this.keyframeNeeded(),
      // One is on its way: no need to ask again until it turns out to be broken.
      keyframeBegun: (): void => this.keyframes.keyframe(),
    };
    return new JitterBuffer(output, { codec, packetsMax, bytesMax }, this.lossWaitMs());
  }

  private lossWaitMs(): number {
    const { codec, usesNack } = this.options;
    if (!usesNack) return this.options.lossWaitMs ?? (codec === 'opus' ? AUDIO_REORDER_WAIT_MS : VIDEO_REORDER_WAIT_MS);
    const leastMs = this.options.lossWaitMs ?? (codec === 'opus' ? AUDIO_LOSS_WAIT_MS : VIDEO_LOSS_WAIT_MS);
    // Sound that comes late is worse than a gap: it waits for no more than it was told to.
    return codec === 'opus' ? leastMs : Math.min(LOSS_WAIT_MS_MAX, Math.max(leastMs, this.roundTrip.ms * LOSS_WAIT_ROUND_TRIPS));
  }

  private receiveMedia(packet: RtpPacket): void {
    const { now } = this;
    const highest = this.sequence.highest;
    const verdict = this.sequence.extend(packet.sequenceNumber);
    if (verdict === 'refused') {
      this.counters.refused++;
      return;
    }
    if (verdict === 'restarted') this.restart();
    this.counters.packets++;
    this.counters.bytes += packet.payload.length;
    this.statistics.packet(packet.timestamp, now);
    const { extended } = this.sequence;
    if (verdict === 'in-window' && highest >= 0) this.noteGap(highest, extended);
    this.nacks.received(extended, false, now);
    this.insert(extended, packet);
  }

  private noteGap(highest: number, extended: number): void {
    if (extended <= highest + 1 || !this.options.usesNack) return;
    // Too much is missing to be asked for: what can be repaired is a keyframe away.
    if (!this.nacks.gap(highest + 1, extended - 1, this.now)) this.skip();
  }

  private skip(): void {
    this.buffer.reset();
    if (this.options.codec !== 'opus') this.keyframeNeeded();
  }

  private restart(): void {
    this.statistics.restart();
    this.nacks.clear();
    this.skip();
  }

  /** RFC 4588 4: the original sequence number, then the original payload. Without payload it is padding that probes for bandwidth. */
  private receiveRtx(packet: RtpPacket): void {
    const { payload } = packet;
    if (payload.length <= RTX_HEADER_BYTES || this.sequence.highest < 0) return;
    this.counters.bytes += payload.length;
    const sequenceNumber = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
    const extended = this.sequence.near(sequenceNumber);
    // From before the stream, or before its restart; or of packets that were never sent, as far as anybody can know.
    if (extended < this.sequence.first || extended > this.sequence.highest) {
      this.counters.superfluous++;
      return;
    }
    this.nacks.received(extended, true, this.now);
    const original: RtpPacket = {
      marker: packet.marker,
      payloadType: this.options.payloadType,
      sequenceNumber,
      timestamp: packet.timestamp,
      ssrc: this.options.ssrc,
      extensions: packet.extensions,
      payload: payload.subarray(RTX_HEADER_BYTES),
    };
    if (this.insert(extended, original)) this.counters.repaired++;
  }

  private insert(extended: number, packet: RtpPacket): boolean {
    const isNew = this.buffer.insert(extended, packet, this.capture.read(packet), this.now);
    if (!isNew) this.counters.superfluous++;
    return isNew;
  }

  private deliver(frame: BufferedFrame): void {
    this.counters.frames++;
    if (frame.isKeyframe) {
      this.counters.keyframes++;
      this.keyframes.keyframe();
    }
    const timestamp = this.timestamps.unwrap(frame.timestamp);
    const captureMs = this.capture.captureMs(timestamp, frame.captureMs);
    const { payloads, firstPacketAt, lastPacketAt, isKeyframe } = frame;
    const received = { payloads, timestamp, firstPacketAt, lastPacketAt, isKeyframe };
    this.out.frame(captureMs === undefined ? received : { ...received, captureMs });
  }

  private lost(packets: number): void {
    this.counters.lost += packets;
    this.out.lost(packets);
  }

  private keyframeNeeded(): void {
    if (this.keyframes.request(this.now)) this.sendKeyframeRequest();
  }

  private sendKeyframeRequest(): void {
    this.counters.keyframeRequests++;
    this.out.keyframeRequest(this.options.ssrc);
  }
}

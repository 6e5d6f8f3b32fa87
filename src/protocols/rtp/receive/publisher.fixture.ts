import { type MonotonicMs, monotonicMs, type WallMs } from '../../../core/mod.ts';
import { parseRtpPacket, type RtpPacket, writeRtpPacket } from '../packet.ts';
import { parseRtcp } from '../rtcp/parse.ts';
import { RtcpWriter } from '../rtcp/writer.ts';
import { LossyLink, type LossyLinkOptions, seededRandom } from './lossy-link.fixture.ts';
import { type ReceivedFrame, RtpReceiver, type RtpReceiverOptions, type RtpReceiverOutput } from './rtp-receiver.ts';

export const MEDIA_SSRC = 0x1111;
export const RTX_SSRC = 0x2222;
const PAYLOAD_TYPE = 96;
const RTX_PAYLOAD_TYPE = 97;
const FRAME_MS = 1000 / 30;
const HISTORY_MAX = 4_096;

export const videoOptions: RtpReceiverOptions = {
  codec: 'vp8',
  ssrc: MEDIA_SSRC,
  payloadType: PAYLOAD_TYPE,
  clockRate: 90_000,
  rtx: { ssrc: RTX_SSRC, payloadType: RTX_PAYLOAD_TYPE },
  usesNack: true,
};

/** A VP8 payload that carries the number of its frame and its place in it. */
export function vp8Payload(frame: number, index: number, isKeyframe: boolean, sizeBytes = 200): Uint8Array {
  const payload = new Uint8Array(sizeBytes);
  payload[0] = index === 0 ? 0x10 : 0;
  payload[1] = isKeyframe ? 0x10 : 0x11;
  if (index === 0 && isKeyframe) payload.set([0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00], 4);
  new DataView(payload.buffer).setUint32(12, frame);
  payload[16] = index;
  return payload;
}

export function rtpPacket(fields: Partial<RtpPacket>): RtpPacket {
  const packet = {
    marker: false,
    payloadType: PAYLOAD_TYPE,
    sequenceNumber: 0,
    timestamp: 0,
    ssrc: MEDIA_SSRC,
    payload: vp8Payload(0, 1, false),
    ...fields,
    extensions: [],
  };
  return parseRtpPacket(writeRtpPacket(packet));
}

/** Video of 30 frames a second that answers NACKs by RTX and PLIs by keyframes. */
class VideoPublisher {
  keyframesAsked = 0;
  framesSent = 0;
  private readonly send: (packet: Uint8Array) => void;
  private readonly keyframeEach: number;
  private readonly packetsPerFrame: number;
  private sequenceNumber: number;
  private rtxSequenceNumber = 7;
  private timestamp: number;
  private wantsKeyframe = true;
  private readonly history = new Map<number, RtpPacket>();

  constructor(
    send: (packet: Uint8Array) => void,
    options: { keyframeEach: number; packetsPerFrame: number; sequenceNumber: number; timestamp: number },
  ) {
    this.send = send;
    this.keyframeEach = options.keyframeEach;
    this.packetsPerFrame = options.packetsPerFrame;
    this.sequenceNumber = options.sequenceNumber;
    this.timestamp = options.timestamp;
  }

  frame(): void {
    const isKeyframe = this.wantsKeyframe || this.framesSent % this.keyframeEach === 0;
    this.wantsKeyframe = false;
    const count = this.packetsPerFrame * (isKeyframe ? 5 : 1);
    for (let index = 0; index < count; index++) {
      const { sequenceNumber, timestamp } = this;
      const packet = rtpPacket({
        sequenceNumber,
        timestamp,
        marker: index === count - 1,
        payload: vp8Payload(this.framesSent, index, isKeyframe),
      });
      this.history.set(sequenceNumber, packet);
      this.history.delete((sequenceNumber - HISTORY_MAX) & 0xffff);
      this.send(writeRtpPacket({ ...packet, extensions: [] }));
      this.sequenceNumber = (sequenceNumber + 1) & 0xffff;
    }
    this.framesSent++;
    this.timestamp = (this.timestamp + 3_000) >>> 0;
  }

  rtcp(compound: Uint8Array): void {
    for (const packet of parseRtcp(compound)) {
      if (packet.kind === 'nack') for (const sequenceNumber of packet.sequenceNumbers) this.retransmit(sequenceNumber);
      if (packet.kind === 'picture-loss-indication') {
        this.keyframesAsked++;
        this.wantsKeyframe = true;
      }
    }
  }

  private retransmit(sequenceNumber: number): void {
    const packet = this.history.get(sequenceNumber);
    if (packet === undefined) return;
    const payload = Uint8Array.from([sequenceNumber >> 8, sequenceNumber & 0xff, ...packet.payload]);
    const { marker, timestamp } = packet;
    const sent = { marker, timestamp, payloadType: RTX_PAYLOAD_TYPE, sequenceNumber: this.rtxSequenceNumber, ssrc: RTX_SSRC, payload };
    this.rtxSequenceNumber = (this.rtxSequenceNumber + 1) & 0xffff;
    this.send(writeRtpPacket(sent));
  }
}

export interface ConversationOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly network: LossyLinkOptions;
  readonly receiver?: Partial<RtpReceiverOptions>;
  readonly keyframeEach?: number;
  readonly packetsPerFrame?: number;
  readonly sequenceNumber?: number;
  readonly timestamp?: number;
  /** The way to the receiver is cut from the first to the second. */
  readonly outageMs?: readonly [from: number, to: number];
}

/** A frame as it came out, with the number that the publisher gave it. */
export interface SeenFrame extends ReceivedFrame {
  readonly number: number;
  readonly at: MonotonicMs;
}

/** What came of a conversation. */
export interface Conversation {
  readonly frames: readonly SeenFrame[];
  readonly framesSent: number;
  readonly keyframesAsked: number;
  readonly receiver: RtpReceiver;
  readonly heldBytesMax: number;
  /** Frames that were handed out with a packet missing or out of order. */
  readonly broken: number;
}

/** Publisher and receiver talk over a bad network, in virtual time of 1 ms steps. */
export function converse(options: ConversationOptions): Conversation {
  const random = seededRandom(options.seed);
  const there = new LossyLink<Uint8Array>(options.network, random);
  const back = new LossyLink<Uint8Array>(options.network, random);
  let now = 0;
  const { keyframeEach = 300, packetsPerFrame = 8, sequenceNumber = 65_000, timestamp = 0xffff_0000 } = options;
  const isCut = (): boolean => options.outageMs !== undefined && now >= options.outageMs[0] && now < options.outageMs[1];
  const publisher = new VideoPublisher((packet) => isCut() || there.send(packet, now), {
    keyframeEach,
    packetsPerFrame,
    sequenceNumber,
    timestamp,
  });
  const frames: SeenFrame[] = [];
  let broken = 0;
  const writer = new RtcpWriter();
  const output: RtpReceiverOutput = {
    frame: (frame) => {
      const numbers = frame.payloads.map((payload) => new DataView(payload.buffer, payload.byteOffset).getUint32(12));
      const count = packetsPerFrame * (frame.isKeyframe ? 5 : 1);
      const isWhole = frame.payloads.length === count && frame.payloads.every((payload, index) => payload[16] === index);
      if (!isWhole || new Set(numbers).size !== 1) broken++;
      frames.push({ ...frame, number: numbers[0] ?? -1, at: monotonicMs(now) });
    },
    nack: (ssrc, sequenceNumbers) => back.send(writer.nack(1, ssrc, sequenceNumbers).finish().slice(), now),
    keyframeRequest: (ssrc) => back.send(writer.pictureLossIndication(1, ssrc).finish().slice(), now),
    lost: () => undefined,
  };
  const receiver = new RtpReceiver(output, { ...videoOptions, ...options.receiver });
  let heldBytesMax = 0;
  let frameAt = 0;
  // The last second is for what is under way.
  for (; now < options.durationMs + 1_000; now++) {
    if (now >= frameAt && now < options.durationMs) {
      publisher.frame();
      frameAt += FRAME_MS;
    }
    for (const compound of back.take(now)) publisher.rtcp(compound);
    for (const packet of there.take(now)) receiver.receive(parseRtpPacket(packet), monotonicMs(now));
    if (now >= receiver.wakeAt) receiver.tick(monotonicMs(now));
    heldBytesMax = Math.max(heldBytesMax, receiver.stats().heldBytes);
  }
  return { frames, framesSent: publisher.framesSent, keyframesAsked: publisher.keyframesAsked, receiver, heldBytesMax, broken };
}

/** A sender report as parsed. */
export function senderReportOf(
  ssrc: number,
  ntpMs: WallMs,
  rtpTimestamp: number,
): Extract<ReturnType<typeof parseRtcp>[number], { kind: 'sender-report' }> {
  const [report] = parseRtcp(new RtcpWriter().senderReport(ssrc, ntpMs, rtpTimestamp, 0, 0).finish());
  if (report?.kind !== 'sender-report') throw new Error('not a sender report');
  return report;
}

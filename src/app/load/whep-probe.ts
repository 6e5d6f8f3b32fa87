import { type MonotonicMs, ProtocolError } from '../../core/mod.ts';
import {
  decodeTransportCc,
  depacketize,
  headerExtensionUris,
  parseRtpPacket,
  type ReceivedFrame,
  RtcpWriter,
  type RtpPacket,
  RtpReceiver,
  TwccReceiver,
} from '../../protocols/rtp/mod.ts';
import type { NegotiatedMedia } from '../../protocols/sdp/mod.ts';
import { Playback } from './playback.ts';
import { findSentTime } from './sent-time.ts';
import { noteLatency, type ProbeRecord, type ViewerRecord, type WebrtcRecord } from './viewer-record.ts';

/** What is no further behind its sender than this is live: newcomers catch up from the cached group of pictures. */
const LIVE_MS = 250;
/** What comes at once from the cached GOP is old on purpose, and says nothing about how long a frame takes. */
const SETTLED_MS = 2_000;

const writer = new RtcpWriter();

/**
 * Receives a stream as a player would: jitter buffer, frames, transport-wide feedback and, where asked to, NACK. So it knows when the first
 * keyframe was whole, how many frames were, and how old they are.
 */
export class WhepProbe {
  private readonly send: (compound: Uint8Array) => void;
  private readonly ssrc: number;
  private readonly video: NegotiatedMedia | undefined;
  private readonly usesNack: boolean;
  private readonly record: ViewerRecord;
  private readonly webrtc: WebrtcRecord;
  private readonly playback = new Playback();
  private readonly feedback: TwccReceiver;
  private readonly transportCcIds: ReadonlyMap<number, number>;
  private readonly probe: ProbeRecord;
  private receiver: RtpReceiver | undefined;

  constructor(
    send: (compound: Uint8Array) => void,
    ssrc: number,
    media: readonly NegotiatedMedia[],
    options: { readonly usesNack: boolean },
    record: ViewerRecord,
    webrtc: WebrtcRecord,
  ) {
    this.send = send;
    this.ssrc = ssrc;
    this.video = media.find(({ kind }) => kind === 'video');
    this.usesNack = options.usesNack;
    this.record = record;
    this.webrtc = webrtc;
    this.feedback = new TwccReceiver({ rtcp: send }, writer, { localSsrc: ssrc });
    this.transportCcIds = new Map(
      media.flatMap(({ payloadType, rtxPayloadType, extensions }) => {
        const id = extensions.get(headerExtensionUris.transportCc);
        if (id === undefined) return [];
        return [payloadType, rtxPayloadType].flatMap((type): [number, number][] => (type === undefined ? [] : [[type, id]]));
      }),
    );
    this.probe = { frames: 0, repaired: 0, liveAtMs: undefined };
    webrtc.probe = this.probe;
  }

  /** A packet of any of the session's streams; borrowed. */
  rtp(bytes: Uint8Array, arrivalUs: number, now: MonotonicMs): void {
    try {
      const packet = parseRtpPacket(bytes);
      this.noteArrival(packet, arrivalUs, now);
      this.take(packet, now);
    } catch (error) {
      // What is malformed counts as lost.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  private noteArrival({ payloadType, extensions, ssrc }: RtpPacket, arrivalUs: number, now: MonotonicMs): void {
    const id = this.transportCcIds.get(payloadType);
    const number = id === undefined ? undefined : extensions.get(id);
    if (number !== undefined) this.feedback.received(decodeTransportCc(number), ssrc, arrivalUs, now);
  }

  private take(packet: RtpPacket, now: MonotonicMs): void {
    const { video } = this;
    if (video === undefined) return;
    if (packet.payloadType === video.payloadType) this.receiver ??= this.createReceiver(video, packet.ssrc);
    else if (packet.payloadType !== video.rtxPayloadType) return;
    else this.receiver?.setRtx({ ssrc: packet.ssrc, payloadType: packet.payloadType });
    this.receiver?.receive(packet, now);
  }

  wake(now: MonotonicMs): void {
    if (this.feedback.wakeAt <= now) this.feedback.tick(now);
    if (this.receiver !== undefined && this.receiver.wakeAt <= now) this.receiver.tick(now);
  }

  private createReceiver({ codec, payloadType, clockRate, rtxPayloadType }: NegotiatedMedia, ssrc: number): RtpReceiver {
    return new RtpReceiver(
      {
        frame: (frame) => this.frame(frame, codec, clockRate),
        nack: (of, sequenceNumbers) => this.send(writer.nack(this.ssrc, of, sequenceNumbers).finish()),
        keyframeRequest: (of) => this.keyframeRequest(of),
        lost: () => undefined,
      },
      { codec, ssrc, payloadType, clockRate, usesNack: this.usesNack && rtxPayloadType !== undefined },
    );
  }

  private frame(
    { timestamp, lastPacketAt, isKeyframe, payloads }: ReceivedFrame,
    codec: NegotiatedMedia['codec'],
    clockRate: number,
  ): void {
    const { record, probe } = this;
    if (record.firstKeyframeAtMs === undefined && !isKeyframe) return;
    const nowMs = performance.now();
    record.firstKeyframeAtMs ??= lastPacketAt;
    probe.frames++;
    probe.repaired = this.receiver?.stats().repaired ?? 0;
    this.playback.frame((timestamp * 1000) / clockRate, nowMs);
    record.lostFrames = this.playback.lostFrames;
    const sentMs = codec === 'h264' ? sentTimeOf(payloads) : undefined;
    if (sentMs === undefined) return;
    const latencyMs = Date.now() - sentMs;
    if (latencyMs <= LIVE_MS) probe.liveAtMs ??= nowMs;
    if (nowMs - record.firstKeyframeAtMs >= SETTLED_MS) noteLatency(record, latencyMs);
  }

  /** Before the first picture it is the viewer who asks, and only after it has waited: the server is to begin with a keyframe by itself. */
  private keyframeRequest(ssrc: number): void {
    if (this.record.firstKeyframeAtMs === undefined) return;
    this.webrtc.keyframeRequests++;
    this.send(writer.pictureLossIndication(this.ssrc, ssrc).finish());
  }
}

function sentTimeOf(payloads: readonly Uint8Array[]): number | undefined {
  try {
    return findSentTime(Buffer.from(depacketize('h264', payloads).payload));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}

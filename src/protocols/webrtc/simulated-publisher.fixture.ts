import { monotonicMs, wallMs } from '../../core/mod.ts';
import { encodeSdesItem, encodeTransportCc, parseRtcp, RtcpWriter, writeRtpPacket } from '../rtp/mod.ts';
import { LossyLink, type LossyLinkOptions, seededRandom } from '../rtp/receive/lossy-link.fixture.ts';
import { vp8Payload } from '../rtp/receive/publisher.fixture.ts';
import { PublishSession } from './publish-session.ts';
import type { PublishedFrame, PublishedLayer, PublishedMedia, PublishSessionOptions } from './published-media.ts';

/** Ids of header extensions, as negotiated. */
export const EXTENSIONS = { mid: 1, rid: 2, repairedRid: 3, transportCc: 4 } as const;
/** What the publisher's wall clock shows when the virtual time is 0. */
const PUBLISHER_WALL_MS = 1_800_000_012_345;
/** And what ours shows. */
export const OUR_WALL_MS = 1_700_000_000_000;
const PACKETS_PER_FRAME = 3;
const HISTORY_MAX = 2_048;

export const videoMedia: PublishedMedia = {
  kind: 'video',
  mid: '1',
  codec: 'vp8',
  payloadType: 96,
  rtxPayloadType: 97,
  clockRate: 90_000,
  usesNack: true,
  rids: [],
  sources: [],
};
export const audioMedia: PublishedMedia = {
  kind: 'audio',
  mid: '0',
  codec: 'opus',
  payloadType: 111,
  clockRate: 48_000,
  usesNack: false,
  rids: [],
  sources: [],
};

export interface EncoderOptions {
  readonly media: PublishedMedia;
  readonly ssrc: number;
  readonly rtxSsrc?: number;
  readonly rid?: string;
  /** Whether its packets say mid and rid. */
  readonly isNamed: boolean;
  /** So long it takes from the capture of a frame to its sending. */
  readonly encodeMs?: number;
  /** Keyframes that come by themselves; never when not said, save for the first. */
  readonly keyframeEachMs?: number;
  readonly fromMs?: number;
  readonly untilMs?: number;
}

/** One stream of a simulated publisher: VP8 of 30 frames, or Opus of 50 packets a second, with sender reports. */
class Encoder {
  readonly options: EncoderOptions;
  framesSent = 0;
  private readonly send: (packet: Uint8Array, rtp: { ssrc: number }) => void;
  private readonly frameMs: number;
  private readonly timestampBase: number;
  private readonly history = new Map<number, Parameters<typeof writeRtpPacket>[0]>();
  private sequenceNumber: number;
  private rtxSequenceNumber = 1;
  private wantsKeyframe = true;
  private captureMs: number;

  constructor(options: EncoderOptions, random: () => number, send: (packet: Uint8Array) => void) {
    this.options = options;
    this.send = send;
    this.frameMs = options.media.kind === 'video' ? 1_000 / 30 : 20;
    this.sequenceNumber = Math.floor(random() * 0x1_0000);
    this.timestampBase = Math.floor(random() * 2 ** 32);
    this.captureMs = options.fromMs ?? 0;
  }

  tick(now: number, transportSequence: () => number): void {
    const { encodeMs = 0, untilMs = Number.POSITIVE_INFINITY } = this.options;
    if (now < this.captureMs + encodeMs || now >= untilMs) return;
    this.frame(transportSequence);
    this.framesSent++;
    this.captureMs = (this.options.fromMs ?? 0) + this.framesSent * this.frameMs;
  }

  keyframe(): void {
    this.wantsKeyframe = true;
  }

  retransmit(sequenceNumber: number): void {
    const { media, rtxSsrc, rid, isNamed } = this.options;
    const packet = this.history.get(sequenceNumber);
    if (packet === undefined || rtxSsrc === undefined || media.rtxPayloadType === undefined) return;
    const payload = Uint8Array.from([sequenceNumber >> 8, sequenceNumber & 0xff, ...packet.payload]);
    const extensions = isNamed
      ? [...this.midElement(), ...(rid === undefined ? [] : [{ id: EXTENSIONS.repairedRid, value: encodeSdesItem(rid) }])]
      : [];
    const sequence = this.rtxSequenceNumber++ & 0xffff;
    this.send(
      writeRtpPacket({ ...packet, payloadType: media.rtxPayloadType, ssrc: rtxSsrc, sequenceNumber: sequence, payload, extensions }),
      { ssrc: rtxSsrc },
    );
  }

  /** A sender report of what is captured at `now`. */
  report(now: number): Uint8Array {
    const { ssrc } = this.options;
    return new RtcpWriter()
      .senderReport(ssrc, wallMs(PUBLISHER_WALL_MS + now), this.timestampAt(now), this.framesSent, 0)
      .sourceDescription(ssrc, 'publisher')
      .finish();
  }

  private frame(transportSequence: () => number): void {
    const { media, ssrc, rid, isNamed, keyframeEachMs = Number.POSITIVE_INFINITY } = this.options;
    const isDue = Number.isFinite(keyframeEachMs) && this.framesSent % Math.round(keyframeEachMs / this.frameMs) === 0;
    const isKeyframe = this.wantsKeyframe || isDue;
    this.wantsKeyframe = false;
    const number = Math.round(this.captureMs);
    const count = media.kind === 'video' ? PACKETS_PER_FRAME : 1;
    for (let index = 0; index < count; index++) {
      const extensions = [
        ...(isNamed ? this.midElement() : []),
        ...(isNamed && rid !== undefined ? [{ id: EXTENSIONS.rid, value: encodeSdesItem(rid) }] : []),
        { id: EXTENSIONS.transportCc, value: encodeTransportCc(transportSequence()) },
      ];
      const packet = {
        marker: index === count - 1,
        payloadType: media.payloadType,
        sequenceNumber: this.sequenceNumber,
        timestamp: this.timestampAt(this.captureMs),
        ssrc,
        payload: media.kind === 'video' ? vp8Payload(number, index, isKeyframe) : opusPayload(number),
        extensions,
      };
      this.history.set(this.sequenceNumber, packet);
      this.history.delete((this.sequenceNumber - HISTORY_MAX) & 0xffff);
      this.send(writeRtpPacket(packet), { ssrc });
      this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
    }
  }

  private midElement(): { id: number; value: Uint8Array }[] {
    return [{ id: EXTENSIONS.mid, value: encodeSdesItem(this.options.media.mid) }];
  }

  private timestampAt(ms: number): number {
    return (this.timestampBase + Math.round((ms * this.options.media.clockRate) / 1_000)) >>> 0;
  }
}

/** The time of capture stands behind the first byte. */
function opusPayload(captureMs: number): Uint8Array {
  const payload = new Uint8Array(80);
  payload[0] = 0xf8;
  new DataView(payload.buffer).setUint32(1, captureMs);
  return payload;
}

/** A frame as it came out of the session. */
export interface SeenFrame extends PublishedFrame {
  readonly layer: PublishedLayer;
  /** When it was captured, in virtual time. */
  readonly sentMs: number;
  readonly at: number;
}

export interface PublishScenario {
  readonly seed?: number;
  readonly network?: Partial<LossyLinkOptions>;
  readonly media: readonly PublishedMedia[];
  readonly encoders: readonly EncoderOptions[];
  readonly session?: Partial<PublishSessionOptions>;
}

/** A publisher and its session talk over a bad network, in virtual time of 1 ms steps. */
export class PublishConversation {
  now = 0;
  readonly frames: SeenFrame[] = [];
  /** Compounds that the session sent, with the kinds of their packets. */
  readonly sent: { readonly at: number; readonly packets: ReturnType<typeof parseRtcp> }[] = [];
  readonly session: PublishSession;
  readonly encoders: readonly Encoder[];
  private readonly there: LossyLink<Uint8Array>;
  private readonly back: LossyLink<Uint8Array>;
  private readonly reports: LossyLink<Uint8Array>;
  private transportSequence = 0;

  constructor({ seed = 1, network, media, encoders, session }: PublishScenario) {
    const random = seededRandom(seed);
    const options = { delayMs: 25, jitterMs: 0, loss: 0, duplicates: 0, ...network };
    this.there = new LossyLink(options, random);
    this.back = new LossyLink(options, random);
    this.reports = new LossyLink(options, random);
    this.encoders = encoders.map((encoder) => new Encoder(encoder, random, (packet) => this.there.send(packet, this.now)));
    this.session = new PublishSession(
      {
        rtcp: (compound) => {
          this.sent.push({ at: this.now, packets: parseRtcp(compound) });
          this.back.send(compound.slice(), this.now);
        },
        frame: (layer, frame) => {
          const [first] = frame.payloads;
          const view = new DataView(first?.buffer ?? new ArrayBuffer(16), first?.byteOffset);
          this.frames.push({ ...frame, layer, sentMs: view.getUint32(layer.kind === 'video' ? 12 : 1), at: this.now });
        },
      },
      { media, extensions: EXTENSIONS, localSsrc: 9, cname: 'server', usesReducedSize: true, keyframeIntervalMs: 2_000, ...session },
      monotonicMs(0),
    );
  }

  play(untilMs: number): void {
    for (; this.now < untilMs; this.now++) {
      for (const encoder of this.encoders) this.drive(encoder);
      for (const compound of this.back.take(this.now)) this.answer(compound);
      for (const packet of this.there.take(this.now)) this.session.receiveRtp(packet, this.now * 1_000, monotonicMs(this.now));
      for (const report of this.reports.take(this.now))
        this.session.receiveRtcp(report, monotonicMs(this.now), wallMs(OUR_WALL_MS + this.now));
      if (this.session.wakeAt <= this.now) this.session.tick(monotonicMs(this.now));
    }
  }

  /** The PLIs, as [time, SSRCs that were asked within one compound]. */
  get keyframesAsked(): [at: number, ssrcs: number[]][] {
    return this.sent.flatMap(({ at, packets }) => {
      const ssrcs = packets.flatMap((packet) => (packet.kind === 'picture-loss-indication' ? [packet.mediaSsrc] : []));
      return ssrcs.length === 0 ? [] : [[at, ssrcs] as [number, number[]]];
    });
  }

  framesOf(rid: string, kind: 'video' | 'audio' = 'video'): SeenFrame[] {
    return this.frames.filter(({ layer }) => layer.rid === rid && layer.kind === kind);
  }

  private drive(encoder: Encoder): void {
    const { fromMs = 0, untilMs = Number.POSITIVE_INFINITY } = encoder.options;
    encoder.tick(this.now, () => this.transportSequence++ & 0xffff);
    const isActive = this.now >= fromMs && this.now < untilMs;
    if (isActive && this.now % 1_000 === 500) this.reports.send(encoder.report(this.now), this.now);
  }

  private answer(compound: Uint8Array): void {
    for (const packet of parseRtcp(compound)) {
      if (packet.kind !== 'nack' && packet.kind !== 'picture-loss-indication') continue;
      const encoder = this.encoders.find(({ options }) => options.ssrc === packet.mediaSsrc);
      if (packet.kind === 'picture-loss-indication') encoder?.keyframe();
      else for (const sequenceNumber of packet.sequenceNumbers) encoder?.retransmit(sequenceNumber);
    }
  }
}

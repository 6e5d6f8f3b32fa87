import type { BitrateBps, WallMs } from '../../../core/mod.ts';

/** Packet types (RFC 3550 12.1, RFC 4585 6.1). */
export const PacketType = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  goodbye: 203,
  transportFeedback: 205,
  payloadFeedback: 206,
} as const;

/** Feedback message types of RTPFB (RFC 4585 6.2, draft-holmer-rmcat-transport-wide-cc-extensions-01). */
export const TransportFormat = { nack: 1, transportWide: 15 } as const;
/** Feedback message types of PSFB (RFC 4585 6.3, RFC 5104 4.3.1, draft-alvestrand-rmcat-remb-03). */
export const PayloadFormat = { pli: 1, fir: 4, application: 15 } as const;

/** The ASCII letters REMB. */
export const REMB_IDENTIFIER = 0x52454d42;
/** The five bits that count blocks, SSRCs and chunks hold no more. */
export const REPORT_BLOCKS_MAX = 31;

/** What a receiver says about one source (RFC 3550 6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  /** Of the packets expected since the last report, in 1/256. */
  readonly fractionLost: number;
  /** Signed: duplicates can make it negative. */
  readonly cumulativeLost: number;
  /** 16 bits of cycles above 16 bits of sequence number. */
  readonly highestSequenceNumber: number;
  /** In ticks of the RTP clock. */
  readonly jitter: number;
  /** Middle 32 bits of the last sender report's NTP time; 0 when there was none. */
  readonly lastSenderReport: number;
  /** In 1/65,536 s. */
  readonly delaySinceLastSenderReport: number;
}

/** RFC 3550 6.4.1. */
export interface SenderReport {
  readonly kind: 'sender-report';
  readonly ssrc: number;
  /** The NTP time as Unix milliseconds with fraction, on the sender's clock; NaN when the sender has no wall clock and sends 0. */
  readonly ntpMs: WallMs;
  /** The middle 32 bits of the NTP time, for `lastSenderReport` of the answer. */
  readonly compactNtp: number;
  /** The RTP timestamp of the same instant. */
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
  readonly reports: readonly ReportBlock[];
}

/** RFC 3550 6.4.2. */
export interface ReceiverReport {
  readonly kind: 'receiver-report';
  readonly ssrc: number;
  readonly reports: readonly ReportBlock[];
}

/** RFC 3550 6.5; only CNAME items are kept. */
export interface SourceDescription {
  readonly kind: 'source-description';
  readonly chunks: readonly { readonly ssrc: number; readonly cname: string | undefined }[];
}

/** RFC 3550 6.6. */
export interface Goodbye {
  readonly kind: 'goodbye';
  readonly ssrcs: readonly number[];
}

/** Generic NACK (RFC 4585 6.2.1). */
export interface Nack {
  readonly kind: 'nack';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** In the order of the message; may hold repetitions. */
  readonly sequenceNumbers: Uint16Array;
}

/** Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1). */
export interface TransportFeedback {
  readonly kind: 'transport-feedback';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
  /** Counts the feedback packets, 8 bits. */
  readonly feedbackCount: number;
  /** The transport-wide sequence number of `arrivalsUs[0]`; the next ones follow, modulo 65,536. */
  readonly baseSequenceNumber: number;
  /**
   * When each packet arrived, in µs on the receiver's clock, a multiple of 250; NaN for those not received. The clock wraps each 2^24 * 64 ms.
   */
  readonly arrivalsUs: Float64Array;
}

/** Picture Loss Indication (RFC 4585 6.3.1). */
export interface PictureLossIndication {
  readonly kind: 'picture-loss-indication';
  readonly senderSsrc: number;
  readonly mediaSsrc: number;
}

/** Full Intra Request (RFC 5104 4.3.1). */
export interface FullIntraRequest {
  readonly kind: 'full-intra-request';
  readonly senderSsrc: number;
  /** Requests with the `sequenceNumber` (8 bits) of an earlier one of the same sender repeat it. */
  readonly requests: readonly { readonly ssrc: number; readonly sequenceNumber: number }[];
}

/** Receiver Estimated Maximum Bitrate (draft-alvestrand-rmcat-remb-03). */
export interface ReceiverEstimatedMaximumBitrate {
  readonly kind: 'receiver-estimated-maximum-bitrate';
  readonly senderSsrc: number;
  readonly bitrateBps: BitrateBps;
  readonly ssrcs: readonly number[];
}

/** The RTCP packets that Sluice understands. */
export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Goodbye
  | Nack
  | TransportFeedback
  | PictureLossIndication
  | FullIntraRequest
  | ReceiverEstimatedMaximumBitrate;

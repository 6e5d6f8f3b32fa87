import type { MediaTime, WallMs } from '../../core/mod.ts';
import type { RtpCodec, RtpReceiverStats } from '../rtp/mod.ts';

/** One media section that the publisher sends, as it was negotiated. */
export interface PublishedMedia {
  readonly kind: 'video' | 'audio';
  readonly mid: string;
  readonly codec: RtpCodec;
  readonly payloadType: number;
  readonly rtxPayloadType?: number;
  readonly clockRate: number;
  readonly usesNack: boolean;
  /** Of simulcast, most preferred first (RFC 8853 section 5.2); empty without. */
  readonly rids: readonly string[];
  /** Those that the offer names; others are found out by the header extensions. */
  readonly sources: readonly { readonly ssrc: number; readonly rtxSsrc?: number }[];
}

/** Negotiated ids of header extensions. */
export interface PublishExtensions {
  readonly mid?: number;
  readonly rid?: number;
  readonly repairedRid?: number;
  readonly transportCc?: number;
  readonly absCaptureTime?: number;
}

export interface PublishSessionOptions {
  readonly media: readonly PublishedMedia[];
  readonly extensions: PublishExtensions;
  readonly localSsrc: number;
  readonly cname: string;
  /** Whether the publisher takes feedback without a report before it (RFC 5506). */
  readonly usesReducedSize: boolean;
  /** A keyframe is asked for when none has come for so long. */
  readonly keyframeIntervalMs: number;
}

/** A stream of frames within the session: one codec, one quality. */
export interface PublishedLayer {
  readonly kind: 'video' | 'audio';
  readonly codec: RtpCodec;
  /** Empty without simulcast. */
  readonly rid: string;
  /** 0 is the most preferred one. */
  readonly preference: number;
  /** How many layers were agreed on; 1 without simulcast. */
  readonly layerCount: number;
}

/** A complete frame with its time on the publisher's one timeline. */
export interface PublishedFrame {
  readonly payloads: readonly Uint8Array[];
  readonly pts: MediaTime;
  readonly isKeyframe: boolean;
  /** On our clock; absent until the publisher has reported. */
  readonly captureMs?: WallMs;
}

/** Effects of a `PublishSession`; implemented by its owner. */
export interface PublishSessionOutput {
  /** For the publisher; borrowed until the call returns. */
  rtcp(compound: Uint8Array): void;
  frame(layer: PublishedLayer, frame: PublishedFrame): void;
}

/** How a publisher's session goes. */
export interface PublishSessionStats {
  readonly layers: readonly (PublishedLayer & RtpReceiverStats)[];
  readonly malformedPackets: number;
  readonly unknownPackets: number;
}

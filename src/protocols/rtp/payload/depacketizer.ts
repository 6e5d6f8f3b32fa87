import { av1StartsFrame, av1StartsKeyframe, depacketizeAv1 } from './av1-depacketizer.ts';
import { depacketizeH264, h264StartsFrame, h264StartsKeyframe } from './h264-depacketizer.ts';
import { depacketizeHevc, hevcStartsFrame, hevcStartsKeyframe } from './hevc-depacketizer.ts';
import { depacketizeOpus } from './opus-payload.ts';
import type { AssembledFrame, RtpCodec } from './payload-format.ts';
import { depacketizeVp8, vp8StartsFrame, vp8StartsKeyframe } from './vp8-payload.ts';
import { depacketizeVp9, vp9StartsFrame, vp9StartsKeyframe } from './vp9-depacketizer.ts';

interface Depacketizer {
  readonly depacketize: (payloads: readonly Uint8Array[]) => AssembledFrame;
  readonly startsFrame: (payload: Uint8Array) => boolean;
  readonly startsKeyframe: (payload: Uint8Array) => boolean;
}

const depacketizers: Readonly<Record<RtpCodec, Depacketizer>> = {
  h264: { depacketize: depacketizeH264, startsFrame: h264StartsFrame, startsKeyframe: h264StartsKeyframe },
  hevc: { depacketize: depacketizeHevc, startsFrame: hevcStartsFrame, startsKeyframe: hevcStartsKeyframe },
  vp8: { depacketize: depacketizeVp8, startsFrame: vp8StartsFrame, startsKeyframe: vp8StartsKeyframe },
  vp9: { depacketize: depacketizeVp9, startsFrame: vp9StartsFrame, startsKeyframe: vp9StartsKeyframe },
  av1: { depacketize: depacketizeAv1, startsFrame: av1StartsFrame, startsKeyframe: av1StartsKeyframe },
  opus: { depacketize: depacketizeOpus, startsFrame: () => true, startsKeyframe: () => true },
};

/**
 * Puts the payloads of one frame together; they are borrowed, must be complete and in order, and empty ones (of packets that only
 * probe) are passed over. Throws `rtp.bad-<codec>-payload`.
 */
export function depacketize(codec: RtpCodec, payloads: readonly Uint8Array[]): AssembledFrame {
  return depacketizers[codec].depacketize(payloads.filter((payload) => payload.length > 0));
}

/**
 * Whether a frame begins with this payload, as far as a payload tells: for AV1 and for the NAL unit codecs that is "may begin", since
 * neighbours of the same timestamp can look alike (SPS and PPS in packets of their own). Never throws.
 */
export function startsFrame(codec: RtpCodec, payload: Uint8Array): boolean {
  return payload.length > 0 && depacketizers[codec].startsFrame(payload);
}

/** Whether a frame begins here at which decoding may resume after a loss. Never throws. */
export function startsKeyframe(codec: RtpCodec, payload: Uint8Array): boolean {
  return payload.length > 0 && depacketizers[codec].startsKeyframe(payload);
}

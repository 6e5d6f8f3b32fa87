import { decimal } from './sdp-lines.ts';
import type { SdpMediaSection, SdpPayloadFormat } from './session-description.ts';

export type SdpVideoCodec = 'h264' | 'hevc' | 'vp8' | 'vp9' | 'av1';
export type SdpAudioCodec = 'opus';
/** Codecs that can be negotiated. */
export type SdpCodec = SdpVideoCodec | SdpAudioCodec;

/** What an rtpmap says of a codec (RFC 6184, 7798, 7741, 9628, 7587 and AV1's RTP specification). */
export interface CodecEncoding {
  readonly kind: 'audio' | 'video';
  readonly name: string;
  readonly clockRate: number;
  readonly channels?: number;
}

/** The encodings, by codec. */
export const encodings: Readonly<Record<SdpCodec, CodecEncoding>> = {
  h264: { kind: 'video', name: 'H264', clockRate: 90_000 },
  hevc: { kind: 'video', name: 'H265', clockRate: 90_000 },
  vp8: { kind: 'video', name: 'VP8', clockRate: 90_000 },
  vp9: { kind: 'video', name: 'VP9', clockRate: 90_000 },
  av1: { kind: 'video', name: 'AV1', clockRate: 90_000 },
  opus: { kind: 'audio', name: 'opus', clockRate: 48_000, channels: 2 },
};

const codecs = Object.keys(encodings) as SdpCodec[];

/** The codec of a payload format; undefined for others, rtx among them. */
export function codecOf(format: SdpPayloadFormat): SdpCodec | undefined {
  return codecs.find((codec) => {
    const { name, clockRate, channels } = encodings[codec];
    return format.name.toLowerCase() === name.toLowerCase() && format.clockRate === clockRate && format.channels === channels;
  });
}

/** A section's payload formats of one codec, in its order of preference. */
export const formatsOf = (section: SdpMediaSection, codec: SdpCodec): SdpPayloadFormat[] =>
  encodings[codec].kind === section.kind ? section.payloadFormats.filter((format) => codecOf(format) === codec) : [];

/** The retransmission payload format of another one (RFC 4588 §8.6: `apt`). */
export const rtxFormatOf = (section: SdpMediaSection, payloadType: number): SdpPayloadFormat | undefined =>
  section.payloadFormats.find(
    (format) => format.name.toLowerCase() === 'rtx' && decimal(format.parameters.get('apt'), 127) === payloadType,
  );

import { localTransport } from './answer-assembly.ts';
import { type PlayTrack, sourceAttributes } from './answer-play.ts';
import { encodings, type SdpCodec } from './codecs.ts';
import {
  defaultAudioCodecs,
  defaultVideoCodecs,
  type LocalTransport,
  type MediaPreferences,
  offeredFeedback,
  playExtensionUris,
  publishExtensionUris,
} from './negotiated.ts';
import {
  emptyMediaSection,
  emptySession,
  type SdpMediaSection,
  type SdpPayloadFormat,
  type SessionDescription,
} from './session-description.ts';
import { writeSessionDescription } from './write-session.ts';

/** An offer of ours, as description (for `readAnswer`) and as text. */
export interface SdpOffer {
  readonly session: SessionDescription;
  readonly text: string;
}

/** Settings of {@link offerPlay}. An empty list of codecs leaves the kind out. */
export interface OfferPlayOptions extends MediaPreferences {
  readonly transport: LocalTransport;
}

/** Settings of {@link offerPublish}. */
export interface OfferPublishOptions {
  readonly transport: LocalTransport;
  /** At most one audio and one video track; a video track may have simulcast layers. */
  readonly tracks: readonly (PlayTrack & { readonly rids?: readonly string[] })[];
  /** URIs of header extensions; default {@link publishExtensionUris}. */
  readonly extensions?: readonly string[];
}

/** A dynamic payload type of each offered format; the retransmissions' is the next. Servers compare H.264's profiles, so each has one. */
const payloadTypes: readonly {
  readonly codec: SdpCodec;
  readonly payloadType: number;
  readonly fmtp: readonly (readonly [string, string])[];
}[] = [
  ...['42e01f', '42001f', '4d001f', '64001f'].map((profileLevelId, index) => ({
    codec: 'h264' as const,
    payloadType: 102 + index * 2,
    fmtp: h264Parameters(profileLevelId),
  })),
  { codec: 'hevc', payloadType: 112, fmtp: [] },
  { codec: 'vp8', payloadType: 96, fmtp: [] },
  { codec: 'vp9', payloadType: 98, fmtp: [['profile-id', '0']] },
  { codec: 'av1', payloadType: 114, fmtp: [] },
  {
    codec: 'opus',
    payloadType: 116,
    fmtp: [
      ['minptime', '10'],
      ['useinbandfec', '1'],
      ['stereo', '1'],
      ['sprop-stereo', '1'],
    ],
  },
];

function h264Parameters(profileLevelId: string): readonly (readonly [string, string])[] {
  return [
    ['level-asymmetry-allowed', '1'],
    ['packetization-mode', '1'],
    ['profile-level-id', profileLevelId],
  ];
}

function offeredFormats(codec: SdpCodec, hasRtx: boolean, h264ProfileLevelId?: string): SdpPayloadFormat[] {
  const { kind, name, clockRate, channels } = encodings[codec];
  const listed = payloadTypes.filter((one) => one.codec === codec);
  // A publisher has one profile, and says so; a viewer lists all that it takes.
  const one =
    h264ProfileLevelId === undefined ? listed : listed.slice(0, 1).map((entry) => ({ ...entry, fmtp: h264Parameters(h264ProfileLevelId) }));
  return one.flatMap(({ payloadType, fmtp }): SdpPayloadFormat[] => {
    const parameters = new Map(fmtp);
    const feedback = offeredFeedback(kind);
    const media = { payloadType, name, clockRate, parameters, feedback, ...(channels === undefined ? {} : { channels }) };
    const rtx = { payloadType: payloadType + 1, name: 'rtx', clockRate, parameters: new Map([['apt', String(payloadType)]]), feedback: [] };
    return hasRtx && kind === 'video' ? [media, rtx] : [media];
  });
}

function offeredSection(
  kind: 'audio' | 'video',
  index: number,
  direction: 'sendonly' | 'recvonly',
  payloadFormats: readonly SdpPayloadFormat[],
  options: { readonly transport: LocalTransport; readonly extensionUris: readonly string[] },
): SdpMediaSection {
  return {
    ...emptyMediaSection,
    ...localTransport(options.transport, 'actpass'),
    ...(index === 0 ? { candidates: options.transport.candidates, endOfCandidates: true } : {}),
    kind,
    port: 9,
    formats: payloadFormats.map(({ payloadType }) => String(payloadType)),
    mid: String(index),
    direction,
    rtcpMux: true,
    rtcpMuxOnly: true,
    rtcpReducedSize: true,
    payloadFormats,
    // One id for a URI in all sections of a bundle (RFC 9143 §9.2).
    extensions: options.extensionUris.map((uri, place) => ({ id: place + 1, uri })),
  };
}

function toOffer(transport: LocalTransport, media: readonly SdpMediaSection[]): SdpOffer {
  const mids = media.flatMap(({ mid }) => (mid === undefined ? [] : [mid]));
  const session: SessionDescription = {
    ...emptySession,
    sessionId: transport.sessionId,
    sessionVersion: '1',
    groups: [{ semantics: 'BUNDLE', mids }],
    media,
  };
  return { session, text: writeSessionDescription(session) };
}

/** An offer to receive one audio and one video track (WHEP), in any of our codecs. */
export function offerPlay(options: OfferPlayOptions): SdpOffer {
  const extensionUris = options.extensions ?? playExtensionUris;
  const kinds = [
    { kind: 'audio', codecs: options.audioCodecs ?? defaultAudioCodecs },
    { kind: 'video', codecs: options.videoCodecs ?? defaultVideoCodecs },
  ] as const;
  const sections = kinds
    .filter(({ codecs }) => codecs.length > 0)
    .map(({ kind, codecs }, index) => {
      const formats = codecs.flatMap((codec) => offeredFormats(codec, true));
      return offeredSection(kind, index, 'recvonly', formats, { transport: options.transport, extensionUris });
    });
  return toOffer(options.transport, sections);
}

/** An offer to send tracks (WHIP), each in its one codec. */
export function offerPublish({ transport, tracks, extensions }: OfferPublishOptions): SdpOffer {
  const extensionUris = extensions ?? publishExtensionUris;
  const sections = tracks.map((track, index): SdpMediaSection => {
    const { rids, ...single } = track;
    const formats = offeredFormats(track.codec, track.rtxSsrc !== undefined, track.h264ProfileLevelId);
    const section = offeredSection(encodings[track.codec].kind, index, 'sendonly', formats, { transport, extensionUris });
    const sources = sourceAttributes(single);
    if (rids === undefined) return { ...section, ...sources };
    // Layers are told apart by their ids in the packets; sources are not announced (RFC 8853 §5.5).
    const layers = rids.map((id) => ({ id, direction: 'send' as const }));
    return { ...section, msids: sources.msids, rids: layers, simulcast: { send: rids.map((id) => [id]) } };
  });
  return toOffer(transport, sections);
}

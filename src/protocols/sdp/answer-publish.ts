import { ProtocolError } from '../../core/mod.ts';
import { type AcceptedSection, acceptFormat, assembleAnswer, type SdpAnswer, unusableReason } from './answer-assembly.ts';
import { formatsOf, rtxFormatOf, type SdpCodec } from './codecs.ts';
import { answerH264Parameters, packetizationModeOf } from './h264-profile.ts';
import {
  defaultAudioCodecs,
  defaultVideoCodecs,
  directionOf,
  type LocalTransport,
  type MediaPreferences,
  publishExtensionUris,
  type RejectedMedia,
  type RejectionReason,
  RID_EXTENSION_URI,
} from './negotiated.ts';
import type { SdpMediaSection, SdpPayloadFormat, SessionDescription } from './session-description.ts';

/** Settings of {@link answerPublish}. */
export interface AnswerPublishOptions extends MediaPreferences {
  readonly transport: LocalTransport;
  /** Simulcast layers taken; the publisher's first ones. Default 4; 1 takes no simulcast. */
  readonly simulcastLayersMax?: number;
}

const SIMULCAST_LAYERS_MAX = 4;
/** In messages. */
const NAMES_SHOWN_MAX = 12;

/** How little an offered format is liked among those of its codec; equal ones keep the offer's order. */
function reluctance(codec: SdpCodec, { parameters, ...format }: SdpPayloadFormat): number {
  switch (codec) {
    case 'h264':
      // Mode 0 cannot fragment: large keyframes would not fit.
      return packetizationModeOf({ ...format, parameters }) === '1' ? 0 : 1;
    case 'vp9':
      return (parameters.get('profile-id') ?? '0') === '0' ? 0 : 1;
    case 'av1':
      return (parameters.get('profile') ?? '0') === '0' ? 0 : 1;
    default:
      return 0;
  }
}

/** What we would like to be sent. */
function wishes(codec: SdpCodec, format: SdpPayloadFormat): ReadonlyMap<string, string> {
  if (codec === 'opus') {
    return new Map([
      ['minptime', '10'],
      ['useinbandfec', '1'],
      ['stereo', '1'],
    ]);
  }
  return codec === 'h264' ? answerH264Parameters(format) : format.parameters;
}

/** The layers to receive: of alternatives the first (RFC 8853 §5.3); none unless packets can be told apart by their rid. */
function simulcastLayers(section: SdpMediaSection, layersMax: number): string[] {
  if (!section.extensions.some(({ uri }) => uri === RID_EXTENSION_URI)) return [];
  const known = new Set(section.rids.filter(({ direction }) => direction === 'send').map(({ id }) => id));
  const layers = (section.simulcast?.send ?? []).map((alternatives) => alternatives.find((id) => known.has(id)));
  return [...new Set(layers.filter((id) => id !== undefined))].slice(0, layersMax);
}

function acceptSection(section: SdpMediaSection, sectionIndex: number, options: AnswerPublishOptions): AcceptedSection | undefined {
  const codecs = [...(options.videoCodecs ?? defaultVideoCodecs), ...(options.audioCodecs ?? defaultAudioCodecs)];
  const codec = codecs.find((one) => formatsOf(section, one).length > 0);
  if (codec === undefined) return undefined;
  const format = formatsOf(section, codec).toSorted((left, right) => reluctance(codec, left) - reluctance(codec, right))[0];
  if (format === undefined) return undefined;
  const extensionUris = options.extensions ?? publishExtensionUris;
  const choice = { codec, format, parameters: wishes(codec, format) };
  const accepted = acceptFormat(section, sectionIndex, choice, rtxFormatOf(section, format.payloadType), {
    direction: 'recvonly',
    extensionUris,
  });
  const rids = accepted.media.extensions.has(RID_EXTENSION_URI)
    ? simulcastLayers(section, options.simulcastLayersMax ?? SIMULCAST_LAYERS_MAX)
    : [];
  if (rids.length < 2) return accepted;
  return {
    section: {
      ...accepted.section,
      rids: rids.map((id) => ({ id, direction: 'recv' })),
      simulcast: { recv: rids.map((id) => [id]) },
    },
    media: { ...accepted.media, rids },
  };
}

/** A track is taken, or the whole offer refused: a publisher must not go on with half of what it sends (RFC 9725 §4.4.3). */
function acceptTrack(
  section: SdpMediaSection,
  sectionIndex: number,
  before: readonly AcceptedSection[],
  options: AnswerPublishOptions,
): AcceptedSection {
  const { kind, payloadFormats } = section;
  if (before.some(({ media }) => media.kind === kind)) {
    throw new ProtocolError(
      'sdp.surplus-track',
      `section ${sectionIndex} is a second ${kind} track; send one audio and one video track at most`,
    );
  }
  const accepted = acceptSection(section, sectionIndex, options);
  if (accepted !== undefined) return accepted;
  const names = [...new Set(payloadFormats.map(({ name }) => name))].slice(0, NAMES_SHOWN_MAX).join(', ');
  throw new ProtocolError('sdp.no-usable-codec', `no codec of ${kind} section ${sectionIndex} [${names}] can be used`);
}

/**
 * Answers a publisher (WHIP, RFC 9725 §4.2): one audio and one video track at most are received; sections that are no tracks of the
 * publisher's are rejected by port 0. Of each track one codec is chosen, by our preference, so that what comes is known. Throws
 * `sdp.surplus-track`, `sdp.no-usable-codec`, `sdp.no-bundle`, `sdp.no-rtcp-mux`, `sdp.no-fingerprint`, `sdp.no-ice`, `sdp.bad`.
 */
export function answerPublish(offer: SessionDescription, options: AnswerPublishOptions): SdpAnswer {
  const accepted: AcceptedSection[] = [];
  const rejected: RejectedMedia[] = [];
  for (const [sectionIndex, section] of offer.media.entries()) {
    const { kind, mid } = section;
    const reject = (reason: RejectionReason): void =>
      void rejected.push({ sectionIndex, kind, reason, ...(mid === undefined ? {} : { mid }) });
    const direction = directionOf(offer, section);
    const unusable = unusableReason(section);
    if (unusable !== undefined) reject(unusable);
    else if (direction !== 'sendonly' && direction !== 'sendrecv') reject('direction');
    else accepted.push(acceptTrack(section, sectionIndex, accepted, options));
  }
  return assembleAnswer(offer, options.transport, accepted, rejected);
}

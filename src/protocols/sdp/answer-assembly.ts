import { ProtocolError } from '../../core/mod.ts';
import { encodings, type SdpCodec } from './codecs.ts';
import {
  commonExtensions,
  commonFeedback,
  extensionIds,
  type LocalTransport,
  type Negotiated,
  type NegotiatedMedia,
  type RejectedMedia,
  type RejectionReason,
  remoteSources,
} from './negotiated.ts';
import { transportOf } from './remote-transport.ts';
import {
  emptyMediaSection,
  emptySession,
  type SdpMediaSection,
  type SdpPayloadFormat,
  type SessionDescription,
} from './session-description.ts';
import { writeSessionDescription } from './write-session.ts';

/** An answer, or an offer of ours, as description and as text. */
export interface SdpAnswer {
  readonly session: SessionDescription;
  readonly text: string;
  readonly negotiated: Negotiated;
}

/** A section that will be used: what the answer says, and what it means. */
export interface AcceptedSection {
  readonly section: SdpMediaSection;
  readonly media: NegotiatedMedia;
}

/** Profiles that mean DTLS-SRTP over ICE (RFC 9429 §5.1.2). */
const PROTOCOL = /^((UDP\/TLS|TCP\/DTLS)\/)?RTP\/SAVPF?$/;

/** Why a section cannot be considered at all; undefined when it can. */
export function unusableReason(section: SdpMediaSection): RejectionReason | undefined {
  if (section.port === 0 && !section.bundleOnly) return 'peer';
  return PROTOCOL.test(section.protocol) && (section.kind === 'audio' || section.kind === 'video') ? undefined : 'unsupported';
}

/** What both directions of an answer say of a chosen format. */
export function acceptFormat(
  offered: SdpMediaSection,
  sectionIndex: number,
  choice: { readonly codec: SdpCodec; readonly format: SdpPayloadFormat; readonly parameters: ReadonlyMap<string, string> },
  rtx: SdpPayloadFormat | undefined,
  way: { readonly direction: 'sendonly' | 'recvonly'; readonly extensionUris: readonly string[] },
): AcceptedSection {
  const { codec, format } = choice;
  const { kind } = encodings[codec];
  const feedback = commonFeedback(kind, format.feedback);
  const extensions = commonExtensions(offered, way.extensionUris, way.direction);
  const mid = offered.mid === undefined ? {} : { mid: offered.mid };
  const payloadFormats = [{ ...format, feedback, parameters: choice.parameters }, ...(rtx === undefined ? [] : [{ ...rtx, feedback: [] }])];
  return {
    section: {
      ...emptyMediaSection,
      ...mid,
      kind,
      port: 9,
      protocol: offered.protocol,
      formats: payloadFormats.map(({ payloadType }) => String(payloadType)),
      direction: way.direction,
      rtcpMux: true,
      // In each answer (RFC 9725 §4.4.1), although RFC 8858 §3 knows it in offers alone: those who do not know it pass over it.
      rtcpMuxOnly: true,
      rtcpReducedSize: offered.rtcpReducedSize,
      payloadFormats,
      extensions,
    },
    media: {
      ...mid,
      sectionIndex,
      kind,
      direction: way.direction,
      codec,
      payloadType: format.payloadType,
      clockRate: format.clockRate,
      ...(format.channels === undefined ? {} : { channels: format.channels }),
      parameters: format.parameters,
      ...(rtx === undefined ? {} : { rtxPayloadType: rtx.payloadType }),
      feedback,
      rtcpReducedSize: offered.rtcpReducedSize,
      extensions: extensionIds(extensions),
      rids: [],
      sources: remoteSources(offered),
    },
  };
}

function rejectedSection({ kind, protocol, formats, mid }: SdpMediaSection): SdpMediaSection {
  // A rejected section keeps its place; of its formats one is enough (RFC 3264 §6).
  const kept = { kind, protocol, formats: formats.slice(0, 1), port: 0, direction: 'inactive' } as const;
  return { ...emptyMediaSection, ...kept, ...(mid === undefined ? {} : { mid }) };
}

/** A section without media that stays, for the transport that is negotiated in it; undefined if it cannot. */
function idleSection({ kind, protocol, mid, rtcpMux, payloadFormats }: SdpMediaSection): SdpMediaSection | undefined {
  const format = payloadFormats.find(({ name }) => name.toLowerCase() !== 'rtx');
  if (mid === undefined || !rtcpMux || format === undefined) return undefined;
  const kept = { kind, protocol, mid, port: 9, direction: 'inactive', rtcpMux: true, rtcpMuxOnly: true } as const;
  return { ...emptyMediaSection, ...kept, formats: [String(format.payloadType)], payloadFormats: [{ ...format, feedback: [] }] };
}

function noUsableCodec(offer: SessionDescription, rejected: readonly RejectedMedia[]): ProtocolError {
  const details = rejected.map(({ sectionIndex, kind, reason }) => {
    const names = new Set(offer.media[sectionIndex]?.payloadFormats.map(({ name }) => name));
    return `${kind} [${[...names].slice(0, 12).join(', ')}]: ${reason}`;
  });
  return new ProtocolError('sdp.no-usable-codec', `no media section can be used: ${details.join('; ') || 'there is none'}`);
}

/** All that is used must share one transport, with RTCP beside RTP (RFC 9725 §4.4.1). Throws `sdp.no-bundle`, `sdp.no-rtcp-mux`. */
function checkShared(offer: SessionDescription, accepted: readonly AcceptedSection[]): void {
  const bundled = bundleOf(offer);
  const isBundled = accepted.every(({ section }) => section.mid !== undefined && bundled.includes(section.mid));
  if (accepted.length > 1 && !isBundled) {
    throw new ProtocolError('sdp.no-bundle', 'audio and video are not in one a=group:BUNDLE; use the bundle policy "max-bundle"');
  }
  for (const { media } of accepted) {
    if (offer.media[media.sectionIndex]?.rtcpMux !== true) {
      throw new ProtocolError('sdp.no-rtcp-mux', `media section ${media.sectionIndex} has no a=rtcp-mux; RTP and RTCP share one port here`);
    }
  }
}

const bundleOf = (session: SessionDescription): readonly string[] =>
  session.groups.find(({ semantics }) => semantics === 'BUNDLE')?.mids ?? [];

/** By their places in the offer: what is used, and the section that has the transport of the offered bundle, if something else of that is used. */
function answeredSections(offer: SessionDescription, accepted: readonly AcceptedSection[]): readonly (SdpMediaSection | undefined)[] {
  const bundled = bundleOf(offer);
  const isBundled = accepted.some(({ section: { mid } }) => mid !== undefined && bundled.includes(mid));
  return offer.media.map((offered, index) => {
    const used = accepted.find(({ media }) => media.sectionIndex === index);
    if (used !== undefined) return used.section;
    const isTag = isBundled && offered.mid !== undefined && offered.mid === bundled[0];
    return isTag && unusableReason(offered) === undefined ? idleSection(offered) : undefined;
  });
}

/**
 * Makes the answer of what was accepted, in the offer's order. The transport of the bundle and its candidates stand in the section that the offer has them in,
 * also when that is left without media: only where it cannot stay, the first one accepted takes them over (RFC 9143 §7.3.1), which offerers of the policy
 * "max-bundle" do not all understand: they have made no transport for that one, and Chromium refuses the answer. Throws `sdp.no-usable-codec`,
 * `sdp.no-bundle`, `sdp.no-rtcp-mux` and what {@link transportOf} does.
 */
export function assembleAnswer(
  offer: SessionDescription,
  local: LocalTransport,
  accepted: readonly AcceptedSection[],
  rejected: readonly RejectedMedia[],
): SdpAnswer {
  checkShared(offer, accepted);
  const answers = answeredSections(offer, accepted);
  const mids = bundleOf(offer).filter((mid) => answers.some((section) => section?.mid === mid));
  const tag = answers.findIndex((section) => section !== undefined && (mids.length === 0 || section.mid === mids[0]));
  const tagged = offer.media[tag];
  if (tagged === undefined) throw noUsableCodec(offer, rejected);
  // RFC 4145 §4.1: an offer without a=setup is "active".
  const transport = transportOf(offer, tagged, 'active');
  const media = offer.media.map((section, index): SdpMediaSection => {
    const answer = answers[index];
    if (answer === undefined) return rejectedSection(section);
    return {
      ...answer,
      // In each section, not only in the first: many clients look for them there.
      ...localTransport(local, transport.dtlsRole === 'server' ? 'passive' : 'active'),
      ...(index === tag ? { candidates: local.candidates, endOfCandidates: true } : {}),
    };
  });
  const session: SessionDescription = {
    ...emptySession,
    sessionId: local.sessionId,
    sessionVersion: '1',
    groups: mids.length === 0 ? [] : [{ semantics: 'BUNDLE', mids }],
    iceLite: true,
    extmapAllowMixed: offer.extmapAllowMixed,
    media,
  };
  const negotiated = { transport, media: accepted.map((one) => one.media), rejected };
  return { session, text: writeSessionDescription(session), negotiated };
}

/** What each section says of our transport. */
export function localTransport(
  { ice, fingerprint }: LocalTransport,
  setup: 'actpass' | 'active' | 'passive',
): Pick<SdpMediaSection, 'ice' | 'iceOptions' | 'fingerprints' | 'setup'> {
  return { ice, iceOptions: ['ice2', 'trickle'], fingerprints: [{ algorithm: 'sha-256', value: fingerprint }], setup };
}

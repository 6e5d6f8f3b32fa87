import type { SdpAudioCodec, SdpCodec, SdpVideoCodec } from './codecs.ts';
import type { H264Match } from './h264-profile.ts';
import type { RemoteTransport } from './remote-transport.ts';
import type { SdpDirection, SdpExtension, SdpIceCredentials, SdpMediaSection, SessionDescription } from './session-description.ts';

/** What we say of ourselves in an offer or an answer. */
export interface LocalTransport {
  readonly ice: SdpIceCredentials;
  /** SHA-256 of our certificate: `AB:CD:…`. */
  readonly fingerprint: string;
  /** `candidate:…` values; all that there are. */
  readonly candidates: readonly string[];
  /** `o=`'s session id: a random decimal number below 2^63. */
  readonly sessionId: string;
}

/** What can be chosen in a negotiation; absent means the default. */
export interface MediaPreferences {
  /** Best first. */
  readonly videoCodecs?: readonly SdpVideoCodec[];
  readonly audioCodecs?: readonly SdpAudioCodec[];
  /** URIs of header extensions to be used. */
  readonly extensions?: readonly string[];
}

/** H.264 first, for every other way out (HLS, RTMP) takes it. */
export const defaultVideoCodecs: readonly SdpVideoCodec[] = ['h264', 'hevc', 'vp8', 'vp9', 'av1'];
export const defaultAudioCodecs: readonly SdpAudioCodec[] = ['opus'];

/** Header extensions understood by both directions. */
export const sharedExtensionUris: readonly string[] = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
];
/** A publisher's simulcast layers are told apart by it (RFC 8853 §5.5). */
export const RID_EXTENSION_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
/** Header extensions of a publisher. */
export const publishExtensionUris: readonly string[] = [
  ...sharedExtensionUris,
  RID_EXTENSION_URI,
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
];
/** Header extensions towards a viewer. */
export const playExtensionUris: readonly string[] = [...sharedExtensionUris, 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay'];

/** A source of the peer's. */
export interface RemoteSource {
  readonly ssrc: number;
  /** Where its retransmissions come (FID group). */
  readonly rtxSsrc?: number;
  readonly cname?: string;
}

/** A media section both sides agreed on. */
export interface NegotiatedMedia {
  /** Place of its `m=` line, from 0. */
  readonly sectionIndex: number;
  readonly mid?: string;
  readonly kind: 'audio' | 'video';
  /** Ours: `recvonly` takes media from the peer. */
  readonly direction: SdpDirection;
  readonly codec: SdpCodec;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly channels?: number;
  /** The format's parameters as the peer wrote them. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly rtxPayloadType?: number;
  readonly feedback: readonly string[];
  readonly rtcpReducedSize: boolean;
  /** Id by URI. */
  readonly extensions: ReadonlyMap<string, number>;
  /** Simulcast layers that the peer will send, in its order. */
  readonly rids: readonly string[];
  /** Sources that the peer announced; with rids often none. */
  readonly sources: readonly RemoteSource[];
  /** Which of the wanted tracks is played here. */
  readonly trackIndex?: number;
  /** How well the offered format fits the played stream. */
  readonly h264Match?: H264Match;
}

/** Why a section is not used. */
export type RejectionReason = 'no-usable-codec' | 'no-track' | 'direction' | 'surplus' | 'unsupported' | 'peer';

/** A media section that stays unused. */
export interface RejectedMedia {
  readonly sectionIndex: number;
  readonly mid?: string;
  readonly kind: string;
  readonly reason: RejectionReason;
}

/** What a session is, once offer and answer are there. */
export interface Negotiated {
  readonly transport: RemoteTransport;
  /** At least one. */
  readonly media: readonly NegotiatedMedia[];
  readonly rejected: readonly RejectedMedia[];
}

const FEEDBACK: Readonly<Record<NegotiatedMedia['kind'], readonly string[]>> = {
  video: ['nack', 'nack pli', 'ccm fir', 'transport-cc', 'goog-remb'],
  audio: ['nack', 'transport-cc'],
};

/** Feedback that both sides understand. */
export const commonFeedback = (kind: 'audio' | 'video', offered: readonly string[]): readonly string[] =>
  FEEDBACK[kind].filter((value) => offered.includes(value));

/** Feedback we offer. */
export const offeredFeedback = (kind: 'audio' | 'video'): readonly string[] => (kind === 'video' ? FEEDBACK.video : ['transport-cc']);

const mirrored: Readonly<Record<SdpDirection, SdpDirection>> = {
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  sendrecv: 'sendrecv',
  inactive: 'inactive',
};

/** The same way as the other side sees it. */
export const mirrorDirection = (direction: SdpDirection): SdpDirection => mirrored[direction];

/** A section's direction: its own, else the session's, else both ways (RFC 8866 §6.7). */
export const directionOf = (session: SessionDescription, section: SdpMediaSection): SdpDirection =>
  section.direction ?? session.direction ?? 'sendrecv';

/** One-byte header extensions have ids 1 to 14 (RFC 8285 §4.2), and only those are written here. */
const EXTENSION_ID_MAX = 14;

/** The offered extensions to be used when we send (or receive), as the answer has them. */
export function commonExtensions(section: SdpMediaSection, uris: readonly string[], direction: 'sendonly' | 'recvonly'): SdpExtension[] {
  const accepted = new Map<string, SdpExtension>();
  for (const extension of section.extensions) {
    const { id, uri } = extension;
    // A way in an extmap is the offerer's: what it only sends, we can only receive (RFC 8285 §5).
    const isOneWay = extension.direction === direction || extension.direction === 'inactive';
    if (isOneWay || id > EXTENSION_ID_MAX || !uris.includes(uri) || accepted.has(uri)) continue;
    accepted.set(uri, { id, uri, ...(extension.direction === undefined ? {} : { direction: mirrorDirection(extension.direction) }) });
  }
  return [...accepted.values()];
}

/** Id by URI. */
export const extensionIds = (extensions: readonly SdpExtension[]): ReadonlyMap<string, number> =>
  new Map(extensions.map(({ id, uri }) => [uri, id]));

/** The peer's sources, retransmissions with what they repeat. */
export function remoteSources(section: SdpMediaSection): RemoteSource[] {
  const pairs = section.sourceGroups.filter(({ semantics, ssrcs }) => semantics.toUpperCase() === 'FID' && ssrcs.length === 2);
  const repeats = new Set(pairs.map(({ ssrcs }) => ssrcs[1]));
  return section.sources
    .filter(({ ssrc }) => !repeats.has(ssrc))
    .map(({ ssrc, cname }) => {
      const rtxSsrc = pairs.find(({ ssrcs }) => ssrcs[0] === ssrc)?.ssrcs[1];
      return { ssrc, ...(rtxSsrc === undefined ? {} : { rtxSsrc }), ...(cname === undefined ? {} : { cname }) };
    });
}

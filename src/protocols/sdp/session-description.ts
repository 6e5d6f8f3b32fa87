/** Which way media flows, as the describing side sees it (RFC 8866 §6.7). */
export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** DTLS roles (RFC 8842 §5.3). */
export type SdpSetup = 'actpass' | 'active' | 'passive' | 'holdconn';

/** A username fragment and its password, ice-chars (RFC 8839 §5.4). */
export interface SdpIceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** `a=fingerprint` (RFC 8122 §5): algorithm in lower case, value as `AB:CD:…` in upper case. */
export interface SdpFingerprint {
  readonly algorithm: string;
  readonly value: string;
}

/** A payload type and all that is said about it: rtpmap, fmtp, rtcp-fb. */
export interface SdpPayloadFormat {
  readonly payloadType: number;
  /** Encoding name as written, e.g. `H264`, `opus`, `rtx`. */
  readonly name: string;
  readonly clockRate: number;
  readonly channels?: number;
  /** fmtp's parameters by lower-case name, in order; one without `=` has the empty value. */
  readonly parameters: ReadonlyMap<string, string>;
  /** rtcp-fb values such as `nack pli`; those for `*` are among them. */
  readonly feedback: readonly string[];
}

/** `a=extmap` (RFC 8285 §5). */
export interface SdpExtension {
  readonly id: number;
  readonly uri: string;
  readonly direction?: SdpDirection;
}

/** `a=ssrc` lines of one source (RFC 5576 §4.1). */
export interface SdpSource {
  readonly ssrc: number;
  readonly cname?: string;
  /** `stream track`, as in `a=msid`. */
  readonly msid?: string;
}

/** `a=ssrc-group` (RFC 5576 §4.2), e.g. FID: a source and its retransmissions. */
export interface SdpSourceGroup {
  readonly semantics: string;
  readonly ssrcs: readonly number[];
}

/** `a=rid` (RFC 8851). */
export interface SdpRid {
  readonly id: string;
  readonly direction: 'send' | 'recv';
  readonly parameters?: string;
}

/** `a=simulcast` (RFC 8853 §5.1): for each stream the ids of its alternatives, without the mark of those that begin paused. */
export interface SdpSimulcast {
  readonly send?: readonly (readonly string[])[];
  readonly recv?: readonly (readonly string[])[];
}

/** What may stand in the session part, in each media section, or both. */
export interface SdpTransportAttributes {
  readonly ice?: SdpIceCredentials;
  readonly iceOptions: readonly string[];
  readonly fingerprints: readonly SdpFingerprint[];
  readonly setup?: SdpSetup;
  /** Values of `a=candidate`, from `candidate:` on. */
  readonly candidates: readonly string[];
  readonly endOfCandidates: boolean;
}

/** One `m=` section. */
export interface SdpMediaSection extends SdpTransportAttributes {
  /** `audio`, `video`, `application` or another. */
  readonly kind: string;
  /** 0 means rejected, or bundle-only in an offer. */
  readonly port: number;
  readonly protocol: string;
  /** Payload types as written, or other formats. */
  readonly formats: readonly string[];
  readonly mid?: string;
  readonly direction?: SdpDirection;
  readonly bundleOnly: boolean;
  readonly rtcpMux: boolean;
  readonly rtcpMuxOnly: boolean;
  readonly rtcpReducedSize: boolean;
  /** In the order of `formats`; those without an rtpmap are left out. */
  readonly payloadFormats: readonly SdpPayloadFormat[];
  readonly extensions: readonly SdpExtension[];
  readonly extmapAllowMixed: boolean;
  readonly sources: readonly SdpSource[];
  readonly sourceGroups: readonly SdpSourceGroup[];
  /** Values of `a=msid`: `stream track`. */
  readonly msids: readonly string[];
  readonly rids: readonly SdpRid[];
  readonly simulcast?: SdpSimulcast;
}

/** A session description (RFC 8866) as far as WebRTC uses it. */
export interface SessionDescription extends SdpTransportAttributes {
  /** `o=`'s session id and version: decimal digits, up to 64 bits. */
  readonly sessionId: string;
  readonly sessionVersion: string;
  readonly groups: readonly { readonly semantics: string; readonly mids: readonly string[] }[];
  readonly iceLite: boolean;
  readonly extmapAllowMixed: boolean;
  readonly direction?: SdpDirection;
  readonly media: readonly SdpMediaSection[];
}

/** A section that says nothing yet; for building one by spread. */
export const emptyMediaSection: Omit<SdpMediaSection, 'kind' | 'port' | 'formats'> = {
  protocol: 'UDP/TLS/RTP/SAVPF',
  iceOptions: [],
  fingerprints: [],
  candidates: [],
  endOfCandidates: false,
  bundleOnly: false,
  rtcpMux: false,
  rtcpMuxOnly: false,
  rtcpReducedSize: false,
  payloadFormats: [],
  extensions: [],
  extmapAllowMixed: false,
  sources: [],
  sourceGroups: [],
  msids: [],
  rids: [],
};

/** A description without media sections; for building one by spread. */
export const emptySession: Omit<SessionDescription, 'sessionId' | 'sessionVersion' | 'media'> = {
  groups: [],
  iceLite: false,
  iceOptions: [],
  fingerprints: [],
  candidates: [],
  endOfCandidates: false,
  extmapAllowMixed: false,
};

import type { SdpMediaSection, SdpPayloadFormat, SdpSimulcast, SdpTransportAttributes, SessionDescription } from './session-description.ts';

function transportLines(attributes: SdpTransportAttributes): string[] {
  const { ice, iceOptions, fingerprints, setup } = attributes;
  return [
    ...(ice === undefined ? [] : [`a=ice-ufrag:${ice.ufrag}`, `a=ice-pwd:${ice.pwd}`]),
    ...(iceOptions.length === 0 ? [] : [`a=ice-options:${iceOptions.join(' ')}`]),
    ...fingerprints.map(({ algorithm, value }) => `a=fingerprint:${algorithm} ${value}`),
    ...(setup === undefined ? [] : [`a=setup:${setup}`]),
  ];
}

function candidateLines({ candidates, endOfCandidates }: SdpTransportAttributes): string[] {
  return [...candidates.map((candidate) => `a=${candidate}`), ...(endOfCandidates ? ['a=end-of-candidates'] : [])];
}

/** `name=value;name` as fmtp has it. */
export const formatParameters = (parameters: ReadonlyMap<string, string>): string =>
  [...parameters].map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join(';');

function formatLines({ payloadType, name, clockRate, channels, feedback, parameters }: SdpPayloadFormat): string[] {
  return [
    `a=rtpmap:${payloadType} ${name}/${clockRate}${channels === undefined ? '' : `/${channels}`}`,
    ...feedback.map((value) => `a=rtcp-fb:${payloadType} ${value}`),
    ...(parameters.size === 0 ? [] : [`a=fmtp:${payloadType} ${formatParameters(parameters)}`]),
  ];
}

function simulcastLines(simulcast: SdpSimulcast | undefined): string[] {
  const parts = (['send', 'recv'] as const).flatMap((direction) => {
    const streams = simulcast?.[direction];
    return streams === undefined || streams.length === 0 ? [] : [`${direction} ${streams.map((ids) => ids.join(',')).join(';')}`];
  });
  return parts.length === 0 ? [] : [`a=simulcast:${parts.join(' ')}`];
}

function sourceLines({ sources, sourceGroups }: SdpMediaSection): string[] {
  return [
    ...sourceGroups.map(({ semantics, ssrcs }) => `a=ssrc-group:${semantics} ${ssrcs.join(' ')}`),
    ...sources.flatMap(({ ssrc, cname, msid }) => [
      ...(cname === undefined ? [] : [`a=ssrc:${ssrc} cname:${cname}`]),
      ...(msid === undefined ? [] : [`a=ssrc:${ssrc} msid:${msid}`]),
    ]),
  ];
}

function mediaLines(section: SdpMediaSection): string[] {
  const { kind, port, protocol, formats, mid, direction, extensions, msids, rids, payloadFormats } = section;
  return [
    `m=${kind} ${port} ${protocol} ${formats.join(' ')}`,
    // Addresses are in the candidates (RFC 8839 §4.2.1.2).
    'c=IN IP4 0.0.0.0',
    ...transportLines(section),
    ...(mid === undefined ? [] : [`a=mid:${mid}`]),
    ...(section.bundleOnly ? ['a=bundle-only'] : []),
    ...extensions.map((one) => `a=extmap:${one.id}${one.direction === undefined ? '' : `/${one.direction}`} ${one.uri}`),
    ...(section.extmapAllowMixed ? ['a=extmap-allow-mixed'] : []),
    ...(direction === undefined ? [] : [`a=${direction}`]),
    ...msids.map((msid) => `a=msid:${msid}`),
    ...(section.rtcpMux ? ['a=rtcp-mux'] : []),
    ...(section.rtcpMuxOnly ? ['a=rtcp-mux-only'] : []),
    ...(section.rtcpReducedSize ? ['a=rtcp-rsize'] : []),
    ...payloadFormats.flatMap(formatLines),
    ...rids.map(({ id, direction: way, parameters }) => `a=rid:${id} ${way}${parameters === undefined ? '' : ` ${parameters}`}`),
    ...simulcastLines(section.simulcast),
    ...sourceLines(section),
    ...candidateLines(section),
  ];
}

/** Writes a session description, lines ending in CRLF (RFC 8866 §5); the address lines hold placeholders, as WebRTC wants. */
export function writeSessionDescription(session: SessionDescription): string {
  const lines = [
    'v=0',
    `o=- ${session.sessionId} ${session.sessionVersion} IN IP4 0.0.0.0`,
    's=-',
    't=0 0',
    ...session.groups.map(({ semantics, mids }) => `a=group:${[semantics, ...mids].join(' ')}`),
    ...(session.iceLite ? ['a=ice-lite'] : []),
    ...(session.extmapAllowMixed ? ['a=extmap-allow-mixed'] : []),
    ...(session.direction === undefined ? [] : [`a=${session.direction}`]),
    ...transportLines(session),
    ...candidateLines(session),
    ...session.media.flatMap(mediaLines),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

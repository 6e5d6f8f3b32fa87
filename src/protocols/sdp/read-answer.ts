import { ProtocolError } from '../../core/mod.ts';
import { codecOf, encodings, rtxFormatOf } from './codecs.ts';
import {
  directionOf,
  extensionIds,
  mirrorDirection,
  type Negotiated,
  type NegotiatedMedia,
  type RejectedMedia,
  type RejectionReason,
  remoteSources,
} from './negotiated.ts';
import { parseSessionDescription } from './parse-session.ts';
import { transportOf } from './remote-transport.ts';
import { badSdp } from './sdp-lines.ts';
import type { SdpMediaSection, SessionDescription } from './session-description.ts';

/** The direction that is left of what we offered and what the answer says, as we see it. */
function agreedDirection(offered: SdpMediaSection, answer: SessionDescription, answered: SdpMediaSection): NegotiatedMedia['direction'] {
  const theirs = mirrorDirection(directionOf(answer, answered));
  if (theirs === 'sendrecv') return offered.direction ?? 'sendrecv';
  return theirs;
}

function readSection(offer: SessionDescription, answer: SessionDescription, sectionIndex: number): NegotiatedMedia | RejectionReason {
  const answered = answer.media[sectionIndex];
  const offered = offer.media[sectionIndex];
  if (answered === undefined || offered === undefined || answered.port === 0) return 'peer';
  if (answered.kind !== offered.kind)
    throw badSdp(`section ${sectionIndex} is ${answered.kind} in the answer, ${offered.kind} in the offer`);
  const direction = agreedDirection(offered, answer, answered);
  if (direction === 'inactive') return 'direction';
  const format = answered.payloadFormats.find((one) => codecOf(one) !== undefined);
  const codec = format === undefined ? undefined : codecOf(format);
  if (format === undefined || codec === undefined || encodings[codec].kind !== answered.kind) return 'no-usable-codec';
  const rtx = rtxFormatOf(answered, format.payloadType);
  const rids = answered.rids.filter((rid) => rid.direction === 'recv').map(({ id }) => id);
  const mid = answered.mid ?? offered.mid;
  return {
    sectionIndex,
    ...(mid === undefined ? {} : { mid }),
    kind: encodings[codec].kind,
    direction,
    codec,
    payloadType: format.payloadType,
    clockRate: format.clockRate,
    ...(format.channels === undefined ? {} : { channels: format.channels }),
    parameters: format.parameters,
    ...(rtx === undefined ? {} : { rtxPayloadType: rtx.payloadType }),
    feedback: format.feedback,
    rtcpReducedSize: answered.rtcpReducedSize,
    extensions: extensionIds(answered.extensions),
    rids,
    sources: remoteSources(answered),
  };
}

/**
 * Reads the answer to an offer of ours: `direction` is ours, `rids` are the layers the peer takes, `dtlsRole` is ours.
 * Throws `sdp.bad`, `sdp.no-usable-codec` (nothing was accepted), `sdp.no-ice`, `sdp.no-fingerprint`.
 */
export function readAnswer(offer: SessionDescription, answerText: string): Negotiated {
  const answer = parseSessionDescription(answerText);
  if (answer.media.length !== offer.media.length) {
    throw badSdp(`the answer has ${answer.media.length} media sections, the offer ${offer.media.length}`);
  }
  const media: NegotiatedMedia[] = [];
  const rejected: RejectedMedia[] = [];
  for (const [sectionIndex, { kind, mid }] of offer.media.entries()) {
    const read = readSection(offer, answer, sectionIndex);
    if (typeof read === 'string') rejected.push({ sectionIndex, kind, reason: read, ...(mid === undefined ? {} : { mid }) });
    else media.push(read);
  }
  const tagged = answer.media[media[0]?.sectionIndex ?? -1];
  if (tagged === undefined) throw new ProtocolError('sdp.no-usable-codec', 'the answer accepts none of the offered media sections');
  // An answerer that says nothing waits for us, as most servers do.
  return { transport: transportOf(answer, tagged, 'passive'), media, rejected };
}

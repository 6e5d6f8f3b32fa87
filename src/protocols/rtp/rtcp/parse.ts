import { bitrateBps, ProtocolError, utf8Decode } from '../../../core/mod.ts';
import { compactNtp, ntpToUnixMs } from './ntp.ts';
import {
  type FullIntraRequest,
  type Goodbye,
  type Nack,
  PacketType,
  PayloadFormat,
  REMB_IDENTIFIER,
  type ReceiverEstimatedMaximumBitrate,
  type ReportBlock,
  type RtcpPacket,
  type SenderReport,
  type SourceDescription,
  type TransportFeedback,
  TransportFormat,
} from './packet.ts';
import { readArrivals } from './transport-feedback.ts';

const HEADER_BYTES = 4;
const REPORT_BLOCK_BYTES = 24;
/** Header and the two SSRCs of every feedback message (RFC 4585 6.1). */
const FEEDBACK_HEADER_BYTES = 12;
const CNAME = 1;
const NO_REPORTS: readonly ReportBlock[] = [];

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2);
const bad = (message: string): ProtocolError => new ProtocolError('rtcp.bad-packet', message);

/**
 * Reads a compound packet (RFC 3550 6.1) or a reduced-size one (RFC 5506). Packets of kinds that Sluice has no use for (APP, XR with its RRTR
 * and DLRR blocks, and unknown ones) are skipped. Bytes are borrowed; nothing of the result shares them.
 * Throws `rtcp.bad-packet` when a length does not fit or a packet of a known kind is broken; then nothing of the compound is to be used.
 */
export function parseRtcp(bytes: Uint8Array): readonly RtcpPacket[] {
  if (bytes.length < HEADER_BYTES) throw bad(`an RTCP packet of ${bytes.length} bytes; its header alone is ${HEADER_BYTES}`);
  const packets: RtcpPacket[] = [];
  for (let at = 0; at < bytes.length; ) {
    const packetEnd = at + HEADER_BYTES + 4 * u16(bytes, at + 2);
    if (bytes.length - at < HEADER_BYTES || packetEnd > bytes.length) {
      throw bad(`the RTCP packet at byte ${at} should end at ${packetEnd}, but there are ${bytes.length} bytes`);
    }
    const first = bytes[at] ?? 0;
    if (first >> 6 !== 2) throw bad(`RTCP version is ${first >> 6}; it must be 2`);
    const end = (first & 0x20) === 0 ? packetEnd : withoutPadding(bytes, at, packetEnd);
    const packet = parsePacket(bytes, at, end);
    if (packet !== undefined) packets.push(packet);
    at = packetEnd;
  }
  return packets;
}

/**
 * Only the last packet of a compound may be padded (RFC 3550 6.4.1). That asks for a multiple of four; browsers count the one to three bytes as
 * padding that fill a transport feedback up to a word (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1).
 */
function withoutPadding(bytes: Uint8Array, start: number, end: number): number {
  const padding = bytes[end - 1] ?? 0;
  if (end !== bytes.length || padding === 0 || end - padding < start + HEADER_BYTES) {
    throw bad(`padding of ${padding} bytes in the RTCP packet at byte ${start}`);
  }
  return end - padding;
}

function parsePacket(bytes: Uint8Array, at: number, end: number): RtcpPacket | undefined {
  const count = (bytes[at] ?? 0) & 31;
  switch (bytes[at + 1]) {
    case PacketType.senderReport:
      return senderReport(bytes, at, end, count);
    case PacketType.receiverReport:
      need(at + 8, end, 'receiver report');
      return { kind: 'receiver-report', ssrc: u32(bytes, at + 4), reports: reportBlocks(bytes, at + 8, end, count) };
    case PacketType.sourceDescription:
      return sourceDescription(bytes, at + HEADER_BYTES, end, count);
    case PacketType.goodbye:
      return goodbye(bytes, at + HEADER_BYTES, end, count);
    case PacketType.transportFeedback:
      return transportLayerFeedback(bytes, at, end, count);
    case PacketType.payloadFeedback:
      return payloadSpecificFeedback(bytes, at, end, count);
    default:
      return undefined;
  }
}

function need(until: number, end: number, what: string): void {
  if (until > end) throw bad(`a ${what} that is ${until - end} bytes too short`);
}

function senderReport(bytes: Uint8Array, at: number, end: number, count: number): SenderReport {
  need(at + 28, end, 'sender report');
  const seconds = u32(bytes, at + 8);
  const fraction = u32(bytes, at + 12);
  return {
    kind: 'sender-report',
    ssrc: u32(bytes, at + 4),
    ntpMs: ntpToUnixMs(seconds, fraction),
    compactNtp: compactNtp(seconds, fraction),
    rtpTimestamp: u32(bytes, at + 16),
    packets: u32(bytes, at + 20),
    octets: u32(bytes, at + 24),
    reports: reportBlocks(bytes, at + 28, end, count),
  };
}

function reportBlocks(bytes: Uint8Array, start: number, end: number, count: number): readonly ReportBlock[] {
  if (count === 0) return NO_REPORTS;
  need(start + count * REPORT_BLOCK_BYTES, end, 'report');
  const reports: ReportBlock[] = [];
  for (let at = start; reports.length < count; at += REPORT_BLOCK_BYTES) {
    reports.push({
      ssrc: u32(bytes, at),
      fractionLost: bytes[at + 4] ?? 0,
      cumulativeLost: (u32(bytes, at + 4) << 8) >> 8,
      highestSequenceNumber: u32(bytes, at + 8),
      jitter: u32(bytes, at + 12),
      lastSenderReport: u32(bytes, at + 16),
      delaySinceLastSenderReport: u32(bytes, at + 20),
    });
  }
  return reports;
}

/** RFC 3550 6.5: each chunk is an SSRC and items, ended by one to four zero bytes up to a multiple of four. */
function sourceDescription(bytes: Uint8Array, start: number, end: number, count: number): SourceDescription {
  const chunks: { ssrc: number; cname: string | undefined }[] = [];
  let at = start;
  while (chunks.length < count) {
    need(at + 4, end, 'source description');
    const chunk: { ssrc: number; cname: string | undefined } = { ssrc: u32(bytes, at), cname: undefined };
    at += 4;
    while (at < end && bytes[at] !== 0) {
      need(at + 2, end, 'source description');
      const itemEnd = at + 2 + (bytes[at + 1] ?? 0);
      need(itemEnd, end, 'source description');
      if (bytes[at] === CNAME) chunk.cname = utf8Decode(bytes.subarray(at + 2, itemEnd));
      at = itemEnd;
    }
    need(at + 1, end, 'source description');
    at = start + (((at - start) >> 2) + 1) * 4;
    chunks.push(chunk);
  }
  return { kind: 'source-description', chunks };
}

function goodbye(bytes: Uint8Array, start: number, end: number, count: number): Goodbye {
  need(start + 4 * count, end, 'goodbye');
  return { kind: 'goodbye', ssrcs: ssrcList(bytes, start, count) };
}

function ssrcList(bytes: Uint8Array, start: number, count: number): readonly number[] {
  const ssrcs: number[] = [];
  for (let index = 0; index < count; index++) ssrcs.push(u32(bytes, start + 4 * index));
  return ssrcs;
}

function transportLayerFeedback(bytes: Uint8Array, at: number, end: number, format: number): Nack | TransportFeedback | undefined {
  need(at + FEEDBACK_HEADER_BYTES, end, 'feedback message');
  const senderSsrc = u32(bytes, at + 4);
  const mediaSsrc = u32(bytes, at + 8);
  const fciAt = at + FEEDBACK_HEADER_BYTES;
  if (format === TransportFormat.nack) return { kind: 'nack', senderSsrc, mediaSsrc, sequenceNumbers: lostPackets(bytes, fciAt, end) };
  if (format !== TransportFormat.transportWide) return undefined;
  const arrivalsUs = readArrivals(bytes.subarray(fciAt, end));
  const baseSequenceNumber = u16(bytes, fciAt);
  return { kind: 'transport-feedback', senderSsrc, mediaSsrc, feedbackCount: bytes[fciAt + 7] ?? 0, baseSequenceNumber, arrivalsUs };
}

/** RFC 4585 6.2.1: a packet id, and a bit for each of the 16 packets behind it. */
function lostPackets(bytes: Uint8Array, start: number, end: number): Uint16Array {
  let count = 0;
  for (let at = start; at + 4 <= end; at += 4) count += 1 + bitCount(u16(bytes, at + 2));
  const sequenceNumbers = new Uint16Array(count);
  let filled = 0;
  for (let at = start; at + 4 <= end; at += 4) {
    const packetId = u16(bytes, at);
    sequenceNumbers[filled++] = packetId;
    const followers = u16(bytes, at + 2);
    for (let bit = 0; bit < 16; bit++) if ((followers & (1 << bit)) !== 0) sequenceNumbers[filled++] = packetId + bit + 1;
  }
  return sequenceNumbers;
}

function bitCount(value: number): number {
  let count = 0;
  for (let left = value; left !== 0; left &= left - 1) count++;
  return count;
}

function payloadSpecificFeedback(bytes: Uint8Array, at: number, end: number, format: number): RtcpPacket | undefined {
  need(at + FEEDBACK_HEADER_BYTES, end, 'feedback message');
  const senderSsrc = u32(bytes, at + 4);
  const fciAt = at + FEEDBACK_HEADER_BYTES;
  switch (format) {
    case PayloadFormat.pli:
      return { kind: 'picture-loss-indication', senderSsrc, mediaSsrc: u32(bytes, at + 8) };
    case PayloadFormat.fir:
      return fullIntraRequest(bytes, fciAt, end, senderSsrc);
    case PayloadFormat.application:
      return remb(bytes, fciAt, end, senderSsrc);
    default:
      return undefined;
  }
}

function fullIntraRequest(bytes: Uint8Array, start: number, end: number, senderSsrc: number): FullIntraRequest {
  const requests: { ssrc: number; sequenceNumber: number }[] = [];
  for (let at = start; at + 8 <= end; at += 8) requests.push({ ssrc: u32(bytes, at), sequenceNumber: bytes[at + 4] ?? 0 });
  return { kind: 'full-intra-request', senderSsrc, requests };
}

/** Application layer feedback of other identifiers is skipped. */
function remb(bytes: Uint8Array, at: number, end: number, senderSsrc: number): ReceiverEstimatedMaximumBitrate | undefined {
  if (at + 8 > end || u32(bytes, at) !== REMB_IDENTIFIER) return undefined;
  const count = bytes[at + 4] ?? 0;
  need(at + 8 + 4 * count, end, 'REMB');
  const exponent = (bytes[at + 5] ?? 0) >> 2;
  const mantissa = ((bytes[at + 5] ?? 0) & 3) * 0x1_0000 + u16(bytes, at + 6);
  return {
    kind: 'receiver-estimated-maximum-bitrate',
    senderSsrc,
    bitrateBps: bitrateBps(mantissa * 2 ** exponent),
    ssrcs: ssrcList(bytes, at + 8, count),
  };
}

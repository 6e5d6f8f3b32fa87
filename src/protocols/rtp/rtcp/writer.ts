import { assert, type BitrateBps, utf8Encode, type WallMs } from '../../../core/mod.ts';
import { ntpFraction, ntpSeconds } from './ntp.ts';
import { PacketType, PayloadFormat, REMB_IDENTIFIER, REPORT_BLOCKS_MAX, type ReportBlock, TransportFormat } from './packet.ts';
import { TransportFeedbackEncoder } from './transport-feedback.ts';

/** No compound is longer: it goes into one datagram, SRTCP's trailer included. */
export const rtcpBytesMax = 1_200;
const CNAME = 1;
const TEXT_BYTES_MAX = 255;
const REMB_MANTISSA_MAX = 0x3_ffff;

/**
 * Writes compound packets into one buffer that is used again and again. Each method appends a packet; `finish` gives the compound.
 * A compound that is not reduced-size (RFC 5506) begins with a report and has a CNAME: the caller sees to that. More than `rtcpBytesMax`
 * bytes are a bug of the caller: lists are cut by whoever makes them. One writer can serve all sessions of a process.
 */
export class RtcpWriter {
  private readonly bytes = new Uint8Array(rtcpBytesMax);
  private readonly view = new DataView(this.bytes.buffer);
  // Made when first needed: few writers write this.
  private encoder: TransportFeedbackEncoder | undefined = undefined;
  private at = 0;
  private packetAt = 0;

  /** Bytes that still fit. */
  get remaining(): number {
    return this.bytes.length - this.at;
  }

  /** The compound; borrowed until the writer is used again. */
  finish(): Uint8Array {
    const compound = this.bytes.subarray(0, this.at);
    this.at = 0;
    return compound;
  }

  /** SR (RFC 3550 6.4.1) of `ssrc`: `rtpTimestamp` (modulo 2^32) is the instant `ntpNow`, Unix ms. Counters are taken modulo 2^32. */
  senderReport(
    ssrc: number,
    ntpNow: WallMs,
    rtpTimestamp: number,
    packets: number,
    octets: number,
    reports: readonly ReportBlock[] = [],
  ): this {
    this.begin(PacketType.senderReport, reports.length);
    this.u32(ssrc);
    this.u32(ntpSeconds(ntpNow));
    this.u32(ntpFraction(ntpNow));
    this.u32(rtpTimestamp);
    this.u32(packets);
    this.u32(octets);
    this.reportBlocks(reports);
    return this.end();
  }

  /** RR (RFC 3550 6.4.2) by `ssrc`, of at most 31 blocks. */
  receiverReport(ssrc: number, reports: readonly ReportBlock[]): this {
    this.begin(PacketType.receiverReport, reports.length);
    this.u32(ssrc);
    this.reportBlocks(reports);
    return this.end();
  }

  /** SDES with a CNAME (RFC 3550 6.5.1). */
  sourceDescription(ssrc: number, cname: string): this {
    const text = utf8Encode(cname);
    assert(text.length <= TEXT_BYTES_MAX, `a CNAME of ${text.length} bytes; at most ${TEXT_BYTES_MAX} can be written`);
    this.begin(PacketType.sourceDescription, 1);
    this.u32(ssrc);
    this.u8(CNAME);
    this.u8(text.length);
    this.put(text);
    // At least one zero byte ends the items.
    this.u8(0);
    return this.end();
  }

  /** BYE (RFC 3550 6.6) of at most 31 sources. */
  goodbye(ssrcs: readonly number[]): this {
    this.begin(PacketType.goodbye, ssrcs.length);
    for (const ssrc of ssrcs) this.u32(ssrc);
    return this.end();
  }

  /** Generic NACK (RFC 4585 6.2.1); ascending sequence numbers (16 bits, wrap included) take the least space. */
  nack(senderSsrc: number, mediaSsrc: number, sequenceNumbers: ArrayLike<number>): this {
    this.beginFeedback(PacketType.transportFeedback, TransportFormat.nack, senderSsrc, mediaSsrc);
    for (let index = 0; index < sequenceNumbers.length; ) {
      const packetId = sequenceNumbers[index++] as number;
      let followers = 0;
      for (; index < sequenceNumbers.length; index++) {
        const distance = ((sequenceNumbers[index] as number) - packetId - 1) & 0xffff;
        if (distance > 15) break;
        followers |= 1 << distance;
      }
      this.u16(packetId);
      this.u16(followers);
    }
    return this.end();
  }

  /** PLI (RFC 4585 6.3.1). */
  pictureLossIndication(senderSsrc: number, mediaSsrc: number): this {
    this.beginFeedback(PacketType.payloadFeedback, PayloadFormat.pli, senderSsrc, mediaSsrc);
    return this.end();
  }

  /** FIR (RFC 5104 4.3.1); `sequenceNumber` (8 bits) grows by one for each new request. */
  fullIntraRequest(senderSsrc: number, ssrc: number, sequenceNumber: number): this {
    // The media source of the header is 0: the entry names the stream.
    this.beginFeedback(PacketType.payloadFeedback, PayloadFormat.fir, senderSsrc, 0);
    this.u32(ssrc);
    this.u32(sequenceNumber << 24);
    return this.end();
  }

  /** REMB (draft-alvestrand-rmcat-remb-03) for at most 255 streams; rounded down to 18 significant bits. */
  remb(senderSsrc: number, bitrate: BitrateBps, ssrcs: readonly number[]): this {
    this.beginFeedback(PacketType.payloadFeedback, PayloadFormat.application, senderSsrc, 0);
    let mantissa = Math.max(0, Math.floor(bitrate));
    let exponent = 0;
    for (; mantissa > REMB_MANTISSA_MAX; exponent++) mantissa = Math.floor(mantissa / 2);
    this.u32(REMB_IDENTIFIER);
    this.u8(ssrcs.length);
    this.u8((exponent << 2) | (mantissa >> 16));
    this.u16(mantissa & 0xffff);
    for (const ssrc of ssrcs) this.u32(ssrc);
    return this.end();
  }

  /**
   * Transport-wide feedback about `arrivalsUs[0..count)`, see `TransportFeedback`. Returns about how many packets it speaks: fewer than
   * `count` when they do not fit into one feedback, and 0, with nothing written, when none of them was received.
   */
  transportFeedback(
    senderSsrc: number,
    mediaSsrc: number,
    feedbackCount: number,
    baseSequenceNumber: number,
    arrivalsUs: Float64Array,
    count: number,
  ): number {
    const start = this.at;
    this.beginFeedback(PacketType.transportFeedback, TransportFormat.transportWide, senderSsrc, mediaSsrc);
    // Room for the alignment stays.
    this.encoder ??= new TransportFeedbackEncoder();
    const written = this.encoder.write(this, baseSequenceNumber, feedbackCount, arrivalsUs, count, this.remaining - 3);
    if (written === 0) this.at = start;
    else this.end();
    return written;
  }

  /** Appends a byte to the packet that is being written; for the encoders of this room. */
  u8(value: number): void {
    this.view.setUint8(this.room(1), value);
  }

  /** Appends 16 bits, see `u8`. */
  u16(value: number): void {
    this.view.setUint16(this.room(2), value);
  }

  private u32(value: number): void {
    this.view.setUint32(this.room(4), value);
  }

  private put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.room(bytes.length));
  }

  private room(length: number): number {
    const start = this.at;
    assert(start + length <= this.bytes.length, `an RTCP compound grows beyond ${this.bytes.length} bytes`);
    this.at = start + length;
    return start;
  }

  private begin(packetType: number, count: number): void {
    assert(count <= REPORT_BLOCKS_MAX, `${count} blocks in one RTCP packet; there is room for ${REPORT_BLOCKS_MAX}`);
    this.packetAt = this.at;
    this.u8(0x80 | count);
    this.u8(packetType);
    this.u16(0);
  }

  private beginFeedback(packetType: number, format: number, senderSsrc: number, mediaSsrc: number): void {
    this.begin(packetType, format);
    this.u32(senderSsrc);
    this.u32(mediaSsrc);
  }

  /** Aligns the packet with zeros and writes its length. */
  private end(): this {
    while ((this.at & 3) !== 0) this.u8(0);
    this.view.setUint16(this.packetAt + 2, (this.at - this.packetAt) / 4 - 1);
    return this;
  }

  private reportBlocks(reports: readonly ReportBlock[]): void {
    for (const report of reports) {
      this.u32(report.ssrc);
      this.u32((report.fractionLost << 24) | (report.cumulativeLost & 0xff_ffff));
      this.u32(report.highestSequenceNumber);
      this.u32(report.jitter);
      this.u32(report.lastSenderReport);
      this.u32(report.delaySinceLastSenderReport);
    }
  }
}

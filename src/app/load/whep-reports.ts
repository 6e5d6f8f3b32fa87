import { type MonotonicMs, ProtocolError } from '../../core/mod.ts';
import type { ReceiverCounts } from '../../io/mod.ts';
import { parseRtcp, type ReportBlock, RtcpWriter } from '../../protocols/rtp/mod.ts';

const UNITS_PER_MS = 65.536;
const CUMULATIVE_MAX = 0x7f_ffff;
const CNAME = 'sluice-load';

// Shared by all viewers: used only within a call.
const writer = new RtcpWriter();

interface Reported {
  compactNtp: number;
  reportedAt: MonotonicMs;
  expected: number;
  lost: number;
}

/** A viewer's receiver reports, written from what the kernel counted. */
export class WhepReports {
  private readonly out: (compound: Uint8Array) => void;
  private readonly ssrc: number;
  private readonly payloadTypes: ReadonlySet<number>;
  private readonly sources = new Map<number, Reported>();

  /** `payloadTypes`: of the media; retransmissions are not reported, for they would hide the loss. */
  constructor(out: (compound: Uint8Array) => void, ssrc: number, payloadTypes: ReadonlySet<number>) {
    this.out = out;
    this.ssrc = ssrc;
    this.payloadTypes = payloadTypes;
  }

  isMedia(payloadType: number): boolean {
    return this.payloadTypes.has(payloadType);
  }

  /** RTCP of the server; borrowed. True when it says goodbye. */
  receive(bytes: Uint8Array, now: MonotonicMs): boolean {
    let isGoodbye = false;
    try {
      for (const packet of parseRtcp(bytes)) {
        if (packet.kind === 'sender-report') Object.assign(this.source(packet.ssrc), { compactNtp: packet.compactNtp, reportedAt: now });
        isGoodbye ||= packet.kind === 'goodbye';
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    return isGoodbye;
  }

  /** RR and SDES about `streams`, and a PLI about `keyframeOf` where one is wanted. */
  send(streams: readonly ReceiverCounts[], now: MonotonicMs, keyframeOf: number | undefined): void {
    const blocks = streams.filter(({ payloadType }) => this.isMedia(payloadType)).map((counts) => this.block(counts, now));
    writer.receiverReport(this.ssrc, blocks).sourceDescription(this.ssrc, CNAME);
    if (keyframeOf !== undefined) writer.pictureLossIndication(this.ssrc, keyframeOf);
    this.out(writer.finish());
  }

  private block({ ssrc, packets, lost, highestSequenceNumber, jitter }: ReceiverCounts, now: MonotonicMs): ReportBlock {
    const source = this.source(ssrc);
    const expected = packets + lost;
    const lostNow = Math.max(0, lost - source.lost);
    const expectedNow = expected - source.expected;
    source.expected = expected;
    source.lost = lost;
    return {
      ssrc,
      fractionLost: expectedNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      cumulativeLost: Math.min(CUMULATIVE_MAX, lost),
      highestSequenceNumber: highestSequenceNumber % 2 ** 32,
      jitter: Math.floor(jitter),
      lastSenderReport: source.compactNtp,
      delaySinceLastSenderReport: source.compactNtp === 0 ? 0 : Math.round((now - source.reportedAt) * UNITS_PER_MS),
    };
  }

  private source(ssrc: number): Reported {
    const known = this.sources.get(ssrc);
    if (known !== undefined) return known;
    const source: Reported = { compactNtp: 0, reportedAt: 0 as MonotonicMs, expected: 0, lost: 0 };
    this.sources.set(ssrc, source);
    return source;
  }
}

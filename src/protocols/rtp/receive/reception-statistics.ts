import type { MonotonicMs } from '../../../core/mod.ts';
import type { ReportBlock, SenderReport } from '../rtcp/packet.ts';
import type { SequenceNumbers } from './sequence-numbers.ts';

const CUMULATIVE_MAX = 0x7f_ffff;
const CUMULATIVE_MIN = -0x80_0000;
const UNITS_PER_MS = 65.536;

/** Counts what report blocks say about one stream (RFC 3550 A.3 and A.8). Packets by RTX are not counted: they would hide the loss. */
export class ReceptionStatistics {
  private readonly clockRate: number;
  private received = 0;
  private expectedPrior = 0;
  private receivedPrior = 0;
  private transit: number | undefined = undefined;
  private jitterTicks = 0;
  private lastReport: { readonly compactNtp: number; readonly at: MonotonicMs } | undefined = undefined;

  constructor(clockRate: number) {
    this.clockRate = clockRate;
  }

  /** Interarrival jitter in ticks of the RTP clock, with fraction. */
  get jitter(): number {
    return this.jitterTicks;
  }

  /** The sender started anew: earlier counts say nothing about it. */
  restart(): void {
    this.received = 0;
    this.expectedPrior = 0;
    this.receivedPrior = 0;
    this.transit = undefined;
  }

  /** Counts a packet, duplicates and late ones too (A.3). */
  packet(timestamp: number, now: MonotonicMs): void {
    this.received++;
    const arrival = Math.round((now * this.clockRate) / 1000);
    const transit = (arrival - timestamp) | 0;
    if (this.transit !== undefined) {
      const difference = Math.abs((transit - this.transit) | 0);
      // A clock that leaps is no jitter of the network.
      if (difference < this.clockRate * 10) this.jitterTicks += (difference - this.jitterTicks) / 16;
    }
    this.transit = transit;
  }

  senderReport(report: SenderReport, now: MonotonicMs): void {
    this.lastReport = { compactNtp: report.compactNtp, at: now };
  }

  /** Packets expected less those received, since the start; negative with duplicates. */
  cumulativeLost(sequence: SequenceNumbers): number {
    return sequence.highest < 0 ? 0 : sequence.highest - sequence.first + 1 - this.received;
  }

  /** The block for the next report; the fraction lost counts from the block before. */
  reportBlock(ssrc: number, sequence: SequenceNumbers, now: MonotonicMs): ReportBlock {
    const expected = sequence.highest < 0 ? 0 : sequence.highest - sequence.first + 1;
    const expectedInterval = expected - this.expectedPrior;
    const lostInterval = expectedInterval - (this.received - this.receivedPrior);
    this.expectedPrior = expected;
    this.receivedPrior = this.received;
    const fraction = expectedInterval <= 0 || lostInterval <= 0 ? 0 : Math.floor((lostInterval * 256) / expectedInterval);
    return {
      ssrc,
      fractionLost: Math.min(255, fraction),
      cumulativeLost: Math.max(CUMULATIVE_MIN, Math.min(CUMULATIVE_MAX, expected - this.received)),
      // The cycle that the first number is given stays out of it.
      highestSequenceNumber: Math.max(0, sequence.highest - 0x1_0000) % 2 ** 32,
      jitter: Math.floor(this.jitterTicks),
      lastSenderReport: this.lastReport?.compactNtp ?? 0,
      delaySinceLastSenderReport: this.lastReport === undefined ? 0 : Math.round((now - this.lastReport.at) * UNITS_PER_MS),
    };
  }
}

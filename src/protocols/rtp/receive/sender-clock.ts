import { type WallMs, wallMs } from '../../../core/mod.ts';
import type { SenderReport } from '../rtcp/packet.ts';

/** What the sender reports of one stream say about its RTP clock: which RTP timestamp was at which wall time (RFC 3550 6.4.1). */
export class SenderClock {
  private readonly clockRate: number;
  private ntpMs: number = Number.NaN;
  private rtpTimestamp = 0;

  constructor(clockRate: number) {
    this.clockRate = clockRate;
  }

  /** Whether a report with a wall time has come. */
  get isKnown(): boolean {
    return !Number.isNaN(this.ntpMs);
  }

  /** Reports of senders without a wall clock leave everything as it is. */
  senderReport(report: SenderReport): void {
    if (Number.isNaN(report.ntpMs)) return;
    this.ntpMs = report.ntpMs;
    this.rtpTimestamp = report.rtpTimestamp;
  }

  /** The Unix time, on the sender's clock, of an RTP timestamp (32 bits or unwrapped) within 2^31 ticks of the last report; NaN before one. */
  toWallMs(rtpTimestamp: number): WallMs {
    return wallMs(this.ntpMs + (((rtpTimestamp - this.rtpTimestamp) | 0) * 1000) / this.clockRate);
  }
}

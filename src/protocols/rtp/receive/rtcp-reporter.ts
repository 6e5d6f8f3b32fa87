import { type BitrateBps, type DurationMs, durationMs, type MonotonicMs, monotonicMs } from '../../../core/mod.ts';
import { REPORT_BLOCKS_MAX, type ReportBlock } from '../rtcp/packet.ts';
import type { RtcpWriter } from '../rtcp/writer.ts';
import type { RtcpSink } from './twcc-receiver.ts';

/** A stream that reports are written about; `RtpReceiver` is one. */
export interface ReportedStream {
  readonly ssrc: number;
  reportBlock(now: MonotonicMs): ReportBlock | undefined;
}

/** How a session reports. */
export interface RtcpReporterOptions {
  /** Our SSRC. */
  readonly localSsrc: number;
  readonly cname: string;
  /** Default 1 s. */
  readonly intervalMs?: DurationMs;
  /** Sent as REMB with each report: the most the publisher may send. Only where transport-cc was not negotiated. */
  readonly rembBps?: BitrateBps;
}

/** Writes a session's periodic compound of RR, SDES and, if asked to, REMB (RFC 3550 6.1). */
export class RtcpReporter {
  private readonly out: RtcpSink;
  private readonly writer: RtcpWriter;
  private readonly options: RtcpReporterOptions;
  private readonly intervalMs: DurationMs;
  private reportAt: MonotonicMs;
  /** Where the next report begins when there are more streams than one can hold. */
  private turn = 0;

  /** The writer may be shared with everybody who finishes what he begins. The first report is due one interval after `now`. */
  constructor(out: RtcpSink, writer: RtcpWriter, options: RtcpReporterOptions, now: MonotonicMs) {
    this.out = out;
    this.writer = writer;
    this.options = options;
    this.intervalMs = options.intervalMs ?? durationMs(1_000);
    this.reportAt = monotonicMs(now + this.intervalMs);
  }

  get wakeAt(): MonotonicMs {
    return this.reportAt;
  }

  /** Sends a report about `streams` when one is due. */
  tick(streams: readonly ReportedStream[], now: MonotonicMs): void {
    if (now < this.reportAt) return;
    this.reportAt = monotonicMs(now + this.intervalMs);
    const { localSsrc, cname, rembBps } = this.options;
    const reports: ReportBlock[] = [];
    const ssrcs: number[] = [];
    for (let count = Math.min(streams.length, REPORT_BLOCKS_MAX); count > 0; count--) {
      const stream = streams[this.turn++ % streams.length];
      const block = stream?.reportBlock(now);
      if (stream === undefined || block === undefined) continue;
      reports.push(block);
      ssrcs.push(stream.ssrc);
    }
    this.writer.receiverReport(localSsrc, reports).sourceDescription(localSsrc, cname);
    if (rembBps !== undefined && ssrcs.length > 0) this.writer.remb(localSsrc, rembBps, ssrcs);
    this.out.rtcp(this.writer.finish());
  }
}

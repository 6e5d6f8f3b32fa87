import type { IceLiteCounters } from '../../protocols/ice/mod.ts';
import type { HistogramValue } from '../latency-histogram.ts';
import type { KernelStats } from './kernel.ts';
import type { MediaCounts } from './media-totals.ts';

/** Counters and gauges, for metrics. */
export interface WebrtcStats {
  readonly publishers: number;
  readonly viewers: number;
  readonly tcpConnections: number;
  /** How sessions ended, by code. */
  readonly endedByCode: ReadonlyMap<string, number>;
  readonly kernel: KernelStats;
  /** From a frame's arrival to its last packet to the last viewer who keeps up: of the last 512 frames, and of all. */
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly latency: HistogramValue;
  readonly media: MediaCounts;
  readonly ice: IceLiteCounters;
}

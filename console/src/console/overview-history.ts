/** What the charts show of one moment. */
export interface HistorySample {
  /** Unix seconds. */
  readonly atS: number;
  readonly viewers: number;
  readonly inBps: number;
  readonly outBps: number;
}

/** Columns as the charts take them: times, then one list for each line. */
export type HistoryColumns = readonly [times: readonly number[], ...lines: (readonly number[])[]];

/** The last minutes, kept while the page is open; the oldest samples go. */
export class OverviewHistory {
  private readonly spanS: number;
  private readonly samples: HistorySample[] = [];

  constructor(spanS: number) {
    this.spanS = spanS;
  }

  /** A sample that is not newer than the last one is left out. */
  add(sample: HistorySample): void {
    const last = this.samples.at(-1);
    if (last !== undefined && sample.atS <= last.atS) return;
    this.samples.push(sample);
    while ((this.samples[0]?.atS ?? sample.atS) < sample.atS - this.spanS) this.samples.shift();
  }

  get viewers(): HistoryColumns {
    return [this.samples.map(({ atS }) => atS), this.samples.map(({ viewers }) => viewers)];
  }

  get media(): HistoryColumns {
    return [this.samples.map(({ atS }) => atS), this.samples.map(({ inBps }) => inBps), this.samples.map(({ outBps }) => outBps)];
  }
}

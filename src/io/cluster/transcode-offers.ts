import type { TranscodeOffer } from '../../cluster/mod.ts';
import { MeasuredCosts, type TaskShape } from '../../transcode/mod.ts';
import type { TranscodingReport } from '../transcode/mod.ts';

export interface TranscodeOffersOptions {
  readonly report: () => Pick<TranscodingReport, 'tasksMax' | 'encoders' | 'streams'>;
  /** That the process may use. */
  readonly cores: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

interface Sample {
  readonly at: number;
  readonly cpuS: number;
  /** What was being made. */
  readonly rungs: string;
}

/** Shorter spans say little: encoders work in bursts. */
const SAMPLE_EACH_MS = 5_000;

/** What this node can make for others, with what rungs were seen to cost here. */
export class TranscodeOffers {
  private readonly options: TranscodeOffersOptions;
  private readonly costs = new MeasuredCosts();
  private samples = new Map<string, Sample>();
  private sampleAt = 0;

  constructor(options: TranscodeOffersOptions) {
    this.options = options;
  }

  offer(): TranscodeOffer {
    const report = this.options.report();
    const now = this.options.now();
    if (now >= this.sampleAt) {
      this.sampleAt = now + SAMPLE_EACH_MS;
      this.sample(report.streams, now);
    }
    const hardware = report.encoders.filter(({ available, kind }) => available && kind !== 'software');
    return {
      tasksMax: report.tasksMax,
      cpuMax: this.options.cores,
      costs: Object.fromEntries(this.costs.byShape),
      hardwareCodecs: [...new Set(hardware.map(({ codec }) => codec))],
    };
  }

  /** Of each stream's children: what they used since the last time, where they made the same then. */
  private sample(streams: TranscodingReport['streams'], now: number): void {
    const samples = new Map<string, Sample>();
    for (const { stream, rungs, child } of streams) {
      if (child.stats === undefined) continue;
      const made = rungs.filter(({ condition, by }) => condition === 'running' && by === undefined).map(({ planned }) => planned);
      const next = { at: now, cpuS: child.stats.cpuS, rungs: made.map(({ rung }) => rung.name).join('\n') };
      const before = this.samples.get(stream);
      if (before !== undefined && before.rungs === next.rungs && next.cpuS >= before.cpuS) {
        this.costs.took(made.map(shapeOf), ((next.cpuS - before.cpuS) * 1000) / (now - before.at));
      }
      samples.set(stream, next);
    }
    this.samples = samples;
  }
}

type Planned = TranscodingReport['streams'][number]['rungs'][number]['planned'];

const shapeOf = ({ rung, expected }: Planned): TaskShape => ({
  kind: rung.kind,
  codec: rung.codec,
  width: expected.width ?? 0,
  height: expected.height ?? 0,
  frameRate: expected.frameRate ?? 0,
});

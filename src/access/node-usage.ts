import type { MonotonicMs } from '../core/mod.ts';
import { type AppFigures, NO_FIGURES } from './app-figures.ts';
import type { MonthCounters } from './month-record.ts';

/** What an app has on this node, as it is measured each second. */
export interface AppSample {
  readonly streams: number;
  readonly viewers: number;
  readonly bitrateInBps: number;
  readonly newestStreamMs: number;
  /** Rungs that are being made. */
  readonly tasks: number;
  /** Streams that are being recorded. */
  readonly recordings: number;
  /** From publishers since the sample before. */
  readonly bytesIn: number;
  /** To viewers since the start of the process. */
  readonly bytesOutTotal: number;
}

export const NO_SAMPLE: AppSample = {
  streams: 0,
  viewers: 0,
  bitrateInBps: 0,
  newestStreamMs: 0,
  tasks: 0,
  recordings: 0,
  bytesIn: 0,
  bytesOutTotal: 0,
};

/** What goes out is averaged over so many samples. */
const WINDOW_SAMPLES = 4;
/** A process that stood still does not count what it did not do. */
const ELAPSED_MS_MAX = 10_000;

interface AppState {
  readonly figures: AppFigures;
  /** The newest last. */
  readonly points: readonly { readonly at: MonotonicMs; readonly bytesOutTotal: number }[];
}

/** Makes figures and counters of the samples of this node. */
export class NodeUsage {
  private apps = new Map<string, AppState>();
  private sampledAt: MonotonicMs | undefined = undefined;

  /** `samples`: of all apps that have anything here, or had since the start. Returns what is to be added to the month. */
  sample(samples: ReadonlyMap<string, AppSample>, now: MonotonicMs): ReadonlyMap<string, MonthCounters> {
    const elapsedMs = this.sampledAt === undefined ? 0 : Math.min(ELAPSED_MS_MAX, Math.max(0, now - this.sampledAt));
    this.sampledAt = now;
    const counters = new Map<string, MonthCounters>();
    const apps = new Map<string, AppState>();
    for (const [app, sample] of samples) {
      const before = this.apps.get(app);
      const last = before?.points.at(-1);
      // What went out before the first sample of an app is its own, as it begins with nothing.
      const bytesOut = Math.max(0, sample.bytesOutTotal - (last?.bytesOutTotal ?? 0));
      counters.set(app, {
        transcodeMs: sample.tasks * elapsedMs,
        recordingMs: sample.recordings * elapsedMs,
        bytesIn: sample.bytesIn,
        bytesOut,
        viewerMs: sample.viewers * elapsedMs,
      });
      apps.set(app, stateOf(sample, before, now));
    }
    this.apps = apps;
    return counters;
  }

  /** An app, as it was sampled last; what goes out is averaged over the last seconds. */
  figuresOf(app: string): AppFigures {
    return this.apps.get(app)?.figures ?? NO_FIGURES;
  }

  /** All apps, as they were sampled last. */
  figures(): readonly (readonly [string, AppFigures])[] {
    return Array.from(this.apps, ([app, { figures }]) => [app, figures]);
  }
}

function stateOf(sample: AppSample, before: AppState | undefined, now: MonotonicMs): AppState {
  const { streams, viewers, bitrateInBps, newestStreamMs, bytesOutTotal } = sample;
  const points = [...(before?.points ?? []), { at: now, bytesOutTotal }].slice(-WINDOW_SAMPLES - 1);
  const [first] = points;
  const overMs = first === undefined ? 0 : now - first.at;
  const bytes = first === undefined ? 0 : Math.max(0, bytesOutTotal - first.bytesOutTotal);
  const bitrateOutBps = overMs <= 0 ? 0 : (bytes * 8000) / overMs;
  return { figures: { streams, viewers, bitrateInBps, bitrateOutBps, newestStreamMs }, points };
}

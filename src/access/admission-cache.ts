import type { MonotonicMs } from '../core/mod.ts';
import type { HookVerdict } from './hook-answer.ts';

interface Kept {
  readonly verdict: HookVerdict;
  readonly until: MonotonicMs;
}

/** What hooks have said of viewers, for a while. Past `entriesMax`, what was not asked for the longest is forgotten. */
export class AdmissionCache {
  private readonly entriesMax: number;
  // In the order in which they were asked for.
  private readonly entries = new Map<string, Kept>();

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string, now: MonotonicMs): HookVerdict | undefined {
    const kept = this.entries.get(key);
    if (kept === undefined) return undefined;
    this.entries.delete(key);
    if (now >= kept.until) return undefined;
    this.entries.set(key, kept);
    return kept.verdict;
  }

  set(key: string, verdict: HookVerdict, until: MonotonicMs): void {
    this.entries.delete(key);
    this.entries.set(key, { verdict, until });
    if (this.entries.size <= this.entriesMax) return;
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      break;
    }
  }
}

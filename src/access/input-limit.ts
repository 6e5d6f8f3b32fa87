import type { MonotonicMs } from '../core/mod.ts';

/** What publishes into an app that has a limit for it. */
export interface AppInput {
  readonly app: string;
  readonly limitBps: number;
  /** Of all nodes. */
  readonly totalBps: number;
  /** When the newest stream of all other nodes began, by the wall clock; 0 without any. */
  readonly othersNewestMs: number;
  /** Those that are published here. */
  readonly own: readonly { readonly path: string; readonly startedMs: number }[];
}

/** How long an app may be over its limit: encoders have peaks. */
const OVER_MS_MAX = 5_000;
/** How long the publisher that was ended is kept out, as encoders come back by themselves. */
const KEPT_OUT_MS = 30_000;
const KEPT_OUT_MAX = 1_000;

/**
 * Ends publishers of apps that send more than they may for longer than five seconds: the one whose stream began last, and after five seconds more the next.
 * Every node judges alike, and ends what is its own.
 */
export class InputLimit {
  private readonly overSince = new Map<string, MonotonicMs>();
  private readonly keptOut = new Map<string, number>();

  /** All apps with a limit that have a stream here. Returns the streams that are to end. */
  judge(apps: readonly AppInput[], now: MonotonicMs): readonly string[] {
    const over = apps.filter(({ totalBps, limitBps }) => totalBps > limitBps);
    const names = new Set(over.map(({ app }) => app));
    for (const app of this.overSince.keys()) if (!names.has(app)) this.overSince.delete(app);
    for (const [path, until] of this.keptOut) if (now >= until) this.keptOut.delete(path);
    return over.flatMap((input) => this.judgeOver(input, now) ?? []);
  }

  /** Whether the stream was ended a moment ago. */
  wasTooMuch(path: string, now: MonotonicMs): boolean {
    return now < (this.keptOut.get(path) ?? Number.NEGATIVE_INFINITY);
  }

  private judgeOver({ app, own, othersNewestMs }: AppInput, now: MonotonicMs): string | undefined {
    const since = this.overSince.get(app);
    if (since === undefined) this.overSince.set(app, now);
    if (since === undefined || now - since <= OVER_MS_MAX) return undefined;
    const newest = own.reduce<AppInput['own'][number] | undefined>(
      (best, stream) => (best === undefined || stream.startedMs > best.startedMs ? stream : best),
      undefined,
    );
    this.overSince.set(app, now);
    if (newest === undefined || newest.startedMs < othersNewestMs) return undefined;
    if (this.keptOut.size < KEPT_OUT_MAX) this.keptOut.set(newest.path, now + KEPT_OUT_MS);
    return newest.path;
  }
}

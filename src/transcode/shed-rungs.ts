import { type MonotonicMs, monotonicMs } from '../core/mod.ts';
import type { PlannedRung } from './ladder.ts';

/** A rung that was left out is tried again after so long, and after twice as long each further time. */
const RETRY_MIN_MS = 60_000;
const RETRY_MAX_MS = 600_000;
const PIXELS_COST: Readonly<Record<string, number>> = { h264: 1, vp8: 1.5, vp9: 3, hevc: 3, av1: 3 };
const PRESET_COST: Readonly<Record<string, number>> = { ultrafast: 0.5, superfast: 0.7, veryfast: 1, faster: 1.6, fast: 2, medium: 2.5 };
const ASSUMED_FRAME_RATE = 30;

interface Shed {
  readonly reason: string;
  readonly until: MonotonicMs;
}

/** The rungs that are wanted but not made, since the machine is too slow for them or their encoder failed. */
export class ShedRungs {
  private readonly shed = new Map<string, Shed>();
  private readonly times = new Map<string, number>();

  has(name: string): boolean {
    return this.shed.has(name);
  }

  /** By name, with the reason. */
  get reasons(): ReadonlyMap<string, string> {
    return new Map([...this.shed].map(([name, { reason }]) => [name, reason]));
  }

  get retryAt(): MonotonicMs | undefined {
    const times = [...this.shed.values()].map(({ until }) => until);
    return times.length === 0 ? undefined : monotonicMs(Math.min(...times));
  }

  add(name: string, reason: string, now: MonotonicMs): void {
    const times = this.times.get(name) ?? 0;
    this.times.set(name, times + 1);
    this.shed.set(name, { reason, until: monotonicMs(now + Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(times, 16))) });
  }

  /** Takes back one rung whose time has come, and says whether there was one. */
  takeBack(now: MonotonicMs): boolean {
    for (const [name, { until }] of this.shed) {
      if (now >= until) return this.shed.delete(name);
    }
    return false;
  }

  clear(): void {
    this.shed.clear();
    this.times.clear();
  }
}

/** The rung to leave out first; undefined when there are not at least two with pictures. */
export function mostExpensive(rungs: readonly PlannedRung[]): PlannedRung | undefined {
  const pictures = rungs.filter(({ rung }) => rung.kind === 'video');
  return pictures.length < 2 ? undefined : pictures.reduce((most, rung) => (costOf(rung) > costOf(most) ? rung : most));
}

function costOf({ rung, expected }: PlannedRung): number {
  if (rung.kind === 'audio') return 0;
  const pixelRate = (expected.width ?? 0) * (expected.height ?? 0) * (expected.frameRate ?? ASSUMED_FRAME_RATE);
  return pixelRate * (PIXELS_COST[rung.codec] ?? 1) * (PRESET_COST[rung.preset] ?? 1);
}

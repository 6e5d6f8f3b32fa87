import { type MonotonicMs, monotonicMs } from '../core/mod.ts';

/** `idle`: not made. `wanted`: made, for viewers or always. `lingering`: made still, though the last viewer left. */
export type RungState = 'idle' | 'wanted' | 'lingering';

export interface RungLifeOutput {
  /** The rung is to be made from now on, or no longer. Never twice the same. */
  wantedChanged(isWanted: boolean): void;
}

export interface RungLifeOptions {
  readonly isAlways: boolean;
  readonly lingerMs: number;
}

/**
 * When a rung on demand is made: while it has viewers, and a while longer, so that a player that comes back or changes its mind finds it
 * running. Whether it then gets a task is for {@link allocateTasks} to say.
 */
export class RungLife {
  private readonly out: RungLifeOutput;
  private options: RungLifeOptions;
  private viewerCount = 0;
  private lingersUntil: MonotonicMs | undefined = undefined;
  private wasWanted = false;

  constructor(out: RungLifeOutput, options: RungLifeOptions) {
    this.out = out;
    this.options = options;
  }

  get state(): RungState {
    if (this.options.isAlways || this.viewerCount > 0) return 'wanted';
    return this.lingersUntil === undefined ? 'idle' : 'lingering';
  }

  get viewers(): number {
    return this.viewerCount;
  }

  /** When `tick` is to be called. */
  get wakeAt(): MonotonicMs | undefined {
    return this.lingersUntil;
  }

  /** From now on it lives by other rules. */
  become(options: RungLifeOptions, now: MonotonicMs): void {
    this.options = options;
    this.viewersAre(this.viewerCount, now);
  }

  /** How many viewers are attached now. Also called once at the start, which sets off a rung that always runs. */
  viewersAre(count: number, now: MonotonicMs): void {
    const had = this.viewerCount;
    this.viewerCount = Math.max(0, count);
    if (this.viewerCount > 0 || this.options.isAlways) this.lingersUntil = undefined;
    else if (had > 0) this.lingersUntil = monotonicMs(now + this.options.lingerMs);
    this.tick(now);
  }

  tick(now: MonotonicMs): void {
    if (this.lingersUntil !== undefined && now >= this.lingersUntil) this.lingersUntil = undefined;
    const isWanted = this.state !== 'idle';
    if (isWanted === this.wasWanted) return;
    this.wasWanted = isWanted;
    this.out.wantedChanged(isWanted);
  }
}

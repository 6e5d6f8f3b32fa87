type Action = () => void;

/** Must be a power of two. */
const WHEEL_MS = 16_384;
const MASK = WHEEL_MS - 1;

/** Virtual time in whole milliseconds: what is due at the same one happens in the order in which it was asked for. */
export class Agenda {
  private nowMs = 0;
  private readonly wheel: (Action[] | undefined)[] = Array.from({ length: WHEEL_MS });
  private far: { readonly at: number; readonly run: Action }[] = [];

  get now(): number {
    return this.nowMs;
  }

  after(ms: number, run: Action): void {
    const at = this.nowMs + Math.max(0, Math.round(ms));
    if (at - this.nowMs >= WHEEL_MS) this.far.push({ at, run });
    else this.put(at, run);
  }

  /** Runs all that is due until and at `end`. */
  runUntil(end: number): void {
    while (this.nowMs <= end) {
      const bucket = this.wheel[this.nowMs & MASK];
      if (bucket !== undefined) {
        // What is asked for at once is due in the same millisecond, and lands at the end of this very list.
        for (let at = 0; at < bucket.length; at++) bucket[at]?.();
        this.wheel[this.nowMs & MASK] = undefined;
      }
      this.nowMs += 1;
      if ((this.nowMs & (MASK >> 1)) === 0) this.bringNear();
    }
  }

  private put(at: number, run: Action): void {
    const bucket = this.wheel[at & MASK];
    if (bucket === undefined) this.wheel[at & MASK] = [run];
    else bucket.push(run);
  }

  private bringNear(): void {
    const { far } = this;
    this.far = [];
    for (const each of far) {
      if (each.at - this.nowMs < WHEEL_MS) this.put(each.at, each.run);
      else this.far.push(each);
    }
  }
}

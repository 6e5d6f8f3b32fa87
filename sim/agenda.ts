/** Something that happens once, at a time; it is in one agenda's list as long as it is awaited. */
export abstract class Due {
  /** The next one of the same millisecond; the agenda's. */
  after: Due | undefined = undefined;

  abstract run(): void;
}

class Call extends Due {
  private readonly action: () => void;

  constructor(action: () => void) {
    super();
    this.action = action;
  }

  override run(): void {
    this.action();
  }
}

/** Must be a power of two. */
const WHEEL_MS = 16_384;
const MASK = WHEEL_MS - 1;
/** What is further away than the wheel reaches waits by spans of half of it. */
const SPAN_BITS = 13;

/** Virtual time in whole milliseconds: what is due at the same one happens in the order in which it was asked for. */
export class Agenda {
  private nowMs = 0;
  /** By millisecond, the first and the last of what is due. */
  private readonly first: (Due | undefined)[] = Array.from({ length: WHEEL_MS });
  private readonly last: (Due | undefined)[] = Array.from({ length: WHEEL_MS });
  private readonly far = new Map<number, { readonly at: number; readonly due: Due }[]>();

  get now(): number {
    return this.nowMs;
  }

  after(ms: number, run: () => void): void {
    this.add(ms, new Call(run));
  }

  add(ms: number, due: Due): void {
    const at = this.nowMs + Math.max(0, Math.round(ms));
    if (at - this.nowMs < WHEEL_MS) this.put(at, due);
    else this.putFar(at, due);
  }

  /** Runs all that is due until and at `end`. */
  runUntil(end: number): void {
    while (this.nowMs <= end) {
      this.runDue(this.nowMs & MASK);
      this.nowMs += 1;
      if ((this.nowMs & (MASK >> 1)) === 0) this.bringNear();
    }
  }

  /** A function of its own: what V8 makes of a loop in a loop it leaves again each time the inner one ends. */
  private runDue(slot: number): void {
    const { first, last } = this;
    // What is asked for at once is due in the same millisecond, and lands at the end of this very list.
    for (let due = first[slot]; due !== undefined; ) {
      due.run();
      const { after } = due;
      // What has happened may be old, and would keep those after it from being collected as young.
      due.after = undefined;
      due = after;
    }
    first[slot] = undefined;
    last[slot] = undefined;
  }

  private put(at: number, due: Due): void {
    const slot = at & MASK;
    const before = this.last[slot];
    if (before === undefined) this.first[slot] = due;
    else before.after = due;
    this.last[slot] = due;
  }

  private putFar(at: number, due: Due): void {
    const span = at >> SPAN_BITS;
    const those = this.far.get(span);
    if (those === undefined) this.far.set(span, [{ at, due }]);
    else those.push({ at, due });
  }

  /** The span after the one that begins now. */
  private bringNear(): void {
    const span = (this.nowMs >> SPAN_BITS) + 1;
    for (const { at, due } of this.far.get(span) ?? []) this.put(at, due);
    this.far.delete(span);
  }
}

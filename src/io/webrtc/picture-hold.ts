import type { MonotonicMs } from '../../core/mod.ts';
import type { Kernel } from './kernel.ts';

/** A picture that stands still longer would be worse than the rendition that it waits for is good. */
const HOLD_MS_MAX = 800;
/** Viewers ask no longer for what they do not need any more. */
const REPEATS_MS = 2_000;
/** Half of the 16-bit circle: what lies further behind lies ahead. */
const HALF = 0x8000;

/** From where pictures are kept back: a keyframe, with which they could go on at any time, or any picture, so that only a keyframe can follow what was sent. */
export type HeldFrom = 'keyframe' | 'picture';

/** Keeps a viewer's pictures back while another rendition's keyframe is on its way. */
export class PictureHold {
  private readonly kernel: Pick<Kernel, 'pauseFlow' | 'flowStats'>;
  private heldFrom: HeldFrom | undefined = undefined;
  /** Until when they may be from a keyframe on; known from the first tick on. */
  private until: number | undefined = undefined;
  /** What comes next can be decoded without what was sent before this sequence number. */
  private anew: { readonly sequenceNumber: number; until: number } | undefined = undefined;

  constructor(kernel: Pick<Kernel, 'pauseFlow' | 'flowStats'>) {
    this.kernel = kernel;
  }

  /** Undefined: nothing is kept back. */
  get from(): HeldFrom | undefined {
    return this.heldFrom;
  }

  fromKeyframe(flow: number): void {
    this.begin(flow, 'keyframe');
  }

  fromPicture(flow: number, now: MonotonicMs): void {
    this.begin(flow, 'picture');
    this.anew = { sequenceNumber: this.kernel.flowStats(flow).nextSequenceNumber, until: now + REPEATS_MS };
  }

  end(flow: number): void {
    if (this.heldFrom === undefined) return;
    this.heldFrom = undefined;
    this.kernel.pauseFlow(flow, false);
  }

  /** True when they have been kept back long enough from a keyframe on. */
  tick(now: MonotonicMs): boolean {
    if (this.heldFrom === 'picture' && this.anew !== undefined) this.anew.until = now + REPEATS_MS;
    if (this.anew !== undefined && now >= this.anew.until) this.anew = undefined;
    if (this.heldFrom !== 'keyframe') return false;
    this.until ??= now + HOLD_MS_MAX;
    return now >= this.until;
  }

  /** Leaves in the first `count` of `sequenceNumbers`, which a viewer asks for again, those that it still needs; returns how many. */
  stillNeeded(sequenceNumbers: Uint16Array, count: number): number {
    const { anew } = this;
    if (anew === undefined) return count;
    let needed = 0;
    for (const sequenceNumber of sequenceNumbers.subarray(0, count)) {
      if (((sequenceNumber - anew.sequenceNumber) & 0xffff) < HALF) sequenceNumbers[needed++] = sequenceNumber;
    }
    return needed;
  }

  private begin(flow: number, from: HeldFrom): void {
    if (this.heldFrom === undefined) this.kernel.pauseFlow(flow, true);
    this.heldFrom = from;
    this.until = undefined;
  }
}

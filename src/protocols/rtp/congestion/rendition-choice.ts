import { type BitrateBps, bitrateBps, type MonotonicMs } from '../../../core/mod.ts';

/** A quality that can be sent. */
export interface RenditionOption {
  readonly name: string;
  readonly bitrateBps: BitrateBps;
}

/**
 * Why the rendition is the one it is. 'start': the first choice; 'estimate-below-bitrate': stepped down; 'headroom': stepped up; 'renditions': the
 * list changed; 'highest', 'no-headroom', 'waiting', 'unproven': it stays: there is nothing above, the estimate has no room for it, the room has
 * not lasted long enough, or no probe has shown it yet.
 */
export type RenditionReason =
  | 'start'
  | 'estimate-below-bitrate'
  | 'headroom'
  | 'renditions'
  | 'highest'
  | 'no-headroom'
  | 'waiting'
  | 'unproven';

/** The rendition to send, why, and the bitrate worth probing for. */
export interface RenditionVerdict {
  readonly name: string;
  readonly reason: RenditionReason;
  /** Bits per second that would be needed to go one up (or, at the highest, to stay): for `BandwidthEstimator.wantedBps`. */
  readonly wantedBps: BitrateBps;
}

const UP_HEADROOM = 1.2;
const UP_AFTER_MS = 5000;
const UP_AFTER_MS_MAX = 60_000;
// A step up that lasted no longer than this was a mistake: the next one has to wait twice as long.
const REGRET_MS = 15_000;

/**
 * Chooses a viewer's rendition by the estimate: down at once when the estimate is below the bitrate, up one step only after a headroom of 1.2
 * lasted five seconds and packets really arrived at that rate. A step up that had to be taken back doubles the wait, up to a minute.
 */
export class RenditionChoice {
  private renditions: readonly RenditionOption[] = [];
  private current: RenditionOption | undefined = undefined;
  private hasNewList = false;
  private roomSinceMs = Number.NaN;
  private roomFor = '';
  private raisedMs = Number.NEGATIVE_INFINITY;
  private upAfterMs = UP_AFTER_MS;

  /** `renditions` in any order, at least one: with none there is nothing to choose ({@link update} gives undefined). */
  constructor(renditions: readonly RenditionOption[]) {
    this.setRenditions(renditions);
  }

  /** Replaces the list; one that is still there is kept, by its name. */
  setRenditions(renditions: readonly RenditionOption[]): void {
    this.renditions = renditions.toSorted((a, b) => a.bitrateBps - b.bitrateBps);
    const { current } = this;
    if (current === undefined) return;
    this.current = this.renditions.find(({ name }) => name === current.name);
    this.hasNewList = this.current === undefined;
  }

  /** The verdict at this estimate; `provenBps` is what really arrived lately (`BandwidthEstimator.provenBps`). */
  update(estimateBps: BitrateBps, provenBps: BitrateBps, now: MonotonicMs): RenditionVerdict | undefined {
    const { current } = this;
    if (current === undefined) return this.begin(estimateBps);
    if (estimateBps < current.bitrateBps && current !== this.renditions[0]) return this.stepDown(estimateBps, now);
    const above = this.renditions[this.renditions.indexOf(current) + 1];
    if (above === undefined) return this.verdict(current, 'highest');
    return this.consider(current, above, estimateBps, provenBps, now);
  }

  private begin(estimateBps: number): RenditionVerdict | undefined {
    this.current = this.fitting(estimateBps);
    if (this.current === undefined) return undefined;
    const reason = this.hasNewList ? 'renditions' : 'start';
    this.hasNewList = false;
    return this.verdict(this.current, reason);
  }

  private stepDown(estimateBps: number, now: number): RenditionVerdict | undefined {
    this.upAfterMs = now - this.raisedMs < REGRET_MS ? Math.min(UP_AFTER_MS_MAX, this.upAfterMs * 2) : this.upAfterMs;
    this.raisedMs = Number.NEGATIVE_INFINITY;
    this.roomSinceMs = Number.NaN;
    this.current = this.fitting(estimateBps);
    return this.current && this.verdict(this.current, 'estimate-below-bitrate');
  }

  private consider(
    current: RenditionOption,
    above: RenditionOption,
    estimateBps: number,
    provenBps: number,
    now: number,
  ): RenditionVerdict {
    // Time without mistakes buys back the patience that they cost.
    if (now - this.raisedMs >= UP_AFTER_MS_MAX && this.raisedMs > Number.NEGATIVE_INFINITY) this.upAfterMs = UP_AFTER_MS;
    const neededBps = above.bitrateBps * UP_HEADROOM;
    if (!(estimateBps >= neededBps)) {
      this.roomSinceMs = Number.NaN;
      return this.verdict(current, 'no-headroom');
    }
    if (Number.isNaN(this.roomSinceMs) || this.roomFor !== above.name) this.roomSinceMs = now;
    this.roomFor = above.name;
    if (now - this.roomSinceMs < this.upAfterMs) return this.verdict(current, 'waiting');
    if (provenBps < neededBps) return this.verdict(current, 'unproven');
    this.current = above;
    this.raisedMs = now;
    this.roomSinceMs = Number.NaN;
    return this.verdict(above, 'headroom');
  }

  private fitting(estimateBps: number): RenditionOption | undefined {
    return this.renditions.findLast(({ bitrateBps: bps }) => bps <= estimateBps) ?? this.renditions[0];
  }

  private verdict(rendition: RenditionOption, reason: RenditionReason): RenditionVerdict {
    const above = this.renditions[this.renditions.indexOf(rendition) + 1] ?? rendition;
    return { name: rendition.name, reason, wantedBps: bitrateBps(Math.ceil(above.bitrateBps * UP_HEADROOM)) };
  }
}

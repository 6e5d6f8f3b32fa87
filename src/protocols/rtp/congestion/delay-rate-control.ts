import { LinkCapacity } from './link-capacity.ts';
import type { BandwidthUsage } from './overuse-detector.ts';

// draft-ietf-rmcat-gcc-02 §5.5, §5.6.
const BETA = 0.85;
const GROWTH_PER_SECOND = 1.08;
const RESPONSE_TIME_BASE_MS = 100;
const ADDITIVE_BPS_PER_SECOND_MIN = 4000;
const PACKET_BITS = 1200 * 8;
const FRAMES_PER_SECOND = 30;
// "A_hat(i) < 1.5 * R_hat(i)", with room for a flow so thin that one packet more is half of it.
const THROUGHPUT_FACTOR_MAX = 1.5;
const THROUGHPUT_HEADROOM_BPS = 10_000;
const REDUCE_INTERVAL_MS_MIN = 10;
const REDUCE_INTERVAL_MS_MAX = 200;
// A flow that does not fill its estimate gives no measure of the link; then overuse halves the estimate in two steps, not at once.
const LIMITED_BETA = 0.7;
const BURST_BETA = 0.92;
// At 85 % of the link a queue of half a second takes three seconds to drain. The draft leaves it at that; live pictures cannot wait so long.
const STANDING_QUEUE_MS = 250;
const DRAINED_QUEUE_MS = 50;
const DRAIN_BETA = 0.6;
const UPDATE_MS_MAX = 1000;

type RateState = 'hold' | 'increase' | 'decrease';

/** What {@link DelayRateControl} is told about the feedback in hand. */
export interface Throughput {
  /** Bits per second that arrived; NaN while unknown. */
  readonly ackedBps: number;
  /** Bits per second that the link lets through now that its queue grows: the better of acknowledged rate and the last dense packet train. */
  readonly overuseBps: number;
  /** The flow sends clearly less than the estimate, so that `overuseBps` is not the link's capacity. */
  readonly isApplicationLimited: boolean;
  /** The queue grew because of a probe or a keyframe, sent faster than the estimate: it empties by itself. */
  readonly isBurst: boolean;
  /** How long packets stand in the queue, in milliseconds. */
  readonly queueMs: number;
}

/** The delay-based rate A_hat: additive or multiplicative increase, multiplicative decrease (draft-ietf-rmcat-gcc-02 §5.5). */
export class DelayRateControl {
  bps: number;
  private state: RateState = 'hold';
  private readonly capacity: LinkCapacity = new LinkCapacity();
  private changedMs = Number.NaN;
  private isDraining = false;
  private decreasedMs = Number.NEGATIVE_INFINITY;

  constructor(startBps: number) {
    this.bps = startBps;
  }

  /** One step for one feedback. */
  update(usage: BandwidthUsage, throughput: Throughput, rttMs: number, now: number): void {
    this.advance(usage, now);
    if (this.state === 'increase') this.increase(throughput, rttMs, now);
    const isReduced = this.state === 'decrease' && this.mayReduce(throughput, rttMs, now);
    if (isReduced) this.decrease(throughput, now);
    this.drain(throughput, now);
  }

  /** A probe (or a dense burst of the stream's own packets) went through at this rate. */
  probed(bps: number, now: number): void {
    this.capacity.reached(bps);
    if (bps <= this.bps) return;
    this.bps = bps;
    this.changedMs = now;
  }

  // The table of §5.5: overuse → decrease; underuse → hold (queues drain); normal → hold, then increase.
  private advance(usage: BandwidthUsage, now: number): void {
    if (usage === 'overuse') this.state = 'decrease';
    else if (usage === 'underuse' || this.state === 'decrease') this.state = 'hold';
    else if (this.state === 'hold') {
      this.state = 'increase';
      this.changedMs = now;
    }
  }

  private increase({ ackedBps }: Throughput, rttMs: number, now: number): void {
    if (Number.isNaN(ackedBps)) return;
    this.capacity.reached(ackedBps);
    const elapsedMs = Math.min(UPDATE_MS_MAX, Math.max(0, now - this.changedMs));
    this.changedMs = now;
    const limitBps = THROUGHPUT_FACTOR_MAX * ackedBps + THROUGHPUT_HEADROOM_BPS;
    if (this.bps >= limitBps) return;
    const raised = this.capacity.isKnown
      ? this.bps + (this.additiveBpsPerSecond(rttMs) * elapsedMs) / 1000
      : this.bps * GROWTH_PER_SECOND ** (elapsedMs / 1000) + elapsedMs;
    this.bps = Math.min(raised, limitBps);
  }

  // §5.5: near convergence about one packet more for each response time.
  private additiveBpsPerSecond(rttMs: number): number {
    const frameBits = this.bps / FRAMES_PER_SECOND;
    const packetBits = frameBits / Math.max(1, Math.ceil(frameBits / PACKET_BITS));
    return Math.max(ADDITIVE_BPS_PER_SECOND_MIN, (packetBits * 1000) / (2 * (RESPONSE_TIME_BASE_MS + rttMs)));
  }

  private mayReduce({ overuseBps }: Throughput, rttMs: number, now: number): boolean {
    const intervalMs = Math.min(REDUCE_INTERVAL_MS_MAX, Math.max(REDUCE_INTERVAL_MS_MIN, rttMs));
    return now - this.decreasedMs >= intervalMs || overuseBps < this.bps / 2;
  }

  private decrease({ overuseBps, isApplicationLimited, isBurst }: Throughput, now: number): void {
    this.decreasedMs = now;
    this.changedMs = now;
    if (Number.isNaN(overuseBps)) {
      this.bps /= 2;
      return;
    }
    const beta = isBurst ? BURST_BETA : BETA;
    const measuredBps = beta * overuseBps;
    if (isApplicationLimited && measuredBps < this.bps) {
      this.bps = Math.max(measuredBps, LIMITED_BETA * this.bps);
      return;
    }
    this.bps = Math.min(this.bps, measuredBps > this.bps && this.capacity.isKnown ? beta * this.capacity.bps : measuredBps);
    this.capacity.overused(overuseBps);
  }

  // Goes by the capacity, not by what is acknowledged: beside a flow that keeps the queue full, that would fall with each step.
  private drain({ queueMs, isApplicationLimited }: Throughput, now: number): void {
    if (!this.capacity.isKnown) return;
    if (queueMs > STANDING_QUEUE_MS && !isApplicationLimited && this.bps > DRAIN_BETA * this.capacity.bps) {
      this.bps = DRAIN_BETA * this.capacity.bps;
      this.isDraining = true;
    } else if (this.isDraining && queueMs < DRAINED_QUEUE_MS) {
      this.bps = Math.max(this.bps, BETA * this.capacity.bps);
      this.isDraining = false;
      this.changedMs = now;
    }
  }
}

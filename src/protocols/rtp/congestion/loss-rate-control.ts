// draft-ietf-rmcat-gcc-02 §6: below 2 % the rate grows, between it stays, above 10 % it is cut by half the loss.
const LOSS_LOW = 0.02;
const LOSS_HIGH = 0.1;
const GROWTH_PER_SECOND = 1.05;
const GROWTH_STEP_BPS = 1000;
// §6 takes the fraction of a report of about a second. A fraction of few packets is chance: it counts early only where chance cannot explain it
// (three deviations above the limit), or where it is so low that it only lets the rate grow.
const PACKETS_MIN = 20;
const PACKETS_ENOUGH = 200;
const DEVIATIONS = 3;
const QUIET_MS = 1000;
const CUT_INTERVAL_MS = 300;
const GROWTH_MS_MAX = 1000;

/** The loss-based rate As_hat (draft-ietf-rmcat-gcc-02 §6). It bounds the delay-based rate only after a loss above 10 %. */
export class LossRateControl {
  /** Bits per second; infinite while losses say nothing. */
  bps: number = Number.POSITIVE_INFINITY;
  /** Of the newest complete count of packets, 0..1. */
  fractionLost = 0;
  private packets = 0;
  private lost = 0;
  private cutMs = Number.NEGATIVE_INFINITY;
  private updatedMs = Number.NaN;

  /** Adds packets of a transport-wide feedback; `targetBps` is the rate that they were sent under. */
  add(packets: number, lost: number, targetBps: number, rttMs: number, now: number): void {
    this.packets += packets;
    this.lost += lost;
    if (!this.isMeaningful(now)) return;
    this.report(this.lost / this.packets, targetBps, rttMs, now);
    this.packets = 0;
    this.lost = 0;
  }

  /** Takes a fraction lost (0..1), as a receiver report gives it. */
  report(fractionLost: number, targetBps: number, rttMs: number, now: number): void {
    this.fractionLost = Math.min(1, Math.max(0, fractionLost));
    const elapsedMs = Number.isNaN(this.updatedMs) ? 0 : Math.min(GROWTH_MS_MAX, Math.max(0, now - this.updatedMs));
    this.updatedMs = now;
    if (this.fractionLost > LOSS_HIGH) {
      // What is lost until the cut reaches the bottleneck was already counted by it.
      if (now - this.cutMs < CUT_INTERVAL_MS + rttMs) return;
      this.cutMs = now;
      this.bps = Math.min(this.bps, targetBps) * (1 - 0.5 * this.fractionLost);
    } else if (this.fractionLost < LOSS_LOW) {
      this.bps = this.bps * GROWTH_PER_SECOND ** (elapsedMs / 1000) + (GROWTH_STEP_BPS * elapsedMs) / 1000;
    }
  }

  /** Without a delay-based rate this one is the estimate, and begins somewhere. */
  startAt(bps: number): void {
    if (this.bps === Number.POSITIVE_INFINITY) this.bps = bps;
  }

  /** The rate follows at once to at least `bps`: something better than losses vouches for it. */
  raiseTo(bps: number): void {
    this.bps = Math.max(this.bps, bps);
  }

  /** Where this rate alone is the estimate, it does not run ahead of what anybody may be sent. */
  boundBy(bps: number): void {
    this.bps = Math.min(this.bps, bps);
  }

  /** Losses no longer bound anything once their rate is past the delay-based one. */
  releaseAbove(bps: number): void {
    if (this.bps > bps) this.bps = Number.POSITIVE_INFINITY;
  }

  private isMeaningful(now: number): boolean {
    const { packets, lost } = this;
    if (packets < PACKETS_MIN) return false;
    if (packets >= PACKETS_ENOUGH) return true;
    if (lost < packets * LOSS_LOW) return !(now - this.updatedMs < QUIET_MS);
    return lost > packets * LOSS_HIGH + DEVIATIONS * Math.sqrt(packets * LOSS_HIGH * (1 - LOSS_HIGH));
  }
}

import { type BitrateBps, bitrateBps, type DurationMs, durationMs } from '../../../core/mod.ts';

/** What the caller is asked to send now: everything the viewer gets, media and padding (RTX of the history) together, at `bitrateBps`. */
export interface Probe {
  readonly bitrateBps: BitrateBps;
  readonly durationMs: DurationMs;
}

const FIRST_FACTOR = 3;
const FACTOR = 2;
// Probing past what is wanted shows nothing that anybody needs; a little more makes sure of it.
const WANTED_FACTOR_MAX = 1.1;
// Twice the shortest train that is measured, in time and in packets.
const DURATION_MS_MIN = 80;
const DURATION_MS_MAX = 250;
const PACKETS_MIN = 16;
const PACKET_BITS = 1200 * 8;
const ANSWER_MS = 400;
const SUCCESS = 0.7;
const AGAIN_MS = 200;
const INTERVAL_MS_MIN = 5000;
const INTERVAL_MS_MAX = 20_000;
const RECOVERY_MS = 2000;
const RECOVERY_FACTOR = 0.85;
const LARGE_DROP = 0.66;

/**
 * When to probe and how fast. A new viewer is probed at 3 times the start rate; success asks for twice as much at once, failure for a
 * pause of 5 to 20 s. After a large drop the rate from before it is tried again two seconds later.
 */
export class ProbePlan {
  /** Of the probe whose packets are under way; 0 for none. */
  askedBps = 0;
  private answerByMs = 0;
  private isFirst = true;
  private nextMs = Number.NEGATIVE_INFINITY;
  private intervalMs = INTERVAL_MS_MIN;
  private recoverBps = 0;
  private bestBps = 0;

  /** The probe to send now, which then counts as begun; undefined when none is due or `wantedBps` needs none. */
  ask(estimateBps: number, provenBps: number, wantedBps: number, rttMs: number, now: number): Probe | undefined {
    this.settle(now);
    if (this.askedBps > 0 || now < this.nextMs) return undefined;
    if (estimateBps >= wantedBps && provenBps >= wantedBps) return undefined;
    const bps = Math.min(this.choose(estimateBps), wantedBps * WANTED_FACTOR_MAX);
    const duration = Math.min(DURATION_MS_MAX, Math.max(DURATION_MS_MIN, (PACKETS_MIN * PACKET_BITS * 1000) / bps));
    this.askedBps = bps;
    this.bestBps = 0;
    this.answerByMs = now + duration + rttMs + ANSWER_MS;
    return { bitrateBps: bitrateBps(Math.round(bps)), durationMs: durationMs(Math.ceil(duration)) };
  }

  /** A dense train came through at `bps` while a probe was under way. */
  answered(bps: number, now: number): void {
    if (this.askedBps === 0) return;
    this.bestBps = Math.max(this.bestBps, bps);
    if (this.bestBps < SUCCESS * this.askedBps) return;
    this.askedBps = 0;
    this.intervalMs = INTERVAL_MS_MIN;
    this.nextMs = now + AGAIN_MS;
  }

  /** The estimate was cut from one rate to another. */
  reduced(fromBps: number, toBps: number, now: number): void {
    this.isFirst = false;
    if (this.askedBps > 0) this.fail(true, now);
    this.nextMs = Math.max(this.nextMs, now + RECOVERY_MS);
    if (toBps >= fromBps * LARGE_DROP) return;
    this.recoverBps = Math.max(this.recoverBps, fromBps * RECOVERY_FACTOR);
    this.intervalMs = INTERVAL_MS_MIN;
    this.nextMs = now + RECOVERY_MS;
  }

  private choose(estimateBps: number): number {
    const factor = this.isFirst ? FIRST_FACTOR : FACTOR;
    this.isFirst = false;
    const recoverBps = this.recoverBps;
    this.recoverBps = 0;
    return Math.max(estimateBps * factor, recoverBps);
  }

  private settle(now: number): void {
    if (this.askedBps > 0 && now >= this.answerByMs) this.fail(this.bestBps > 0, now);
  }

  // A slower train came back, or a queue did: the link does not carry it. None at all shows nothing of the link: a busy machine sent or passed it on unevenly.
  private fail(isMeasured: boolean, now: number): void {
    this.askedBps = 0;
    this.nextMs = now + this.intervalMs;
    if (isMeasured) this.intervalMs = Math.min(INTERVAL_MS_MAX, this.intervalMs * 2);
  }
}

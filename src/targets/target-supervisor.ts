import { type MonotonicMs, monotonicMs } from '../core/mod.ts';

/**
 * How a target of a stream stands. `waiting`: the stream has nothing to send yet, or its publisher is away. `retrying`: the last attempt failed, and
 * the next one comes. `refused`: another attempt would not help unless something changes here. `stopped`: the stream is over, or the target was
 * removed.
 */
export type TargetState = 'waiting' | 'connecting' | 'sending' | 'retrying' | 'refused' | 'stopped';

/** Why the last attempt ended, with a stable code and the peer's own words where it had some. Without secrets. */
export interface TargetReason {
  readonly code: string;
  readonly message: string;
}

/** Effects of a supervisor; implemented by its owner. */
export interface TargetSupervisorOutput {
  /** Begins an attempt. Never called while another one is under way. */
  connect(): void;
  /** Ends the attempt under way, with a goodbye to the peer or without. Nothing that it says counts any more. */
  disconnect(isPolite: boolean): void;
}

/** Times of a supervisor, in milliseconds. */
export interface TargetTimes {
  /** How long an attempt may take until media flows. */
  readonly connectMsMax: number;
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  /** An attempt that sent for so long was a good one: the next failure is retried soon again. */
  readonly goodMs: number;
  /** How long a connection is kept while the stream is held. */
  readonly heldMsMax: number;
  /** How long a peer may take nothing of what waits for it. */
  readonly stalledMsMax: number;
}

export const TARGET_TIMES: TargetTimes = {
  connectMsMax: 20_000,
  retryMsMin: 1_000,
  retryMsMax: 60_000,
  goodMs: 60_000,
  heldMsMax: 15_000,
  stalledMsMax: 10_000,
};

/** Retries of many targets that broke at once are spread over this share of their delay. */
const JITTER = 0.2;

/** The life of one stream's connection to one target: when to connect, when to give a connection up, when to try again. */
export class TargetSupervisor {
  private readonly out: TargetSupervisorOutput;
  private readonly times: TargetTimes;
  private readonly random: () => number;
  private current: TargetState = 'waiting';
  private since: MonotonicMs;
  private isReady = false;
  private heldSince: MonotonicMs | undefined = undefined;
  private retryAt: MonotonicMs | undefined = undefined;
  private delayMs: number;
  private last: TargetReason | undefined = undefined;
  private failures = 0;
  private progressMs: MonotonicMs;
  private backlogBytes = 0;
  private sentBytes = 0;

  /** `random`: from 0 to 1. */
  constructor(out: TargetSupervisorOutput, times: TargetTimes, random: () => number, now: MonotonicMs) {
    this.out = out;
    this.times = times;
    this.random = random;
    this.since = now;
    this.progressMs = now;
    this.delayMs = times.retryMsMin;
  }

  get state(): TargetState {
    return this.current;
  }

  /** When the present state began. */
  get stateSince(): MonotonicMs {
    return this.since;
  }

  /** Why the last attempt ended; it stays until media flows again. */
  get reason(): TargetReason | undefined {
    return this.last;
  }

  /** Attempts that failed, of all times. */
  get retries(): number {
    return this.failures;
  }

  /** When the next attempt is due, while `retrying`. */
  get nextAttemptAt(): MonotonicMs | undefined {
    return this.retryAt;
  }

  /** The stream has what is to be sent. */
  streamReady(now: MonotonicMs): void {
    this.isReady = true;
    this.heldSince = undefined;
    if (this.current === 'waiting') this.attempt(now);
  }

  /** The stream's publisher is away and may come back. */
  streamHeld(now: MonotonicMs): void {
    if (!this.isReady) return;
    this.isReady = false;
    this.heldSince = now;
    if (this.current === 'retrying') this.enter('waiting', now);
  }

  /** The attempt under way is accepted: media flows. */
  connected(now: MonotonicMs): void {
    if (this.current !== 'connecting') return;
    this.enter('sending', now);
    this.last = undefined;
    this.progressMs = now;
    this.backlogBytes = 0;
  }

  /** The attempt under way is over and another one may go better. */
  failed(reason: TargetReason, now: MonotonicMs): void {
    if (!this.isUnderWay) return;
    const wasGood = this.current === 'sending' && now - this.since >= this.times.goodMs;
    if (wasGood) this.delayMs = this.times.retryMsMin;
    this.last = reason;
    this.failures++;
    if (!this.isReady) {
      this.enter('waiting', now);
      return;
    }
    this.enter('retrying', now);
    this.retryAt = monotonicMs(now + this.delayMs * (1 + JITTER * (this.random() - 0.5)));
    this.delayMs = Math.min(this.times.retryMsMax, this.delayMs * 2);
  }

  /** The attempt under way is over, and another one would end the same way. */
  refused(reason: TargetReason, now: MonotonicMs): void {
    if (!this.isUnderWay) return;
    this.last = reason;
    this.enter('refused', now);
  }

  /** Something changed that a refusal may have been about. */
  reconsider(now: MonotonicMs): void {
    if (this.current !== 'refused') return;
    this.enter('waiting', now);
    if (this.isReady) this.attempt(now);
  }

  /** What is sent has to be told anew, as the tracks are other ones: ends the connection and makes another one at once. */
  renew(now: MonotonicMs): void {
    if (!this.isUnderWay) return;
    this.out.disconnect(true);
    this.attempt(now);
  }

  /** How much waits for the peer, and how much it has taken of all times. */
  progress(backlogBytes: number, sentBytes: number, now: MonotonicMs): void {
    if (backlogBytes === 0 || sentBytes !== this.sentBytes) this.progressMs = now;
    this.backlogBytes = backlogBytes;
    this.sentBytes = sentBytes;
  }

  /** No more is to be sent: the stream is over, or the target is removed. Nothing happens afterwards. */
  stop(now: MonotonicMs): void {
    if (this.current === 'stopped') return;
    if (this.isUnderWay) this.out.disconnect(this.current === 'sending');
    this.enter('stopped', now);
  }

  tick(now: MonotonicMs): void {
    const { connectMsMax, heldMsMax, stalledMsMax } = this.times;
    if (this.current === 'retrying' && this.retryAt !== undefined && now >= this.retryAt) this.attempt(now);
    else if (this.isUnderWay && this.heldSince !== undefined && now - this.heldSince >= heldMsMax) {
      this.out.disconnect(true);
      this.enter('waiting', now);
    } else if (this.current === 'connecting' && now - this.since >= connectMsMax) {
      this.giveUp({ code: 'targets.connect-timeout', message: `no media could be sent within ${connectMsMax} ms` }, now);
    } else if (this.current === 'sending' && this.backlogBytes > 0 && now - this.progressMs >= stalledMsMax) {
      this.giveUp({ code: 'targets.stalled', message: `the target took nothing for ${stalledMsMax} ms` }, now);
    }
  }

  private get isUnderWay(): boolean {
    return this.current === 'connecting' || this.current === 'sending';
  }

  private giveUp(reason: TargetReason, now: MonotonicMs): void {
    this.out.disconnect(false);
    this.failed(reason, now);
  }

  private attempt(now: MonotonicMs): void {
    this.enter('connecting', now);
    this.out.connect();
  }

  private enter(state: TargetState, now: MonotonicMs): void {
    this.current = state;
    this.since = now;
    this.retryAt = undefined;
  }
}

import { type BackoffLimits, backoffMs } from '../backoff/backoff.ts';
import { type PublishProblem, problemOf, WORTH_WAITING } from './publish-problem.ts';

/** Where publishing is; `reconnecting` waits to try again, `failed` needs the publisher to do something. */
export type PublishPhase = 'idle' | 'connecting' | 'live' | 'reconnecting' | 'failed';

/** Immutable; a new object whenever something in it changed. */
export interface PublishState {
  readonly phase: PublishPhase;
  /** While `reconnecting` or `failed`. */
  readonly problem?: PublishProblem;
  /** Connections that came after the first one. */
  readonly reconnects: number;
}

/** What the machine wants done. Answers come back as calls of the machine, later, never from inside. */
export interface PublishOutput {
  /** Close what is there and open a new session. */
  connect(): void;
  /** Close what is there. */
  disconnect(): void;
  changed(state: PublishState): void;
}

/** All in milliseconds save the count. */
export interface PublishOptions {
  readonly connectMsMax: number;
  readonly interruptedMsMax: number;
  readonly backoff: BackoffLimits;
  /** Attempts before the first success after which publishing is given up; once it was live, it is tried for ever. */
  readonly firstAttemptsMax: number;
  /** In [0, 1). */
  readonly random: () => number;
}

export const PUBLISH_DEFAULTS: Omit<PublishOptions, 'random'> = {
  connectMsMax: 10_000,
  interruptedMsMax: 5000,
  backoff: { firstMs: 1000, maxMs: 10_000 },
  firstAttemptsMax: 3,
};

/** Decides when to connect and to connect again: pure, no timers, no network. The owner calls `tick` once `wakeAt` has passed. */
export class PublishMachine {
  readonly #out: PublishOutput;
  readonly #options: PublishOptions;
  #state: PublishState = { phase: 'idle', reconnects: 0 };
  #wakeAt: number | undefined;
  #attempts = 0;
  #wasLive = false;

  constructor(out: PublishOutput, options: PublishOptions) {
    this.#out = out;
    this.#options = options;
  }

  get state(): PublishState {
    return this.#state;
  }

  /** When `tick` has something to do. */
  get wakeAt(): number | undefined {
    return this.#wakeAt;
  }

  start(now: number): void {
    const { phase } = this.#state;
    if (phase !== 'idle' && phase !== 'failed') return;
    this.#wasLive = false;
    this.#attempts = 0;
    this.#state = { phase: 'idle', reconnects: 0 };
    this.#connect(now);
  }

  /** The publisher's own wish, or `problem` with the source, after which connecting again is of no use. */
  stop(problem?: PublishProblem): void {
    this.#wakeAt = undefined;
    if (this.#state.phase === 'idle') return;
    this.#out.disconnect();
    this.#set({ phase: problem ? 'failed' : 'idle', reconnects: this.#state.reconnects, ...(problem ? { problem } : {}) });
  }

  connected(): void {
    const { phase, reconnects } = this.#state;
    if (phase === 'live') this.#wakeAt = undefined;
    if (phase !== 'connecting') return;
    this.#wakeAt = undefined;
    this.#attempts = 0;
    this.#set({ phase: 'live', reconnects: this.#wasLive ? reconnects + 1 : reconnects });
    this.#wasLive = true;
  }

  interrupted(now: number): void {
    if (this.#state.phase === 'live') this.#wakeAt = now + this.#options.interruptedMsMax;
  }

  broken(detail: string, now: number): void {
    const { phase } = this.#state;
    if (phase === 'connecting' || phase === 'live') this.#again(problemOf(0, detail), undefined, now);
  }

  /** The offer was refused with an HTTP status, or with 0 when no answer came. */
  refused(status: number, detail: string, retryAfterMs: number | undefined, now: number): void {
    if (this.#state.phase !== 'connecting') return;
    const problem = problemOf(status, detail);
    // A server that has not noticed yet that the last connection is gone takes the stream for taken.
    const isWorthWaiting = WORTH_WAITING.has(problem.code) || (problem.code === 'taken' && this.#wasLive);
    if (isWorthWaiting) this.#again(problem, retryAfterMs, now);
    else this.stop(problem);
  }

  tick(now: number): void {
    if (this.#wakeAt === undefined || now < this.#wakeAt) return;
    this.#wakeAt = undefined;
    const { phase } = this.#state;
    if (phase === 'reconnecting') this.#connect(now);
    else if (phase === 'connecting') this.broken('no connection came about (is UDP blocked?)', now);
    else if (phase === 'live') this.broken('the connection was interrupted', now);
  }

  #again(problem: PublishProblem, retryAfterMs: number | undefined, now: number): void {
    if (!this.#wasLive && this.#attempts >= this.#options.firstAttemptsMax) {
      this.stop(problem);
      return;
    }
    this.#out.disconnect();
    const { backoff, random } = this.#options;
    const delayMs = backoffMs(backoff, Math.max(0, this.#attempts - 1), random());
    this.#wakeAt = now + Math.max(delayMs, Math.min(retryAfterMs ?? 0, backoff.maxMs));
    this.#set({ phase: 'reconnecting', problem, reconnects: this.#state.reconnects });
  }

  #connect(now: number): void {
    this.#attempts += 1;
    this.#wakeAt = now + this.#options.connectMsMax;
    this.#set({ phase: 'connecting', reconnects: this.#state.reconnects });
    this.#out.connect();
  }

  #set(state: PublishState): void {
    this.#state = state;
    this.#out.changed(state);
  }
}

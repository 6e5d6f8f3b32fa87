import { type DurationMs, durationMs, type MonotonicMs, monotonicMs } from '../core/mod.ts';

/** `on-demand`: fetched while somebody watches. `always`: fetched as long as the server runs. */
export type SourceMode = 'on-demand' | 'always';

/**
 * `idle`: nobody wants it. `starting`: it is being opened. `running`: frames come. `ending`: its process is to go. `waiting`: it failed, and is
 * tried again later.
 */
export type SourceState = 'idle' | 'starting' | 'running' | 'ending' | 'waiting';

/** Why a source failed: a stable code, and what happened. */
export interface SourceFailure {
  readonly code: string;
  readonly message: string;
}

/** `not-wanted`: nobody watches it any more; its stream ends. `failed`: its stream is held, as when a publisher drops. */
export type SourceEnd = 'not-wanted' | 'failed';

/** What the supervisor of a source asks of its owner. Calls may come from within each of the supervisor's methods. */
export interface SourceSupervisorOutput {
  /** Open the input. Answer with `frame` for each frame, and with `exited` once it is over. */
  start(): void;
  /** End it, at once where it failed; `exited` is to be called when it is gone. */
  stop(end: SourceEnd): void;
  /** It failed; `start` follows after this time, unless nobody wants it then. */
  retryIn(delayMs: DurationMs, failure: SourceFailure): void;
}

export interface SourceSupervisorOptions {
  readonly mode: SourceMode;
  /** How long a source on demand goes on after its last viewer left. */
  readonly lingerMs: DurationMs;
  /** How long an input may give no frame before it is opened anew; from its start, at least 15 s. */
  readonly stallMs: DurationMs;
  /** Whether it waits for a sender that comes by itself. It may wait for ever, and is open again soon after each failure: whoever comes meanwhile finds nobody. */
  readonly isListener: boolean;
}

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;
/** An input that has run so long starts over with the shortest pause when it fails. */
const SETTLED_MS = 30_000;
/** Opening takes longer than a frame: name, connection, keyframe, probing. */
const START_MS_MIN = 15_000;
/** A process that was to be ended and has not said so is told again. */
const END_MS_MAX = 5_000;
/** Whoever is woken so much later than it asked for did not run itself; the input gets a moment more, once. */
const LATE_MS = 1_000;
/** Who waits at the door is no viewer yet: a source that was asked for is kept at least so long. */
const ASKED_MS = 5_000;

/**
 * Watches over one source: starts it when it is wanted, ends it when nobody has watched it for a while, notices when its input stalls, and opens it
 * again after failures with growing pauses (1 s to 30 s; always 1 s where it listens). It never gives up.
 */
export class SourceSupervisor {
  private readonly out: SourceSupervisorOutput;
  private readonly options: SourceSupervisorOptions;
  private current: SourceState = 'idle';
  private changedAt: MonotonicMs;
  private wantedUntil: MonotonicMs | undefined = undefined;
  private deadline: MonotonicMs | undefined = undefined;
  private mayBeLate = true;
  private framesSince: MonotonicMs | undefined = undefined;
  private retryMs = RETRY_MS_MIN;
  private attemptCount = 0;
  private failure: SourceFailure | undefined = undefined;
  /** What ended it, when it was not its own doing. */
  private killed: SourceFailure | 'not-wanted' | undefined = undefined;
  private isClosed = false;

  constructor(out: SourceSupervisorOutput, options: SourceSupervisorOptions, now: MonotonicMs) {
    this.out = out;
    this.options = options;
    this.changedAt = now;
  }

  get state(): SourceState {
    return this.current;
  }

  /** When it came into its present state. */
  get since(): MonotonicMs {
    return this.changedAt;
  }

  /** How often it was opened. */
  get attempts(): number {
    return this.attemptCount;
  }

  /** The last failure, also when it runs again. */
  get lastFailure(): SourceFailure | undefined {
    return this.failure;
  }

  /** Somebody asks for it now. */
  ask(now: MonotonicMs): void {
    this.wanted(now, Math.max(ASKED_MS, this.options.lingerMs));
  }

  /** Its stream has viewers now; to be told again and again while that is so. */
  watched(now: MonotonicMs): void {
    this.wanted(now, this.options.lingerMs);
  }

  /** A frame came. */
  frame(now: MonotonicMs): void {
    if (this.current === 'starting') {
      this.become('running', now);
      this.framesSince = now;
    }
    if (this.current !== 'running') return;
    this.mayBeLate = true;
    this.deadline = monotonicMs(now + this.options.stallMs);
    if (this.framesSince !== undefined && now - this.framesSince >= SETTLED_MS) this.retryMs = RETRY_MS_MIN;
  }

  /** Its process is gone, or its input over. */
  exited(failure: SourceFailure, now: MonotonicMs): void {
    if (this.current === 'idle' || this.current === 'waiting') return;
    const { killed } = this;
    this.killed = undefined;
    if (killed === 'not-wanted') {
      this.become('idle', now);
      this.settle(now);
    } else this.failed(killed ?? failure, now);
  }

  /** Ends the input because of something outside of it, such as another publisher. It counts as a failure. */
  fail(failure: SourceFailure, now: MonotonicMs): void {
    if (this.current === 'starting' || this.current === 'running') this.end(failure, now);
  }

  /** To be called often: four times a second or so. */
  tick(now: MonotonicMs): void {
    if (this.deadline !== undefined && now >= this.deadline) this.late(now);
    this.settle(now);
  }

  /** Ends it for good. `exited` is still to be called. */
  close(now: MonotonicMs): void {
    this.isClosed = true;
    this.settle(now);
  }

  private isWanted(now: MonotonicMs): boolean {
    return !this.isClosed && (this.options.mode === 'always' || (this.wantedUntil !== undefined && now < this.wantedUntil));
  }

  private wanted(now: MonotonicMs, forMs: number): void {
    this.wantedUntil = monotonicMs(Math.max(this.wantedUntil ?? 0, now + forMs));
    this.settle(now);
  }

  /** Makes what is the case what is wanted. */
  private settle(now: MonotonicMs): void {
    const isWanted = this.isWanted(now);
    if (isWanted && this.current === 'idle') {
      const { isListener, stallMs } = this.options;
      this.become('starting', now, isListener ? undefined : monotonicMs(now + Math.max(START_MS_MIN, stallMs)));
      this.attemptCount++;
      this.out.start();
    } else if (!isWanted && (this.current === 'starting' || this.current === 'running')) this.end('not-wanted', now);
    // A pause goes on without viewers: who asks again and again must not make a broken source be tried more often.
  }

  private late(now: MonotonicMs): void {
    if (this.mayBeLate && this.deadline !== undefined && now - this.deadline > LATE_MS && this.current !== 'waiting') {
      this.mayBeLate = false;
      this.deadline = monotonicMs(now + LATE_MS);
    } else if (this.current === 'starting') {
      this.end({ code: 'sources.no-frames', message: `no frame came within ${(now - this.changedAt) / 1000} s of the start` }, now);
    } else if (this.current === 'running') {
      this.end({ code: 'sources.stalled', message: `no frame came for ${this.options.stallMs / 1000} s` }, now);
    } else if (this.current === 'ending') {
      this.deadline = monotonicMs(now + END_MS_MAX);
      this.out.stop('failed');
    } else if (this.current === 'waiting') this.become('idle', now);
  }

  private failed(failure: SourceFailure, now: MonotonicMs): void {
    this.failure = failure;
    const delayMs = this.retryMs;
    if (!this.options.isListener) this.retryMs = Math.min(RETRY_MS_MAX, this.retryMs * 2);
    this.become('waiting', now, monotonicMs(now + delayMs));
    this.out.retryIn(durationMs(delayMs), failure);
  }

  private end(why: SourceFailure | 'not-wanted', now: MonotonicMs): void {
    this.killed = why;
    this.become('ending', now, monotonicMs(now + END_MS_MAX));
    this.out.stop(why === 'not-wanted' ? 'not-wanted' : 'failed');
  }

  private become(state: SourceState, now: MonotonicMs, deadline?: MonotonicMs): void {
    this.current = state;
    this.changedAt = now;
    this.deadline = deadline;
    this.mayBeLate = true;
    if (state !== 'running') this.framesSince = undefined;
  }
}

import { type BackoffLimits, backoffMs } from '../backoff/backoff.ts';

/**
 * Where the player is:
 * `checking` asks the server for the first time; `waiting` for the stream to start; `starting` loads it, no picture yet;
 * `playing`; `stalled` ran out of data, the reason not yet known; `held` the publisher is away and the server holds the stream;
 * `recovering` after a fatal error; `failed` gave up, the viewer may try again.
 */
export type PlayerPhase = 'checking' | 'waiting' | 'starting' | 'playing' | 'stalled' | 'held' | 'recovering' | 'failed';

/** Whether the server has the stream: `unreachable` when it did not answer or answered with a failure of its own. */
export type Presence = 'live' | 'held' | 'absent' | 'unreachable';

/** What a fatal error was about; `unsupported` (by the browser) and `unavailable` (by the chosen transport) cannot get better by trying again. */
export type FailureKind = 'network' | 'media' | 'other' | 'unsupported' | 'unavailable';

/** Immutable; a new object whenever something in it changed. */
export interface PlayerState {
  readonly phase: PlayerPhase;
  /** The last probe got no answer: said to the viewer while waiting. */
  readonly serverSilent: boolean;
  /** Times the picture stopped for want of data after it had begun, holds included. */
  readonly stalls: number;
  /** Fatal errors of the playback engine since the page was opened. */
  readonly fatalErrors: number;
  /** What went wrong last, while `recovering` or `failed`. */
  readonly failure?: { readonly kind: FailureKind; readonly detail: string };
}

/** What the machine wants done. Answers come back as calls of the machine, later, never from inside. */
export interface PlayerOutput {
  /** Ask the server whether the stream is there, then call `probed`. */
  probe(): void;
  /** Make a playback engine and load the stream. */
  start(): void;
  /** Throw the playback engine away. */
  stop(): void;
  /** Flush the media buffers and go on with the same engine. */
  recoverMedia(): void;
  /** Let the engine, which stopped at a network error, load on; the picture stays. */
  resumeLoading(): void;
  /** `state` is another one. */
  changed(state: PlayerState): void;
}

/** All in milliseconds save the counts. */
export interface PlayerOptions {
  readonly waitBackoff: BackoffLimits;
  readonly recoverBackoff: BackoffLimits;
  /** How long a stall or a start may last before the server is asked about it. */
  readonly doubtAfterMs: number;
  /** How long a stream that the server calls live may show nothing before it is loaded anew. */
  readonly restartAfterMs: number;
  /** Playing this long makes earlier failures forgotten. */
  readonly healthyAfterMs: number;
  /** Failures in a row after which the player gives up. */
  readonly failuresMax: number;
  /** In [0, 1). */
  readonly random: () => number;
}

export const PLAYER_DEFAULTS: Omit<PlayerOptions, 'random'> = {
  waitBackoff: { firstMs: 1000, maxMs: 5000 },
  recoverBackoff: { firstMs: 500, maxMs: 5000 },
  doubtAfterMs: 1500,
  restartAfterMs: 10_000,
  healthyAfterMs: 5000,
  failuresMax: 10,
};

/**
 * Decides what a watch page does: pure, no timers, no network. The owner calls `tick` once `wakeAt` has passed, and the
 * event methods as things happen. Times are milliseconds of any one monotonic clock.
 */
export class PlayerMachine {
  readonly #out: PlayerOutput;
  readonly #options: PlayerOptions;
  #state: PlayerState = { phase: 'checking', serverSilent: false, stalls: 0, fatalErrors: 0 };
  #wakeAt: number | undefined;
  /** Probes since the waiting began, and failures since the last healthy stretch. */
  #waits = 0;
  #failures = 0;
  /** When the present `starting`, `stalled` or end of a hold began. */
  #troubleSince = 0;
  #lastFailureAt = 0;
  #probing = false;
  #loaded = false;
  /** The engine stopped loading at a network error and waits to be told to load on; what it has buffered goes on playing. */
  #engineIdle = false;

  constructor(out: PlayerOutput, options: PlayerOptions) {
    this.#out = out;
    this.#options = options;
  }

  get state(): PlayerState {
    return this.#state;
  }

  /** When `tick` has something to do. */
  get wakeAt(): number | undefined {
    return this.#wakeAt;
  }

  /** The page was opened, or the viewer asked to try again. */
  open(): void {
    this.#unload();
    this.#waits = 0;
    this.#failures = 0;
    this.#enter('checking');
    this.#ask();
  }

  tick(now: number): void {
    if (this.#wakeAt === undefined || now < this.#wakeAt) return;
    this.#wakeAt = undefined;
    const { phase } = this.#state;
    if (phase === 'starting' || phase === 'stalled') {
      if (now - this.#troubleSince >= this.#options.restartAfterMs) {
        this.#restart(now, 'network', 'no picture came');
        return;
      }
    }
    this.#resume();
    if (phase !== 'failed') this.#ask();
  }

  probed(presence: Presence, now: number): void {
    this.#probing = false;
    const { phase } = this.#state;
    if (phase === 'failed' || (phase === 'playing' && !this.#engineIdle)) return;
    this.#set({ serverSilent: presence === 'unreachable' });
    switch (presence) {
      case 'absent':
        this.#wait(now);
        break;
      case 'unreachable':
        this.#silent(now);
        break;
      case 'held':
        this.#held(now);
        break;
      case 'live':
        this.#live(now);
        break;
    }
  }

  /** The picture moved on. */
  progressed(now: number): void {
    const { phase } = this.#state;
    if (phase === 'playing') {
      if (now - this.#lastFailureAt >= this.#options.healthyAfterMs) this.#failures = 0;
      return;
    }
    if (!this.#loaded) return;
    if (!this.#engineIdle) this.#wakeAt = undefined;
    this.#enter('playing');
  }

  /** The picture stands still for want of data (not: paused by the viewer). */
  stalled(now: number): void {
    if (this.#state.phase !== 'playing') return;
    this.#troubleSince = now;
    this.#set({ stalls: this.#state.stalls + 1 });
    this.#enter('stalled');
    this.#later(now, this.#options.doubtAfterMs);
  }

  /** The stream was played to its end. */
  ended(now: number): void {
    if (this.#loaded) this.#wait(now);
  }

  /** The stream is to be played in another way: it is loaded anew at once, which counts as no failure. */
  reload(now: number): void {
    if (this.#state.phase === 'failed') this.open();
    if (!this.#loaded) return;
    this.#unload();
    this.#load(now);
  }

  /** The engine met an error that it does not get over by itself. */
  failed(kind: FailureKind, detail: string, now: number): void {
    if (!this.#loaded) return;
    const { phase } = this.#state;
    this.#set({ fatalErrors: this.#state.fatalErrors + 1, failure: { kind, detail } });
    if (kind === 'unsupported' || kind === 'unavailable') {
      this.#giveUp();
      return;
    }
    // The engine is kept, with its picture and what it has buffered, until it is known what became of the stream.
    if (kind === 'network' && phase !== 'starting') {
      this.#engineIdle = true;
      if (phase !== 'playing') return;
      this.#ask();
      this.#later(now, this.#options.doubtAfterMs);
      return;
    }
    if (kind === 'media' && this.#failures === 0) {
      this.#failures = 1;
      this.#lastFailureAt = now;
      this.#out.recoverMedia();
      return;
    }
    this.#restart(now, kind, detail);
  }

  #silent(now: number): void {
    if (!this.#loaded) {
      this.#waitFor(this.#state.phase === 'recovering' ? 'recovering' : 'waiting', now);
      return;
    }
    // Loading anew would lose the last picture and gain nothing while nobody answers.
    this.#troubleSince = now;
    this.#later(now, this.#options.doubtAfterMs);
  }

  #live(now: number): void {
    const { phase } = this.#state;
    if (phase === 'held') {
      this.#troubleSince = now;
      this.#enter('stalled');
    }
    if (this.#loaded) {
      this.#resume();
      if (phase !== 'playing') this.#later(now, this.#options.doubtAfterMs);
      return;
    }
    this.#load(now);
  }

  #load(now: number): void {
    this.#loaded = true;
    this.#troubleSince = now;
    this.#enter('starting');
    this.#out.start();
    this.#later(now, this.#options.doubtAfterMs);
  }

  #held(now: number): void {
    // Somebody who comes during a hold may still see what the playlist holds, so the stream is loaded all the same.
    if (!this.#loaded) {
      this.#live(now);
      return;
    }
    this.#enter('held');
    this.#later(now, backoffMs(this.#options.waitBackoff, 0, this.#options.random()));
  }

  #wait(now: number): void {
    if (this.#state.phase !== 'waiting') this.#waits = 0;
    this.#failures = 0;
    this.#unload();
    this.#waitFor('waiting', now);
  }

  #waitFor(phase: PlayerPhase, now: number): void {
    this.#enter(phase);
    this.#later(now, backoffMs(this.#options.waitBackoff, this.#waits, this.#options.random()));
    this.#waits += 1;
  }

  #restart(now: number, kind: FailureKind, detail: string): void {
    this.#unload();
    this.#set({ failure: { kind, detail } });
    this.#lastFailureAt = now;
    this.#failures += 1;
    if (this.#failures > this.#options.failuresMax) {
      this.#giveUp();
      return;
    }
    this.#enter('recovering');
    this.#later(now, backoffMs(this.#options.recoverBackoff, this.#failures - 1, this.#options.random()));
  }

  #giveUp(): void {
    this.#unload();
    this.#wakeAt = undefined;
    this.#enter('failed');
  }

  #resume(): void {
    if (!this.#engineIdle) return;
    this.#engineIdle = false;
    this.#out.resumeLoading();
  }

  #unload(): void {
    this.#engineIdle = false;
    if (!this.#loaded) return;
    this.#loaded = false;
    this.#out.stop();
  }

  #ask(): void {
    if (this.#probing) return;
    this.#probing = true;
    this.#out.probe();
  }

  #later(now: number, delayMs: number): void {
    this.#wakeAt = now + delayMs;
  }

  #enter(phase: PlayerPhase): void {
    if (phase === 'playing') this.#set({ phase, serverSilent: false });
    else if (phase !== this.#state.phase) this.#set({ phase });
  }

  #set(change: Partial<PlayerState>): void {
    this.#state = { ...this.#state, ...change };
    this.#out.changed(this.#state);
  }
}

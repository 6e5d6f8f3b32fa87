import { type DurationMs, durationMs, type MonotonicMs, monotonicMs } from '../core/mod.ts';
import { CrashHistory } from './crash-history.ts';
import type { PlannedRung } from './ladder.ts';
import { OutputWatch } from './output-watch.ts';
import { mostExpensive, ShedRungs } from './shed-rungs.ts';

const START_MS_MAX = 20_000;
const HEARTBEAT_MS_MAX = 3_000;
/** Whoever is woken so much later than it asked for did not run itself; the child gets a moment more, once. */
const STALL_MS = 1_000;
/** A child that was to be ended and has not said so is told again. */
const END_MS_MAX = 5_000;
/** More input than this waiting in the child, for so long, is too much. */
const QUEUED_MS_MAX = 2_000;
const BEHIND_MS_MAX = 5_000;

/**
 * `idle`: nothing is wanted. `starting`, `running`: there is a child. `ending`: it is to go. `waiting`: it crashed and is started again later.
 * `gave-up`: it crashed too often; the stream is passed through until its configuration changes.
 */
export type SupervisorState = 'idle' | 'starting' | 'running' | 'ending' | 'waiting' | 'gave-up';

/** `not-wanted` and `reconfigured` are no failures of the child. */
export type KillReason = 'not-wanted' | 'reconfigured' | 'start-timeout' | 'no-heartbeat' | 'no-output';

/** What the supervisor of a stream's child asks of its owner. Calls may come from within each of the supervisor's methods. */
export interface SupervisorOutput {
  /** Start a child that makes these, at least one. Answer with `started` once it takes frames, or `exited`. */
  start(rungs: readonly PlannedRung[]): void;
  /** The child, starting or running, is to make these from now on, at least one. */
  setRungs(rungs: readonly PlannedRung[]): void;
  /** End the child, at once where the reason is a failure; `exited` is to be called when it is gone. */
  kill(reason: KillReason, message: string): void;
  /** The child failed; `start` follows after this time, unless nothing is wanted then. */
  restartIn(delayMs: DurationMs, reason: string): void;
  /** A rung is not made for a while, since the child was too slow or its encoder failed; a `setRungs` without it follows, or `kill`. */
  shed(rung: string, reason: string): void;
  /** The child is behind, and there is nothing left to shed. Repeated while it lasts. */
  lagging(queuedMs: number): void;
  /** No child any more for this configuration of the source. Code `transcode.crashed-again`. */
  gaveUp(code: string, reason: string): void;
}

/**
 * Watches over a transcoding child of a stream: starts it when rungs are wanted, ends it when none are, notices when it crashes, hangs or falls
 * behind, starts it again with growing pauses (0.2 s to 10 s), and gives up after five failures within a minute of media.
 */
export class TranscodeSupervisor {
  private readonly out: SupervisorOutput;
  private readonly outputs = new OutputWatch();
  private readonly crashes = new CrashHistory();
  private readonly shedRungs = new ShedRungs();
  private current: SupervisorState = 'idle';
  private wanted: readonly PlannedRung[] = [];
  /** Told to the child last. */
  private given: readonly PlannedRung[] = [];
  private configuration: string | undefined = undefined;
  /** Of the present state, unless it has none. */
  private deadline: MonotonicMs | undefined = undefined;
  private mayStall = true;
  private killed: { readonly reason: KillReason; readonly message: string } | undefined = undefined;
  private startedAt: MonotonicMs = monotonicMs(0);
  private mediaMs = 0;
  private behindSince: MonotonicMs | undefined = undefined;
  private queuedMs = 0;
  private restartCount = 0;
  private failure: string | undefined = undefined;

  constructor(out: SupervisorOutput) {
    this.out = out;
  }

  get state(): SupervisorState {
    return this.current;
  }

  /** Starts after failures, over all configurations. */
  get restarts(): number {
    return this.restartCount;
  }

  /** Failures one after the other, each soon after its start. */
  get failuresInARow(): number {
    return this.crashes.crashesInARow;
  }

  /** Why the child last failed; after giving up, why. */
  get lastFailure(): string | undefined {
    return this.failure;
  }

  /** The rungs that are wanted but left out for now, with the reason. */
  get shedReasons(): ReadonlyMap<string, string> {
    return this.shedRungs.reasons;
  }

  /** When `tick` is to be called. */
  get wakeAt(): MonotonicMs | undefined {
    const retryAt = this.mayTakeBack ? this.shedRungs.retryAt : undefined;
    if (this.deadline === undefined || retryAt === undefined) return this.deadline ?? retryAt;
    return monotonicMs(Math.min(this.deadline, retryAt));
  }

  /**
   * The rungs to be made; none: no child. `configuration` is any text that differs when the source's tracks do. With another one the child
   * is started anew, since its decoder and all its encoders change, and everything that failed is tried again.
   */
  want(rungs: readonly PlannedRung[], configuration: string, now: MonotonicMs): void {
    const isOther = this.configuration !== undefined && this.configuration !== configuration;
    this.configuration = configuration;
    this.wanted = rungs;
    if (isOther) this.reconfigured(now);
    this.settle(now);
  }

  /** The child takes frames. */
  started(now: MonotonicMs): void {
    if (this.current !== 'starting') return;
    this.current = 'running';
    this.behindSince = undefined;
    this.alive(now);
  }

  /** A frame of the source went into the child; `ptsMs` on the stream's timeline. */
  frameIn(kind: 'video' | 'audio', isKeyframe: boolean, ptsMs: number, now: MonotonicMs): void {
    this.mediaMs = Math.max(this.mediaMs, ptsMs);
    if (this.current !== 'running') return;
    const stuck = this.outputs.frameIn(kind, isKeyframe, now);
    if (stuck !== undefined) this.kill('no-output', `rung ${stuck} gave no frame for 5 s though frames went in`, now);
  }

  /** A frame of a rung came out. */
  frameOut(rung: string, now: MonotonicMs): void {
    this.outputs.frameOut(rung);
    if (this.current === 'running') this.alive(now);
  }

  /** The child says that it lives, at least once a second, and how much input it has not decoded yet. */
  heartbeat(now: MonotonicMs, queuedMs: number): void {
    if (this.current !== 'running') return;
    this.alive(now);
    this.queuedMs = queuedMs;
    if (!(queuedMs > QUEUED_MS_MAX)) this.behindSince = undefined;
    else if (this.behindSince === undefined) this.behindSince = now;
    else if (now - this.behindSince >= BEHIND_MS_MAX) this.fellBehind(now);
  }

  /** The encoder of one rung failed, and the child goes on without it. */
  rungFailed(rung: string, message: string, now: MonotonicMs): void {
    if (!this.given.some((planned) => planned.rung.name === rung)) return;
    this.shed(rung, message, now);
  }

  /** The child is gone, asked or not. */
  exited(reason: string, now: MonotonicMs): void {
    if (this.current !== 'starting' && this.current !== 'running' && this.current !== 'ending') return;
    const { killed } = this;
    this.become('idle');
    if (killed?.reason === 'not-wanted' || killed?.reason === 'reconfigured') this.settle(now);
    else this.failed(killed?.message ?? reason, now);
  }

  tick(now: MonotonicMs): void {
    if (this.deadline !== undefined && now >= this.deadline) this.late(now);
    if (this.mayTakeBack && this.shedRungs.takeBack(now)) this.settle(now);
  }

  /** Idle with rungs shed: all of them are. */
  private get mayTakeBack(): boolean {
    return this.current === 'idle' || (this.current === 'running' && this.behindSince === undefined);
  }

  private late(now: MonotonicMs): void {
    if (this.mayStall && this.deadline !== undefined && now - this.deadline > STALL_MS) {
      this.mayStall = false;
      this.deadline = monotonicMs(now + STALL_MS);
    } else if (this.current === 'starting') this.kill('start-timeout', `the child took no frames within ${START_MS_MAX / 1000} s`, now);
    else if (this.current === 'running') this.kill('no-heartbeat', `the child said nothing for ${HEARTBEAT_MS_MAX / 1000} s`, now);
    else if (this.current === 'ending' && this.killed !== undefined) this.kill(this.killed.reason, this.killed.message, now);
    else if (this.current === 'waiting') {
      this.become('idle');
      this.restartCount++;
      this.settle(now);
    }
  }

  private reconfigured(now: MonotonicMs): void {
    this.crashes.clear();
    this.shedRungs.clear();
    if (this.current === 'starting' || this.current === 'running') this.kill('reconfigured', 'the source changed', now);
    else if (this.current === 'ending') this.killed = { reason: 'reconfigured', message: 'the source changed' };
    else this.become('idle');
  }

  /** Makes what is the case what is wanted. */
  private settle(now: MonotonicMs): void {
    const active = this.wanted.filter(({ rung }) => !this.shedRungs.has(rung.name));
    const isChildThere = this.current === 'starting' || this.current === 'running';
    if (active.length === 0) {
      const message = this.wanted.length === 0 ? 'nobody wants its rungs' : 'none of its rungs can be made for now';
      if (isChildThere) this.kill('not-wanted', message, now);
      else if (this.current === 'waiting') this.become('idle');
    } else if (isChildThere) {
      if (isSame(active, this.given)) return;
      this.give(active, false);
      this.out.setRungs(active);
    } else if (this.current === 'idle') {
      this.become('starting', monotonicMs(now + START_MS_MAX));
      this.startedAt = now;
      this.give(active, true);
      this.out.start(active);
    }
  }

  private give(rungs: readonly PlannedRung[], isNewChild: boolean): void {
    this.given = rungs;
    this.outputs.watch(rungs, isNewChild);
  }

  private fellBehind(now: MonotonicMs): void {
    this.behindSince = now;
    const rung = mostExpensive(this.given);
    if (rung === undefined) this.out.lagging(this.queuedMs);
    else this.shed(rung.rung.name, `the machine is too slow: ${Math.round(this.queuedMs)} ms of input waited`, now);
  }

  private shed(rung: string, reason: string, now: MonotonicMs): void {
    this.shedRungs.add(rung, reason, now);
    this.out.shed(rung, reason);
    this.settle(now);
  }

  private failed(reason: string, now: MonotonicMs): void {
    this.failure = reason;
    const delayMs = this.crashes.crashed(this.mediaMs, this.startedAt, now);
    if (delayMs === undefined) {
      this.failure = `${this.crashes.summary}, the last one: ${reason}`;
      this.become('gave-up');
      this.out.gaveUp('transcode.crashed-again', this.failure);
    } else if (this.wanted.length > 0) {
      this.become('waiting', monotonicMs(now + delayMs));
      this.out.restartIn(durationMs(delayMs), reason);
    }
  }

  private kill(reason: KillReason, message: string, now: MonotonicMs): void {
    this.become('ending', monotonicMs(now + END_MS_MAX));
    this.killed = { reason, message };
    this.out.kill(reason, message);
  }

  private alive(now: MonotonicMs): void {
    this.mayStall = true;
    this.deadline = monotonicMs(now + HEARTBEAT_MS_MAX);
  }

  private become(state: SupervisorState, deadline?: MonotonicMs): void {
    this.current = state;
    this.deadline = deadline;
    this.mayStall = true;
    this.killed = undefined;
  }
}

/** Plans of one configuration are the same when the same rungs are in them. */
const isSame = (a: readonly PlannedRung[], b: readonly PlannedRung[]): boolean =>
  a.length === b.length && a.every((planned, index) => planned === b[index] || planned.rung.name === b[index]?.rung.name);

import type pino from 'pino';
import { type MonotonicMs, ticksToMs } from '../../core/mod.ts';
import type { Hub, LiveStream } from '../../hub/mod.ts';
import type { Frame, Track } from '../../media/mod.ts';
import {
  type Ladder,
  type LeftOutRung,
  type PlannedRung,
  planRungs,
  SOURCE_HEIGHT,
  type SupervisorState,
  type TaskDecision,
  type TaskWish,
  TranscodeSupervisor,
  taskWeight,
} from '../../transcode/mod.ts';
import type { Clock } from '../clock.ts';
import { OfferedRung } from './offered-rung.ts';
import type { RungMakers, RungStanding } from './rung-makers.ts';
import type { TranscodeChildren } from './transcode-children.ts';
import type { Transcoder, TranscoderStats } from './transcoder.ts';

export interface StreamTranscodingOptions {
  readonly stream: LiveStream;
  readonly hub: Pick<Hub, 'rendition'>;
  readonly ladder: Ladder;
  readonly children: TranscodeChildren;
  /** Absent: rungs are made here alone. */
  readonly makers: RungMakers | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
  /** Wishes changed: tasks have to be allocated anew, soon. */
  readonly wishesChanged: () => void;
}

/** How a rung of a stream stands. `refused`: for want of tasks; `failed`: it cannot be made for now. */
export type RungCondition = 'offered' | 'running' | 'refused' | 'failed';

export interface RungReport {
  readonly planned: PlannedRung;
  readonly condition: RungCondition;
  /** Why it is refused or failed, or made here where another node should. */
  readonly reason: string | undefined;
  /** The node that makes it, where that is another one. */
  readonly by: string | undefined;
}

export interface ChildReport {
  readonly state: SupervisorState;
  readonly restarts: number;
  readonly lastFailure: string | undefined;
  readonly stats: TranscoderStats | undefined;
}

/** A rung that was refused is offered again after this: others may have left. */
const REFUSED_MS = 10_000;

/** The ladder of one stream: what is offered, what is being made and why not, and the child that makes it. */
export class StreamTranscoding {
  readonly stream: LiveStream;
  private readonly options: StreamTranscodingOptions;
  private readonly supervisor: TranscodeSupervisor;
  private readonly rungs = new Map<string, OfferedRung>();
  private readonly refused = new Map<string, { readonly reason: string; readonly until: number }>();
  private planned: readonly PlannedRung[] = [];
  private leftOut: readonly LeftOutRung[] = [];
  private plannedFor: { readonly tracks: readonly Track[]; readonly hasReorderedFrames: boolean } | undefined = undefined;
  private configuration = 0;
  private child: Transcoder | undefined = undefined;
  private detach: (() => void) | undefined = undefined;
  /** For its turn to start a child. */
  private isWaiting = false;
  private isClosed = false;

  constructor(options: StreamTranscodingOptions) {
    this.options = options;
    this.stream = options.stream;
    this.supervisor = this.createSupervisor();
  }

  /** Rungs of the ladder that this stream does not get, with the reason. */
  get left(): readonly LeftOutRung[] {
    return this.leftOut;
  }

  /** What somebody wants made. */
  wishes(): readonly TaskWish[] {
    return [...this.rungs.values()]
      .filter(({ isWish }) => isWish)
      .map(({ planned: { rung }, life }) => ({
        stream: this.stream.ref.path,
        rung: rung.name,
        viewers: life.viewers > 0 ? Math.max(1, viewersOf(this.stream)) : 0,
        weight: taskWeight(rung),
        isAlways: this.options.ladder.always && !this.isForeign,
      }));
  }

  /** The rungs that hold a task. */
  assigned(): readonly string[] {
    return [...this.rungs.values()].filter(({ isAssigned }) => isAssigned).map(({ planned }) => planned.rung.name);
  }

  /** What was decided about this stream's wishes. */
  decided(decisions: readonly TaskDecision[], now: MonotonicMs): void {
    for (const decision of decisions) {
      const rung = this.rungs.get(decision.rung);
      if (rung === undefined) continue;
      if (rung.isAssigned && !decision.isAssigned) rung.rest();
      rung.isAssigned = decision.isAssigned;
      if (!decision.isAssigned && decision.reason === 'limit') this.refuse(rung, decision.message, now);
    }
    this.want(now);
  }

  tick(now: MonotonicMs): void {
    this.plan(now);
    for (const { life } of this.rungs.values()) life.tick(now);
    if (this.isWaiting) this.want(now);
    this.supervisor.tick(now);
    this.offer(now);
  }

  report(): readonly RungReport[] {
    return this.planned.flatMap((planned) => this.reportOf(planned) ?? []);
  }

  /** Of a stream from another node: whether this node has a rung for others, or why not. Undefined while that is not known. */
  standingOf(name: string): RungStanding | undefined {
    const rung = this.rungs.get(name);
    if (rung !== undefined) return { isOffered: true, isWanted: rung.life.state !== 'idle', reason: undefined };
    if (this.plannedFor === undefined) return undefined;
    const obstacle = this.obstacleOf(name)?.reason ?? this.leftOut.find((left) => left.name === name)?.reason;
    const isPlanned = this.planned.some(({ rung: { name: other } }) => other === name);
    const reason = obstacle ?? (isPlanned ? undefined : `the ladder of ${this.stream.ref.app} has no rung ${name} here`);
    return { isOffered: false, isWanted: false, reason };
  }

  childReport(): ChildReport {
    const { state, restarts, lastFailure } = this.supervisor;
    return { state, restarts, lastFailure, stats: this.child?.stats() };
  }

  /** The stream is over, or nothing is transcoded any more. Settles when the child is gone. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const name of [...this.rungs.keys()]) this.withdraw(name);
    await this.endChild();
  }

  private reportOf(planned: PlannedRung): RungReport | undefined {
    const { name } = planned.rung;
    const obstacle = this.obstacleOf(name);
    if (obstacle !== undefined) return { planned, ...obstacle, by: undefined };
    const rung = this.rungs.get(name);
    if (rung === undefined && this.isForeign) return undefined;
    const isRunning = rung?.isAssigned === true || rung?.by !== undefined;
    return { planned, condition: isRunning ? 'running' : 'offered', reason: rung?.reason, by: rung?.by };
  }

  private obstacleOf(name: string): { readonly condition: 'failed' | 'refused'; readonly reason: string | undefined } | undefined {
    const shed = this.supervisor.shedReasons.get(name);
    const refused = this.refused.get(name)?.reason;
    if (this.supervisor.state === 'gave-up') return { condition: 'failed', reason: this.supervisor.lastFailure };
    if (shed !== undefined) return { condition: 'failed', reason: shed };
    return refused === undefined ? undefined : { condition: 'refused', reason: refused };
  }

  /** Whether another node brings the stream: then only those of its rungs are made that are wanted of this node. */
  private get isForeign(): boolean {
    return this.stream.publisher.protocol === 'relay';
  }

  private isOurs(name: string): boolean {
    return !this.isForeign || this.options.makers?.makes(this.stream.ref.path, name) === true;
  }

  /** Follows the source's tracks: another configuration is another plan. */
  private plan(now: MonotonicMs): void {
    const { tracks, hasReorderedFrames, state } = this.stream;
    if (tracks.length === 0 || state === 'held') return;
    const { plannedFor } = this;
    if (plannedFor?.tracks === tracks && plannedFor.hasReorderedFrames === hasReorderedFrames) return;
    if (plannedFor?.tracks !== tracks) this.configuration++;
    this.plannedFor = { tracks, hasReorderedFrames };
    const { planned, left } = planRungs(this.options.ladder, tracks, hasReorderedFrames);
    this.leftOut = left;
    for (const [name, rung] of this.rungs) {
      if (!planned.some((other) => isSame(other, rung.planned))) this.withdraw(name);
    }
    this.planned = planned;
    this.refused.clear();
    this.want(now);
    this.offer(now);
  }

  /** Offers what is planned and can be made. */
  private offer(now: MonotonicMs): void {
    if (this.isClosed || this.supervisor.state === 'gave-up') return;
    for (const planned of this.planned) {
      const { name } = planned.rung;
      if (!this.isOurs(name)) {
        this.withdraw(name);
        continue;
      }
      const refused = this.refused.get(name);
      if (refused !== undefined && now >= refused.until) this.refused.delete(name);
      if (!this.rungs.has(name) && !this.refused.has(name) && !this.supervisor.shedReasons.has(name)) this.offerRung(planned, now);
    }
  }

  private offerRung(planned: PlannedRung, now: MonotonicMs): void {
    const { hub, ladder, makers, clock, log } = this.options;
    const { rung, expected } = planned;
    const { name, kind, codec } = rung;
    const offered = new OfferedRung(
      {
        stream: this.stream,
        hub,
        planned,
        offer: { name, kind, audience: audienceOf(name, ladder), expected: { codec, ...expected } },
        life: { isAlways: ladder.always && !this.isForeign, lingerMs: ladder.lingerMs },
        makers: this.isForeign ? undefined : makers,
        clock,
        log,
      },
      { wishChanged: () => this.options.wishesChanged(), gone: () => this.rungs.delete(name) },
    );
    this.rungs.set(name, offered);
    if (!offered.begin(now)) this.rungs.delete(name);
  }

  private refuse({ planned }: OfferedRung, reason: string, now: MonotonicMs): void {
    const { name } = planned.rung;
    this.refused.set(name, { reason, until: now + REFUSED_MS });
    this.options.log.warn({ code: 'transcode.refused', stream: this.stream.ref.path, rung: name }, reason);
    this.withdraw(name);
  }

  private withdraw(name: string): void {
    const rung = this.rungs.get(name);
    this.rungs.delete(name);
    rung?.end();
  }

  private want(now: MonotonicMs): void {
    const assigned = [...this.rungs.values()].filter(({ isAssigned }) => isAssigned).map(({ planned }) => planned);
    this.isWaiting = assigned.length > 0 && this.supervisor.state === 'idle' && !this.options.children.mayTake;
    if (this.isWaiting) return;
    this.supervisor.want(assigned, String(this.configuration), now);
  }

  private createSupervisor(): TranscodeSupervisor {
    const { log, stream } = this.options;
    const fields = { stream: stream.ref.path };
    return new TranscodeSupervisor({
      start: (rungs) => this.startChild(rungs),
      setRungs: (rungs) => this.child?.setRungs(rungs),
      kill: (reason, message) => {
        if (reason === 'not-wanted' || reason === 'reconfigured') log.debug({ code: 'transcode.ended', ...fields, reason }, message);
        else log.warn({ code: 'transcode.killed', ...fields, reason }, message);
        const whenGone = this.endChild(reason !== 'not-wanted' && reason !== 'reconfigured');
        // Viewers wait for what the new source's child makes, and not for the old one to end.
        const whenOver = reason === 'reconfigured' ? Promise.resolve() : whenGone;
        void whenOver.then(() => this.supervisor.exited(message, this.options.clock.monotonic()));
      },
      restartIn: (delayMs, reason) => log.warn({ code: 'transcode.restarting', ...fields, delayMs }, `the transcoder failed: ${reason}`),
      shed: (rung, reason) => {
        log.warn({ code: 'transcode.shed', ...fields, rung }, reason);
        this.withdraw(rung);
      },
      lagging: (queuedMs) => log.warn({ code: 'transcode.lagging', ...fields, queuedMs }, 'the transcoder is behind'),
      gaveUp: (code, reason) => {
        log.error({ code, ...fields }, `the stream is passed through as it is: ${reason}`);
        for (const name of [...this.rungs.keys()]) this.withdraw(name);
      },
    });
  }

  private startChild(rungs: readonly PlannedRung[]): void {
    const { children, clock, log, stream } = this.options;
    const child = children.take();
    this.child = child;
    const isCurrent = (): boolean => this.child === child;
    child.start(
      { tracks: stream.tracks, rungs },
      {
        started: () => this.supervisor.started(clock.monotonic()),
        heartbeat: (queuedMs) => this.supervisor.heartbeat(clock.monotonic(), queuedMs),
        frame: (name, frame) => {
          const now = clock.monotonic();
          this.rungs.get(name)?.write(frame, now);
          this.supervisor.frameOut(name, now);
        },
        lagging: () => undefined,
        failed: (code, message) => log.warn({ code, stream: stream.ref.path }, message),
        exited: (reason) => {
          if (!isCurrent()) return;
          this.leaveSource();
          this.child = undefined;
          this.supervisor.exited(reason, clock.monotonic());
        },
        rungFailed: (name, _code, message) => this.supervisor.rungFailed(name, message, clock.monotonic()),
      },
    );
    // The cached group of pictures comes first: the rungs begin with it, and not with the next keyframe.
    this.detach = stream.attach({
      tracks: () => undefined,
      frame: (frame) => {
        if (isCurrent()) this.feed(child, frame);
      },
      paused: () => undefined,
      ended: () => undefined,
    });
  }

  private feed(child: Transcoder, frame: Frame): void {
    const { kind, timescale } = frame.track;
    if (!child.frame(frame)) return;
    this.supervisor.frameIn(kind, frame.isKeyframe, ticksToMs(frame.pts, timescale), this.options.clock.monotonic());
  }

  private leaveSource(): void {
    this.detach?.();
    this.detach = undefined;
  }

  private async endChild(isFailure = false): Promise<void> {
    const { child } = this;
    this.leaveSource();
    this.child = undefined;
    if (child === undefined) return;
    if (isFailure) child.kill();
    await child.close();
  }
}

/** A rung of the source's own size is planned only where WebRTC cannot play the source. */
function audienceOf(name: string, { rungs }: Ladder): 'everybody' | 'webrtc' {
  const rung = rungs.find((one) => one.name === name);
  return rung?.kind === 'video' && rung.height === SOURCE_HEIGHT ? 'webrtc' : 'everybody';
}

const isSame = (a: PlannedRung, b: PlannedRung): boolean => JSON.stringify(a) === JSON.stringify(b);

function viewersOf({ viewers }: LiveStream): number {
  let count = 0;
  for (const each of viewers.values()) count += each;
  return count;
}

import type pino from 'pino';
import { type MonotonicMs, ticksToMs } from '../../core/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import type { Frame, SourceFrame } from '../../media/mod.ts';
import { type KillReason, type PlannedRung, type SupervisorOutput, TranscodeSupervisor } from '../../transcode/mod.ts';
import type { Clock } from '../clock.ts';
import type { ChildPurpose, TranscodeChildren } from './transcode-children.ts';
import type { Transcoder, TranscoderStats } from './transcoder.ts';

export interface StreamLaneOptions {
  readonly stream: LiveStream;
  readonly kind: ChildPurpose;
  readonly children: TranscodeChildren;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

export interface StreamLaneOutput {
  /** Whether somebody else may have made the rung before, so that its viewers are in the middle of a segment. */
  isTakenOver(rung: string): boolean;
  frame(rung: string, frame: SourceFrame, now: MonotonicMs): void;
  /** The rung is not made for a while; `reason` is in the supervisor's `shedReasons`. */
  shed(rung: string): void;
  /** Nothing of this kind is made any more, until the source changes. */
  gaveUp(): void;
}

/** The pictures or the sound of one stream: the child that makes their rungs, fed and watched over. */
export class StreamLane {
  readonly kind: ChildPurpose;
  readonly supervisor: TranscodeSupervisor;
  private readonly options: StreamLaneOptions;
  private readonly out: StreamLaneOutput;
  private child: Transcoder | undefined = undefined;
  private detach: (() => void) | undefined = undefined;
  private assigned: readonly PlannedRung[] = [];
  private configuration = '';
  /** What the child was told to make last. */
  private given: readonly PlannedRung[] = [];
  /** Rungs that are to go on with the source's next part. */
  private readonly takenOver = new Set<string>();
  /** For its turn to start a child. */
  private isWaiting = false;

  constructor(options: StreamLaneOptions, out: StreamLaneOutput) {
    this.kind = options.kind;
    this.options = options;
    this.out = out;
    this.supervisor = new TranscodeSupervisor(this.supervised());
  }

  /** The rungs to be made, those of another kind left aside; `configuration` as the supervisor has it. */
  want(assigned: readonly PlannedRung[], configuration: string, now: MonotonicMs): void {
    this.assigned = assigned.filter(({ rung }) => rung.kind === this.kind);
    this.configuration = configuration;
    this.settle(now);
  }

  /** A viewer of the rung cannot go on without a keyframe. */
  requestKeyframe(rung: string): void {
    this.child?.requestKeyframe(rung);
  }

  tick(now: MonotonicMs): void {
    if (this.isWaiting) this.settle(now);
    this.supervisor.tick(now);
  }

  stats(): TranscoderStats | undefined {
    return this.child?.stats();
  }

  /** Settles when the child is gone. */
  async close(): Promise<void> {
    await this.endChild();
  }

  private settle(now: MonotonicMs): void {
    const { supervisor, assigned, kind } = this;
    const needsChild = assigned.length > 0 && supervisor.state === 'idle';
    this.isWaiting = needsChild && !this.options.children.mayTake(kind, supervisor.failuresInARow);
    if (!this.isWaiting) supervisor.want(assigned, this.configuration, now);
  }

  private supervised(): SupervisorOutput {
    const { log, stream } = this.options;
    const fields = { stream: stream.ref.path, kind: this.options.kind };
    return {
      start: (rungs) => this.startChild(rungs),
      setRungs: (rungs) => {
        this.child?.setRungs(rungs);
        this.takeOver(rungs);
      },
      kill: (reason, message) => this.kill(reason, message),
      restartIn: (delayMs, reason) => log.warn({ code: 'transcode.restarting', ...fields, delayMs }, `the transcoder failed: ${reason}`),
      shed: (rung, reason) => {
        log.warn({ code: 'transcode.shed', ...fields, rung }, reason);
        this.out.shed(rung);
      },
      lagging: (queuedMs) => log.warn({ code: 'transcode.lagging', ...fields, queuedMs }, 'the transcoder is behind'),
      gaveUp: (code, reason) => {
        log.error({ code, ...fields }, `the ${WHAT[this.kind]} of the stream is passed through as it is: ${reason}`);
        this.out.gaveUp();
      },
    };
  }

  private kill(reason: KillReason, message: string): void {
    const { log, stream, clock } = this.options;
    const fields = { stream: stream.ref.path, kind: this.kind, reason };
    const isFailure = reason !== 'not-wanted' && reason !== 'reconfigured';
    if (isFailure) log.warn({ code: 'transcode.killed', ...fields }, message);
    else log.debug({ code: 'transcode.ended', ...fields }, message);
    const whenGone = this.endChild(isFailure);
    // Viewers wait for what the new source's child makes, and not for the old one to end.
    const whenOver = reason === 'reconfigured' ? Promise.resolve() : whenGone;
    void whenOver.then(() => this.supervisor.exited(message, clock.monotonic()));
  }

  private startChild(rungs: readonly PlannedRung[]): void {
    const { children, clock, log, stream } = this.options;
    const child = children.take(this.kind, this.supervisor.failuresInARow);
    this.child = child;
    const isCurrent = (): boolean => this.child === child;
    const tracks = stream.tracks.filter(({ kind }) => kind === this.kind);
    child.start(
      { tracks, rungs },
      {
        started: () => this.supervisor.started(clock.monotonic()),
        heartbeat: (queuedMs) => this.supervisor.heartbeat(clock.monotonic(), queuedMs),
        frame: (name, frame) => {
          const now = clock.monotonic();
          this.out.frame(name, frame, now);
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
        if (frame.track.kind === this.kind && isCurrent()) this.feed(child, frame);
      },
      paused: () => undefined,
      ended: () => undefined,
    });
    this.given = [];
    this.takenOver.clear();
    this.takeOver(rungs);
    // What the cached pictures show was made before: the rungs go on with the next one, and not with the source's next keyframe.
    if (this.supervisor.failuresInARow > 0) for (const { rung } of rungs) child.requestKeyframe(rung.name);
  }

  /** What another node began does not fit together with what is made here: whoever has that goes on with a part that begins with a keyframe. */
  private takeOver(rungs: readonly PlannedRung[]): void {
    for (const { rung } of rungs.filter((planned) => !this.given.includes(planned))) {
      if (this.out.isTakenOver(rung.name)) this.takenOver.add(rung.name);
    }
    this.given = rungs;
  }

  private feed(child: Transcoder, frame: Frame): void {
    if (frame.startsPart && this.takenOver.size > 0) {
      child.keyframesAt(this.takenOver, frame.dts);
      this.takenOver.clear();
    }
    if (!child.frame(frame)) return;
    const { kind, timescale } = frame.track;
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

const WHAT = { video: 'picture', audio: 'sound' } as const;

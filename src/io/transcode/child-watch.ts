import type { Heartbeat } from './messages.ts';

const TICK_MS = 500;
/** Heartbeats come with each tick. Counting ticks and not time, a stall of this process is not taken for one of the child. */
const SILENT_TICKS_MAX = 8;
/** Loading FFmpeg takes a fraction of a second, much more on a machine that is overloaded. */
const START_TICKS_MAX = 40;
/** So long input may wait without any progress, once FFmpeg is loaded. */
const STUCK_TICKS_MAX = 20;
const LAGGING_MS = 2000;

type Kind = 'video' | 'audio';

export interface ChildWatchOutput {
  heartbeat(queuedMs: number): void;
  lagging(queuedMs: number): void;
  /** The child is of no use any more: `transcode.hung` (it does not answer) or `transcode.stuck` (it answers, but its work does not go on). */
  dead(code: string, message: string): void;
}

/** Watches a child by its heartbeats, and how far behind its input it is. */
export class ChildWatch {
  private readonly out: ChildWatchOutput;
  private readonly timer: NodeJS.Timeout;
  private readonly writtenMs: Partial<Record<Kind, number>> = {};
  private readonly doneMs: Partial<Record<Kind, number>> = {};
  private isReady = false;
  private silentTicks = 0;
  private stuckTicks = 0;
  private lastDone = '';
  private last: Heartbeat | undefined = undefined;

  constructor(out: ChildWatchOutput) {
    this.out = out;
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  get cpuS(): number {
    return this.last?.cpuS ?? 0;
  }

  get framesCorrupt(): number {
    return this.last?.framesCorrupt ?? 0;
  }

  /** The larger backlog of the two kinds, in milliseconds of the stream. */
  get queuedMs(): number {
    return Math.max(this.behindMs('video'), this.behindMs('audio'));
  }

  ready(): void {
    this.isReady = true;
    this.silentTicks = 0;
  }

  /** A frame with this decoding time went into the pipe. */
  written(kind: Kind, dtsMs: number): void {
    this.writtenMs[kind] = dtsMs;
    // Before the first frame is done, all from it on is behind.
    this.doneMs[kind] ??= dtsMs;
  }

  /** A frame with this decoding time came back: so the child lives, too. */
  done(kind: Kind, dtsMs: number): void {
    this.silentTicks = 0;
    this.doneMs[kind] = Math.max(dtsMs, this.doneMs[kind] ?? dtsMs);
  }

  heartbeat(heartbeat: Heartbeat): void {
    this.last = heartbeat;
    this.silentTicks = 0;
    const { video, audio } = heartbeat.doneMs;
    if (video !== undefined && this.writtenMs.video !== undefined) this.done('video', video);
    if (audio !== undefined && this.writtenMs.audio !== undefined) this.done('audio', audio);
    const { queuedMs } = this;
    this.out.heartbeat(queuedMs);
    if (queuedMs > LAGGING_MS) this.out.lagging(queuedMs);
  }

  /** No more frames of this kind are written; what waits does not matter. */
  forget(kind: Kind): void {
    delete this.writtenMs[kind];
    delete this.doneMs[kind];
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    this.silentTicks++;
    if (this.silentTicks > (this.isReady ? SILENT_TICKS_MAX : START_TICKS_MAX)) {
      this.stop();
      this.out.dead('transcode.hung', `the transcoding process has not answered for ${(this.silentTicks * TICK_MS) / 1000} s`);
      return;
    }
    const done = JSON.stringify(this.doneMs);
    // A child that still loads cannot have done anything: that has a limit of its own.
    const isIdle = this.isReady && done === this.lastDone && this.queuedMs > LAGGING_MS;
    this.stuckTicks = isIdle ? this.stuckTicks + 1 : 0;
    this.lastDone = done;
    if (this.stuckTicks <= STUCK_TICKS_MAX) return;
    this.stop();
    this.out.dead(
      'transcode.stuck',
      `the transcoding process has done nothing for ${(this.stuckTicks * TICK_MS) / 1000} s, though input waits`,
    );
  }

  private behindMs(kind: Kind): number {
    return Math.max(0, (this.writtenMs[kind] ?? 0) - (this.doneMs[kind] ?? 0));
  }
}

import type { Logger } from 'pino';
import { ticksToMs } from '../../core/mod.ts';
import { type Frame, type SourceFrame, sameConfiguration, type Track } from '../../media/mod.ts';
import type { PlannedRung } from '../../transcode/mod.ts';
import type { PipedFrame } from '../ffmpeg/mod.ts';
import { ChildWatch } from './child-watch.ts';
import { encodersFor } from './encoder-names.ts';
import { isKnownAvailable } from './encoder-probe.ts';
import { pipedTrack } from './messages.ts';
import { RungOutput } from './rung-output.ts';
import { type Seat, TranscodeProcess } from './transcode-process.ts';

/** Input that the child has not read yet, at most: twice what the hub keeps of a stream for newcomers. */
const BACKLOG_BYTES_MAX = 16 * 1024 * 1024;

export interface TranscodeJob {
  readonly tracks: readonly Track[];
  readonly rungs: readonly PlannedRung[];
}

/** Called from the event loop, never from within a call of the transcoder's, and not any more once `close` was called. */
export interface TranscodeListener {
  /** The child has loaded FFmpeg and works. */
  started?(): void;
  /** The child lives; twice a second, with what waits in the pipe and in the child. */
  heartbeat?(queuedMs: number): void;
  /** A frame of a rung; `frame.track` is the rung's own (video has id 1, audio 2). Given. */
  frame(rung: string, frame: SourceFrame): void;
  /** The child is so far behind; told twice a second while it is. */
  lagging(queuedMs: number): void;
  /**
   * Something is wrong with the child or the source: `transcode.unavailable` (no FFmpeg on this platform), `transcode.hung` and
   * `transcode.stuck` (the child was killed, `exited` follows), `transcode.frame-failed` (the first frame that failed),
   * `transcode.source-failed` (nothing of the source can be decoded).
   */
  failed(code: string, message: string): void;
  /** The child is gone; nothing follows. */
  exited(reason: string): void;
  /** One rung ended, the others go on: `transcode.no-encoder`, `transcode.encoder-failed`, `transcode.bad-encoder-output`. */
  rungFailed(rung: string, code: string, message: string): void;
}

export interface TranscoderStats {
  readonly framesIn: number;
  readonly framesOut: number;
  /** Frames that did not get into the full pipe, and those up to the next keyframe. */
  readonly framesDropped: number;
  /** Frames that could not be decoded, wholly or in part. */
  readonly framesCorrupt: number;
  /** How much of the stream waits in the pipe and in the child. */
  readonly queuedMs: number;
  /** Processor seconds that the child used for it. */
  readonly cpuS: number;
}

interface Input {
  track: Track | undefined;
  isWanted: boolean;
  needsKeyframe: boolean;
}

/** Decodes one stream in a child process and makes all its running rungs. */
export class Transcoder {
  private readonly log: Logger;
  private readonly seat: Seat;
  private readonly watch: ChildWatch;
  private readonly video: Input = { track: undefined, isWanted: false, needsKeyframe: true };
  private readonly audio: Input = { track: undefined, isWanted: false, needsKeyframe: false };
  private outputs = new Map<number, RungOutput>();
  private listener: TranscodeListener | undefined = undefined;
  private exitReason: string | undefined = undefined;
  private failure: { readonly code: string; readonly message: string } | undefined = undefined;
  private isReady = false;
  private framesIn = 0;
  private framesOut = 0;
  private framesDropped = 0;

  /** Takes a place in the process and waits for `start`. */
  constructor(log: Logger, process: TranscodeProcess) {
    this.log = log;
    this.seat = process.seat({
      ready: () => this.ready(),
      heartbeat: (heartbeat) => this.watch.heartbeat(heartbeat),
      config: (number, config, encoder) => this.configured(number, config, encoder),
      rungFailed: (number, code, message) => this.rungFailed(number, code, message),
      frame: (frame) => this.encoded(frame),
      failed: (code, message) => this.fail(code, message),
      exited: (reason) => this.exited(reason),
    });
    this.watch = new ChildWatch({
      heartbeat: (queuedMs) => this.listener?.heartbeat?.(queuedMs),
      lagging: (queuedMs) => this.listener?.lagging(queuedMs),
      dead: (code, message) => {
        this.fail(code, message);
        this.seat.kill();
      },
    });
  }

  /** Starts a child that loads FFmpeg and then waits for `start`, so that a first viewer does not wait for that. */
  static warm(log: Logger): Transcoder {
    return new Transcoder(log, new TranscodeProcess());
  }

  get pid(): number | undefined {
    return this.seat.pid;
  }

  /** Whether the child has loaded FFmpeg and works. */
  get hasStarted(): boolean {
    return this.isReady;
  }

  /** Whether the child is gone. */
  get isGone(): boolean {
    return this.exitReason !== undefined;
  }

  /** Begins the work; call it once, then `frame` from a keyframe on. */
  start(job: TranscodeJob, listener: TranscodeListener): void {
    this.listener = listener;
    for (const track of job.tracks) this.setTrack(this.inputOf(track), track);
    this.setRungs(job.rungs);
    const { exitReason, failure, isReady } = this;
    // What happened while nobody listened.
    if (isReady) queueMicrotask(() => this.listener?.started?.());
    if (failure !== undefined) queueMicrotask(() => this.listener?.failed(failure.code, failure.message));
    if (exitReason !== undefined) queueMicrotask(() => this.listener?.exited(exitReason));
  }

  /** The rungs from now on. Those that stay are not disturbed; new ones begin with the source's next keyframe, sound at once. */
  setRungs(rungs: readonly PlannedRung[]): void {
    const before = [...this.outputs.values()];
    const outputs = rungs.map((planned) => before.find((output) => output.isOf(planned)) ?? this.newOutput(planned));
    this.outputs = new Map(outputs.map((output) => [output.number, output]));
    for (const [kind, input] of [
      ['video', this.video],
      ['audio', this.audio],
    ] as const) {
      const wasWanted = input.isWanted;
      input.isWanted = rungs.some(({ rung }) => rung.kind === kind);
      if (kind === 'video' && !wasWanted) input.needsKeyframe = true;
      if (!input.isWanted) this.watch.forget(kind);
    }
    this.seat.setRungs(outputs.map((output) => output.numbered));
  }

  /** Rungs get a keyframe where the source has none, or begin there: with the first picture that has at least this decoding time, in ticks of the source. */
  keyframesAt(rungs: ReadonlySet<string>, dts: number): void {
    const outputs = [...this.outputs.values()];
    this.seat.setRungs(outputs.map(({ name, numbered }) => (rungs.has(name) ? { ...numbered, keyframeAtDts: dts } : numbered)));
  }

  /** A viewer of the rung cannot go on without a keyframe: it gets one with the next picture. */
  requestKeyframe(rung: string): void {
    for (const { name, number } of this.outputs.values()) if (name === rung) this.seat.requestKeyframe(number);
  }

  /**
   * The source's next frame, on the stream's timeline. It is written at once; its payload must never change. Returns false when the pipe is full or
   * the child gone: the frame is dropped, and the pictures behind it up to the next keyframe.
   */
  frame(frame: Frame): boolean {
    const { track } = frame;
    const input = this.inputOf(track);
    if (this.exitReason !== undefined) return false;
    if (!input.isWanted) return true;
    if (this.seat.backlogBytes > BACKLOG_BYTES_MAX) return this.drop(input, track.kind === 'video');
    if (input.needsKeyframe && !frame.isKeyframe) return true;
    input.needsKeyframe = false;
    this.setTrack(input, track);
    this.framesIn++;
    this.watch.written(track.kind, ticksToMs(frame.dts, track.timescale));
    this.seat.sendFrame(frame);
    return true;
  }

  /** Ends the work at once; `exited` follows. */
  kill(): void {
    this.seat.kill();
  }

  /** Ends the work politely; with its last work the child, by force after 2 s. Settles when that is done. */
  async close(): Promise<void> {
    this.listener = undefined;
    this.watch.stop();
    await this.seat.close();
  }

  stats(): TranscoderStats {
    const { framesIn, framesOut, framesDropped, watch } = this;
    return { framesIn, framesOut, framesDropped, framesCorrupt: watch.framesCorrupt, queuedMs: watch.queuedMs, cpuS: watch.cpuS };
  }

  private inputOf(track: Track): Input {
    return track.kind === 'video' ? this.video : this.audio;
  }

  private setTrack(input: Input, track: Track): void {
    if (input.track === track) return;
    const isSame = input.track !== undefined && sameConfiguration(input.track, track);
    input.track = track;
    if (!isSame) this.seat.setTrack(pipedTrack(track));
  }

  private newOutput(planned: PlannedRung): RungOutput {
    const { rung } = planned;
    const encoders = rung.kind === 'video' ? encodersFor(rung.codec, rung.encoder, isKnownAvailable) : [];
    return new RungOutput(this.seat.newRung(), planned, encoders);
  }

  private drop(input: Input, isVideo: boolean): false {
    this.framesDropped++;
    input.needsKeyframe = isVideo;
    return false;
  }

  private ready(): void {
    this.isReady = true;
    this.watch.ready();
    this.listener?.started?.();
  }

  private configured(number: number, config: string, encoder: string): void {
    const output = this.outputs.get(number);
    this.log.debug({ rung: output?.name, encoder }, 'a rung runs');
    output?.setConfig(config);
  }

  private encoded(piped: PipedFrame): void {
    const output = this.outputs.get(piped.channel);
    if (output === undefined) return;
    const made = output.take(piped);
    if (made === undefined) return;
    if ('failure' in made) {
      this.rungFailed(piped.channel, 'transcode.bad-encoder-output', made.failure);
      return;
    }
    this.framesOut++;
    this.watch.done(made.track.kind, ticksToMs(made.dts, made.track.timescale));
    this.listener?.frame(output.name, made);
  }

  private rungFailed(number: number, code: string, message: string): void {
    const output = this.outputs.get(number);
    this.outputs.delete(number);
    if (output !== undefined) this.listener?.rungFailed(output.name, code, message);
  }

  private fail(code: string, message: string): void {
    this.failure ??= { code, message };
    this.listener?.failed(code, message);
  }

  private exited(reason: string): void {
    this.exitReason = reason;
    this.watch.stop();
    this.listener?.exited(reason);
  }
}

import type pino from 'pino';
import type { Hub, LiveStream } from '../../hub/mod.ts';
import { allocateTasks, type Ladder, type TaskDecision, type TaskKey } from '../../transcode/mod.ts';
import type { Clock } from '../clock.ts';
import { type EncoderReport, probeEncoders } from './encoder-probe.ts';
import type { RungMakers, RungStanding } from './rung-makers.ts';
import { type ChildReport, type RungReport, StreamTranscoding } from './stream-transcoding.ts';
import { TranscodeChildren } from './transcode-children.ts';

export interface TranscodingOptions {
  readonly hub: Hub;
  /** Of an app; without rungs nothing is done for its streams. */
  readonly ladderOf: (app: string) => Ladder;
  /** Rungs that run at a time, of all streams. */
  readonly tasksMax: number;
  /** Of a node that is in a cluster. */
  readonly makers?: RungMakers;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** What transcoding does, for the API and metrics. */
export interface TranscodingReport {
  readonly tasksMax: number;
  readonly tasksRunning: number;
  readonly encoders: readonly EncoderReport[];
  /** The newest decision about each wish. */
  readonly decisions: readonly TaskDecision[];
  readonly streams: readonly { readonly stream: string; readonly rungs: readonly RungReport[]; readonly child: ChildReport }[];
}

const TICK_MS = 100;

/** Makes the rungs of the apps' ladders for all streams of this node, on demand and within the limit of tasks. */
export class Transcoding {
  private readonly options: TranscodingOptions;
  private readonly children: TranscodeChildren;
  private readonly streams = new Map<LiveStream, StreamTranscoding>();
  private decisions: readonly TaskDecision[] = [];
  private encoders: readonly EncoderReport[] = [];
  private ticker: NodeJS.Timeout | undefined = undefined;
  private isAllocating = false;
  private isClosed = false;

  constructor(options: TranscodingOptions) {
    this.options = options;
    this.children = new TranscodeChildren(options.log);
  }

  start(): void {
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    void probeEncoders(this.options.log).then((encoders) => {
      this.encoders = encoders;
    });
  }

  /** How the rungs of a stream stand. */
  rungsOf(path: string): readonly RungReport[] {
    for (const [stream, transcoding] of this.streams) if (stream.ref.path === path) return transcoding.report();
    return [];
  }

  /** Whether this node has a rung of another node's stream for others, or why not; undefined while that is not known. */
  standingOf(path: string, rung: string): RungStanding | undefined {
    for (const [stream, transcoding] of this.streams) if (stream.ref.path === path) return transcoding.standingOf(rung);
    return undefined;
  }

  get tasksMax(): number {
    return this.options.tasksMax;
  }

  get tasksRunning(): number {
    return this.running().length;
  }

  report(): TranscodingReport {
    const streams = [...this.streams.values()].map((transcoding) => ({
      stream: transcoding.stream.ref.path,
      rungs: transcoding.report(),
      child: transcoding.childReport(),
    }));
    const { encoders, decisions } = this;
    return { tasksMax: this.options.tasksMax, tasksRunning: this.running().length, encoders, decisions, streams };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.ticker);
    await Promise.all([...[...this.streams.values()].map((transcoding) => transcoding.close()), this.children.close()]);
    this.streams.clear();
  }

  private tick(): void {
    const { hub, clock } = this.options;
    const now = clock.monotonic();
    const live = new Set([...hub.streams()].filter((stream) => this.isOurs(stream)));
    for (const stream of live) if (!this.streams.has(stream)) this.begin(stream);
    for (const [stream, transcoding] of this.streams) {
      if (live.has(stream)) transcoding.tick(now);
      else this.end(stream, transcoding);
    }
  }

  /** Rungs are made where the stream is published, or on the node that is asked to, once for all nodes. */
  private isOurs({ publisher, ref }: LiveStream): boolean {
    return publisher.protocol !== 'relay' || this.options.makers?.makesSomeOf(ref.path) === true;
  }

  private begin(stream: LiveStream): void {
    const { hub, ladderOf, makers, clock, log } = this.options;
    const ladder = ladderOf(stream.ref.app);
    if (ladder.rungs.length === 0) return;
    const { children } = this;
    this.streams.set(
      stream,
      new StreamTranscoding({ stream, hub, ladder, children, makers, clock, log, wishesChanged: () => this.wishesChanged() }),
    );
    children.warm();
  }

  private end(stream: LiveStream, transcoding: StreamTranscoding): void {
    this.streams.delete(stream);
    void transcoding.close();
    this.wishesChanged();
  }

  /** Wishes come several at a time (a viewer wants picture and sound): they are decided on together, at once. */
  private wishesChanged(): void {
    if (this.isAllocating) return;
    this.isAllocating = true;
    queueMicrotask(() => {
      this.isAllocating = false;
      if (!this.isClosed) this.allocate();
    });
  }

  private allocate(): void {
    const all = [...this.streams.values()];
    const decisions = allocateTasks(
      all.flatMap((transcoding) => transcoding.wishes()),
      this.options.tasksMax,
      this.running(),
    );
    this.decisions = decisions.filter(({ isAssigned, ...decision }) => isAssigned || ('reason' in decision && decision.reason === 'limit'));
    const now = this.options.clock.monotonic();
    for (const transcoding of all) {
      transcoding.decided(
        decisions.filter(({ stream }) => stream === transcoding.stream.ref.path),
        now,
      );
    }
  }

  private running(): readonly TaskKey[] {
    return [...this.streams.values()].flatMap((transcoding) =>
      transcoding.assigned().map((rung) => ({ stream: transcoding.stream.ref.path, rung })),
    );
  }
}

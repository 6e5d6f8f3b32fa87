import type pino from 'pino';
import type { Hub, LiveStream } from '../../hub/mod.ts';
import {
  allocateTasks,
  type Ladder,
  type LeftOutRung,
  type TaskDecision,
  type TaskKey,
  type TaskWeights,
  type TaskWish,
} from '../../transcode/mod.ts';
import type { Clock } from '../clock.ts';
import { type ChildReport, type ChildSums, sumOfLanes } from './child-report.ts';
import { type EncoderReport, probeEncoders } from './encoder-probe.ts';
import type { RungMakers, RungStanding } from './rung-makers.ts';
import { NO_WEIGHT, type RungReport, StreamTranscoding } from './stream-transcoding.ts';
import { TranscodeChildren } from './transcode-children.ts';

export interface TranscodingOptions {
  readonly hub: Hub;
  /** Of an app; without rungs nothing is done for its streams. The same object until it is another ladder. */
  readonly ladderOf: (app: string) => Ladder;
  /** Why nothing may be made for an app now; undefined: it may. */
  readonly refusal?: (app: string) => string | undefined;
  /** What counts how much when not all can be made; without it, all viewers count the same. */
  readonly weights?: () => TaskWeights;
  /** Rungs that run at a time, of all streams. */
  readonly tasksMax: number;
  /** Of a node that is in a cluster. */
  readonly makers?: RungMakers;
  /** Other nodes may want rungs of this one at any moment. */
  readonly isForOthers?: boolean;
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

/** A rung that viewers are not offered for now, and why. */
export interface WithheldRung {
  readonly name: string;
  readonly kind: 'video' | 'audio';
  readonly expected: { readonly codec: string };
  readonly reason: string;
}

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
    this.children = new TranscodeChildren(options.log, options.isForOthers);
  }

  start(): void {
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    // What another node made until it died is missed while FFmpeg loads.
    if (this.options.isForOthers === true) this.children.warm();
    void probeEncoders(this.options.log).then((encoders) => {
      this.encoders = encoders;
    });
  }

  /** Some apps have other ladders now: streams that run get them at once. */
  laddersChanged(): void {
    if (!this.isClosed && this.ticker !== undefined) this.tick();
  }

  /** What can be made of a stream is offered with its first tracks, and not with the next tick: whoever waits for those chooses from it, here and on other nodes. */
  streamStarted(stream: LiveStream): void {
    const nothing = (): void => undefined;
    const tracks = (): void => {
      queueMicrotask(() => detach());
      this.offerNow(stream);
    };
    const detach = stream.attach({ tracks, frame: nothing, paused: nothing, ended: nothing });
  }

  /** Other rungs may count for more now. */
  weightsChanged(): void {
    if (this.ticker !== undefined) this.wishesChanged();
  }

  /** How the rungs of a stream stand. */
  rungsOf(path: string): readonly RungReport[] {
    for (const [stream, transcoding] of this.streams) if (stream.ref.path === path) return transcoding.report();
    return [];
  }

  /** The rungs of its ladder that a stream does not get, with the reason. */
  leftOutOf(path: string): readonly LeftOutRung[] {
    for (const [stream, transcoding] of this.streams) if (stream.ref.path === path) return transcoding.left;
    return [];
  }

  /** The rungs of a stream that are refused or failed for now. */
  withheldOf(path: string): readonly WithheldRung[] {
    return this.rungsOf(path).flatMap(({ planned: { rung }, condition, reason }) => {
      if (condition !== 'refused' && condition !== 'failed') return [];
      return [{ name: rung.name, kind: rung.kind, expected: { codec: rung.codec }, reason: reason ?? 'it cannot be made for now' }];
    });
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
    let tasks = 0;
    for (const transcoding of this.streams.values()) tasks += transcoding.tasks;
    return tasks;
  }

  /** Streams that rungs are made or offered of. */
  get streamCount(): number {
    return this.streams.size;
  }

  /** How many rungs are wanted and wait for others to end, the limit being reached. */
  get tasksWaiting(): number {
    return this.decisions.reduce((total, { isAssigned }) => total + Number(!isAssigned), 0);
  }

  /** What the children of all streams do, together. */
  childSums(): ChildSums {
    return sumOfLanes(this.streams.values());
  }

  report(): TranscodingReport {
    const streams = [...this.streams.values()].map((transcoding) => ({
      stream: transcoding.stream.ref.path,
      rungs: transcoding.report(),
      child: transcoding.childReport(),
    }));
    const { encoders, decisions } = this;
    return { tasksMax: this.options.tasksMax, tasksRunning: this.tasksRunning, encoders, decisions, streams };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.ticker);
    await Promise.all([...[...this.streams.values()].map((transcoding) => transcoding.close()), this.children.close()]);
    this.streams.clear();
  }

  private offerNow(stream: LiveStream): void {
    if (this.isClosed || this.ticker === undefined || !this.isOurs(stream)) return;
    if (!this.streams.has(stream)) this.begin(stream);
    this.streams.get(stream)?.tick(this.options.clock.monotonic());
  }

  private tick(): void {
    const { hub, clock } = this.options;
    const now = clock.monotonic();
    const live = new Set([...hub.streams()].filter((stream) => this.isOurs(stream)));
    for (const stream of live) if (!this.streams.has(stream)) this.begin(stream);
    for (const [stream, transcoding] of this.streams) {
      if (!live.has(stream)) this.end(stream, transcoding);
      else {
        transcoding.ladderIs(this.options.ladderOf(stream.ref.app), now);
        transcoding.tick(now);
      }
    }
    this.followRefusals();
  }

  /** Rungs are made where the stream is published, or on the node that is asked to, once for all nodes. */
  private isOurs({ publisher, ref }: LiveStream): boolean {
    return publisher.protocol !== 'relay' || this.options.makers?.makesSomeOf(ref.path) === true;
  }

  private begin(stream: LiveStream): void {
    const { hub, ladderOf, weights, makers, clock, log } = this.options;
    const ladder = ladderOf(stream.ref.app);
    if (ladder.rungs.length === 0) return;
    const { children } = this;
    this.streams.set(
      stream,
      new StreamTranscoding({ stream, hub, ladder, weights, children, makers, clock, log, wishesChanged: () => this.wishesChanged() }),
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
    const wishes = all.flatMap((transcoding) => transcoding.wishes());
    const unwanted = this.running().filter((task) => !wishes.some((wish) => isSame(wish, task)));
    const weightless = wishes.filter(({ weight }) => weight === 0);
    const mayRun = (task: TaskKey): boolean => this.refusalOf(task.stream) === undefined && !weightless.some((wish) => isSame(wish, task));
    const decisions = [
      ...allocateTasks(wishes.filter(mayRun), this.options.tasksMax, this.running().filter(mayRun)),
      ...[...wishes, ...unwanted].flatMap((task) => this.refused(task, weightless)),
    ];
    this.decisions = decisions.filter(({ isAssigned, ...decision }) => isAssigned || ('reason' in decision && decision.reason === 'limit'));
    const now = this.options.clock.monotonic();
    for (const transcoding of all) {
      transcoding.decided(
        decisions.filter(({ stream }) => stream === transcoding.stream.ref.path),
        now,
      );
    }
  }

  private refusalOf(path: string): string | undefined {
    return this.options.refusal?.(path.slice(0, path.indexOf('/')));
  }

  private refused(task: TaskKey, weightless: readonly TaskWish[]): readonly TaskDecision[] {
    const { stream, rung } = task;
    const message = this.refusalOf(stream) ?? (weightless.some((wish) => isSame(wish, task)) ? NO_WEIGHT : undefined);
    return message === undefined ? [] : [{ stream, rung, isAssigned: false, reason: 'limit', message }];
  }

  /** An app may have nothing made any more: what runs ends now, and not with the next wish. */
  private followRefusals(): void {
    if (this.running().some(({ stream }) => this.refusalOf(stream) !== undefined)) this.wishesChanged();
  }

  /** The rungs that are being made here, by app. */
  tasksByApp(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const [{ ref }, transcoding] of this.streams) {
      const { tasks } = transcoding;
      if (tasks > 0) counts.set(ref.app, (counts.get(ref.app) ?? 0) + tasks);
    }
    return counts;
  }

  private running(): readonly TaskKey[] {
    return [...this.streams.values()].flatMap((transcoding) =>
      transcoding.assigned().map((rung) => ({ stream: transcoding.stream.ref.path, rung })),
    );
  }
}

const isSame = (left: TaskKey, right: TaskKey): boolean => left.stream === right.stream && left.rung === right.rung;

import type pino from 'pino';
import type { LiveStream } from '../hub/mod.ts';

export interface DrainingOptions {
  /** Asks publishers to go on at another node, as far as they understand it; returns how many it asked. */
  readonly movePublishers: () => number;
  /** Who is left. */
  readonly left: () => WhoIsLeft;
  /** The time is up: what is left is to be closed, and the process to end. */
  readonly end: () => void;
  readonly log: pino.Logger;
}

/** Streams that are published here, and viewers. */
export interface WhoIsLeft {
  readonly streams: number;
  readonly viewers: number;
}

export function whoIsLeft(all: Iterable<LiveStream>): WhoIsLeft {
  let streams = 0;
  let viewers = 0;
  for (const stream of all) {
    if (stream.publisher.protocol !== 'relay') streams++;
    for (const count of stream.viewers.values()) viewers += count;
  }
  return { streams, viewers };
}

const CHECK_MS = 500;
/** Those who were asked to go and stayed are asked again after so long: their new node may have been full. */
const MOVE_EACH_MS = 10_000;
/** A node counts as empty when nobody was there for so long: between two requests of a viewer, nobody seems to be. */
const EMPTY_MS = 2_000;
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What a draining node does until everybody has left it, or its time is up. */
export class Draining {
  private readonly options: DrainingOptions;
  private ticker: NodeJS.Timeout | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private moveInMs = 0;
  private emptyMs = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(options: DrainingOptions) {
    this.options = options;
  }

  /** `forMs`: how long it may last from now; undefined: until it is undone. Called again, only the deadline changes. */
  begin(forMs: number | undefined): void {
    clearTimeout(this.deadline);
    this.deadline = forMs === undefined ? undefined : setTimeout(() => this.timeIsUp(), Math.min(forMs, TIMER_MS_MAX));
    if (this.ticker !== undefined) return;
    this.moveInMs = 0;
    this.emptyMs = 0;
    this.ticker = setInterval(() => this.check(), CHECK_MS);
    this.check();
  }

  /** The node takes part again. Who was asked to leave may have left. */
  undo(): void {
    this.stop();
  }

  /** No timer is left. */
  close(): void {
    this.stop();
    this.settle();
  }

  /** Settles when nobody is left, the time is up, the node closes, or after `msMax`, whatever became of the drain meanwhile. */
  untilOver(msMax: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(msMax, TIMER_MS_MAX));
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private check(): void {
    const { streams, viewers } = this.options.left();
    this.emptyMs = streams + viewers === 0 ? this.emptyMs + CHECK_MS : 0;
    if (this.emptyMs >= EMPTY_MS) this.settle();
    this.moveInMs -= CHECK_MS;
    if (this.moveInMs > 0) return;
    this.moveInMs = MOVE_EACH_MS;
    this.options.movePublishers();
  }

  private timeIsUp(): void {
    this.stop();
    this.options.log.info({ code: 'cluster.drained', ...this.options.left() }, 'the time to drain is up: what is left is closed');
    this.settle();
    this.options.end();
  }

  private stop(): void {
    clearInterval(this.ticker);
    clearTimeout(this.deadline);
    this.ticker = undefined;
    this.deadline = undefined;
  }

  private settle(): void {
    for (const settle of this.waiting.splice(0)) settle();
  }
}

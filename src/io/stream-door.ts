import type { StreamRef } from '../core/mod.ts';
import type { LiveStream, Sink } from '../hub/mod.ts';
import type { JoinTraces } from './tracing/mod.ts';

/** Brings streams that are not here: a configured source that is started on demand, another node of the cluster. */
export interface StreamSupplier {
  /** True: it is on its way; false: not mine. Called again while somebody waits is harmless. */
  supply(ref: StreamRef): boolean;
}

export interface StreamDoorOptions {
  /** Finds a stream that is here by `app/name`. */
  readonly find: (path: string) => LiveStream | undefined;
  /** How long somebody waits for a stream at most. */
  readonly waitMsMax: number;
  /** Who may wait at a time, for all streams; more are sent away at once. */
  readonly waitersMax: number;
  /** Absent: nothing is traced. */
  readonly joins?: JoinTraces;
}

/** How outputs get a stream that may not be here yet: {@link StreamDoor.bring}. */
export type BringStream = (ref: StreamRef, gone?: AbortSignal) => Promise<LiveStream | undefined> | undefined;

/** Answers one who waits. */
type Waiter = (stream: LiveStream | undefined) => void;

/** Where the outputs ask for streams: those that are here, and those that a supplier brings, for which they wait. */
export class StreamDoor {
  private readonly options: StreamDoorOptions;
  private readonly suppliers: StreamSupplier[] = [];
  private readonly waiters = new Map<string, Set<Waiter>>();
  /** Take off the sinks that wait for tracks, by stream. */
  private readonly sinks = new Map<string, () => void>();
  private waiting = 0;
  private isOver = false;

  constructor(options: StreamDoorOptions) {
    this.options = options;
  }

  /** Whether the server stops, which sent everybody away. */
  get isClosed(): boolean {
    return this.isOver;
  }

  /** Those who wait now. */
  get waitingCount(): number {
    return this.waiting;
  }

  add(supplier: StreamSupplier): void {
    this.suppliers.push(supplier);
  }

  /** A stream that is here now, by `app/name`. */
  readonly find = (path: string): LiveStream | undefined => this.options.find(path);

  /**
   * Undefined: nobody can bring it, and nothing of it is kept. Else settles with the stream as soon as it has tracks, or with undefined: after
   * `waitMsMax`, when `gone` says that nobody waits any more, when too many wait, and when the server stops.
   */
  readonly bring: BringStream = (ref, gone) => {
    const stream = this.options.find(ref.path);
    if (stream !== undefined && stream.tracks.length > 0) return Promise.resolve(stream);
    if (this.isOver || gone?.aborted === true) return Promise.resolve(undefined);
    // One that is here has its tracks in a moment.
    let isSupplied = stream !== undefined;
    for (const supplier of this.suppliers) isSupplied ||= supplier.supply(ref);
    if (!isSupplied) return undefined;
    if (this.waiting >= this.options.waitersMax) return Promise.resolve(undefined);
    const span = this.options.joins?.beginWait(ref);
    return new Promise((resolve) =>
      this.wait(ref.path, gone, (brought) => {
        span?.end(brought === undefined ? 'stream.not-brought' : undefined);
        resolve(brought);
      }),
    );
  };

  /** A stream started, or its tracks came. */
  streamChanged(path: string): void {
    const stream = this.waiters.has(path) ? this.options.find(path) : undefined;
    if (stream === undefined) return;
    if (stream.tracks.length > 0) this.answer(path, stream);
    else this.awaitTracks(path, stream);
  }

  /** Whether somebody waits for this stream. */
  isAwaited(path: string): boolean {
    return this.waiters.has(path);
  }

  /** The server stops: everybody is sent away at once, and those who come later, too. */
  close(): void {
    this.isOver = true;
    for (const path of [...this.waiters.keys()]) this.answer(path, undefined);
  }

  private wait(path: string, gone: AbortSignal | undefined, resolve: (stream: LiveStream | undefined) => void): void {
    const waiters = this.waiters.get(path) ?? new Set<Waiter>();
    this.waiters.set(path, waiters);
    const leave = (stream: LiveStream | undefined): void => {
      if (!waiters.delete(leave)) return;
      this.waiting--;
      if (waiters.size === 0) this.forget(path);
      clearTimeout(timer);
      gone?.removeEventListener('abort', abort);
      resolve(stream);
    };
    const abort = (): void => leave(undefined);
    const timer = setTimeout(abort, this.options.waitMsMax);
    gone?.addEventListener('abort', abort);
    waiters.add(leave);
    this.waiting++;
    // It may have come, without tracks yet, before anybody waited.
    this.streamChanged(path);
  }

  /** At most one sink a stream, and only while somebody waits. */
  private awaitTracks(path: string, stream: LiveStream): void {
    this.sinks.get(path)?.();
    const sink: Sink = {
      tracks: () => this.answer(path, stream),
      frame: () => undefined,
      paused: () => undefined,
      // Whoever brings it may begin it anew.
      ended: () => this.sinks.delete(path),
    };
    this.sinks.set(path, stream.attach(sink));
  }

  private answer(path: string, stream: LiveStream | undefined): void {
    for (const answer of [...(this.waiters.get(path) ?? [])]) answer(stream);
  }

  private forget(path: string): void {
    this.waiters.delete(path);
    this.sinks.get(path)?.();
    this.sinks.delete(path);
  }
}

import { matchesPattern, SluiceError, type StreamRef } from '../../core/mod.ts';
import type { LiveStream } from '../../hub/mod.ts';
import { fillUrl, parseTargetUrl, type TargetState } from '../../targets/mod.ts';
import { type PushContext, type PushReport, TargetPush } from './target-push.ts';

/** A target of an app, as the configuration or the API has it. */
export interface TargetSpec {
  readonly name: string;
  /** With the placeholders `{app}` and `{name}`. */
  readonly url: string;
  /** The bearer token for WHIP, or nothing. */
  readonly token: string;
  /** Which streams, by a pattern of their names. */
  readonly streams: string;
  readonly rendition: string;
}

export interface TargetsOptions extends PushContext {
  /** Those of an app's configuration. */
  readonly targetsOf: (app: string) => readonly TargetSpec[];
  readonly find: (path: string) => LiveStream | undefined;
  /** Of all streams. */
  readonly pushesMax: number;
}

export interface TargetsStats {
  readonly byState: ReadonlyMap<TargetState, number>;
  /** These never go back. */
  readonly bytesSent: number;
  readonly retries: number;
  readonly framesDropped: number;
}

/** What a stream may have, of the configuration and of the API together. */
const PUSHES_PER_STREAM_MAX = 32;
const TICK_MS = 250;

/** All targets of all streams of this node. */
export class Targets {
  private readonly options: TargetsOptions;
  private readonly pushes = new Map<string, Map<string, TargetPush>>();
  private readonly ending = new Set<Promise<void>>();
  private ticker: NodeJS.Timeout | undefined = undefined;
  private retired = { bytesSent: 0, retries: 0, framesDropped: 0 };

  constructor(options: TargetsOptions) {
    this.options = options;
  }

  start(): void {
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  /** Begins what the configuration has for the stream, unless another node brings it: that one pushes it. */
  streamStarted(stream: LiveStream): void {
    const { ref, publisher } = stream;
    if (publisher.protocol === 'relay') return;
    for (const spec of this.options.targetsOf(ref.app)) {
      if (matchesPattern(spec.streams, ref.name)) this.begin(stream, spec, 'config');
    }
  }

  /** The stream may have gone to another node, or come from one. */
  streamChanged(stream: LiveStream): void {
    const isHere = stream.publisher.protocol !== 'relay';
    const hasPushes = this.pushes.has(stream.ref.path);
    if (!isHere && hasPushes) this.streamEnded(stream.ref);
    else if (isHere && !hasPushes && stream.state === 'live') this.streamStarted(stream);
  }

  /** Ends the targets of a stream politely. */
  streamEnded(ref: StreamRef): void {
    for (const push of this.pushes.get(ref.path)?.values() ?? []) this.end(push);
    this.pushes.delete(ref.path);
  }

  /**
   * Adds a target to a live stream, until the stream ends. Throws `SluiceError`: `targets.stream-not-found`, `targets.name-taken`, `targets.url`,
   * `targets.too-many`.
   */
  add(path: string, spec: Omit<TargetSpec, 'streams'>): PushReport {
    const stream = this.options.find(path);
    if (stream === undefined) throw new SluiceError('targets.stream-not-found', `there is no stream ${path}`);
    const present = this.pushes.get(path);
    if (present?.has(spec.name) === true) {
      throw new SluiceError('targets.name-taken', `${path} has a target "${spec.name}" already: remove it first, or take another name`);
    }
    if ((present?.size ?? 0) >= PUSHES_PER_STREAM_MAX || this.count >= this.options.pushesMax) {
      throw new SluiceError(
        'targets.too-many',
        `a stream has at most ${PUSHES_PER_STREAM_MAX} targets, the server ${this.options.pushesMax}`,
      );
    }
    return this.begin(stream, spec, 'api').report;
  }

  /** False: the stream has no such target. One of the configuration comes back with the stream's next start. */
  remove(path: string, name: string): boolean {
    const push = this.pushes.get(path)?.get(name);
    if (push === undefined) return false;
    this.pushes.get(path)?.delete(name);
    this.end(push);
    return true;
  }

  /** Of one stream, or of all, in the order in which they began. */
  reports(path?: string): readonly PushReport[] {
    const all = path === undefined ? [...this.pushes.values()] : [this.pushes.get(path) ?? new Map<string, TargetPush>()];
    return all.flatMap((pushes) => Array.from(pushes.values(), ({ report }) => report));
  }

  stats(): TargetsStats {
    const byState = new Map<TargetState, number>();
    const sum = { ...this.retired };
    for (const report of this.reports()) {
      byState.set(report.state, (byState.get(report.state) ?? 0) + 1);
      addUp(sum, report);
    }
    return { byState, ...sum };
  }

  /** Ends all, politely. */
  async close(): Promise<void> {
    clearInterval(this.ticker);
    for (const pushes of this.pushes.values()) for (const push of pushes.values()) this.end(push);
    this.pushes.clear();
    await Promise.all(this.ending);
  }

  private get count(): number {
    let count = 0;
    for (const { size } of this.pushes.values()) count += size;
    return count;
  }

  private begin(stream: LiveStream, { name, url, token, rendition }: Omit<TargetSpec, 'streams'>, origin: 'config' | 'api'): TargetPush {
    const { path } = stream.ref;
    const spec = { name, url: parseTargetUrl(fillUrl(url, stream.ref)), token, rendition, origin };
    const push = new TargetPush(stream, spec, this.options, this.count >= this.options.pushesMax);
    const pushes = this.pushes.get(path) ?? new Map<string, TargetPush>();
    pushes.set(name, push);
    this.pushes.set(path, pushes);
    return push;
  }

  private end(push: TargetPush): void {
    const ended = push.stop().finally(() => {
      this.ending.delete(ended);
    });
    this.ending.add(ended);
    addUp(this.retired, push.report);
  }

  private tick(): void {
    const now = this.options.clock.monotonic();
    for (const pushes of this.pushes.values()) {
      for (const push of pushes.values()) this.guard(push, () => push.tick(now));
    }
  }

  /** A bug of ours ends this target and no other. */
  private guard(push: TargetPush, act: () => void): void {
    try {
      act();
    } catch (error) {
      const { stream, name } = push.report;
      this.options.log.error({ code: 'targets.internal', stream, target: name, err: error }, 'a target failed; please report this');
      this.remove(stream, name);
    }
  }
}

function addUp(sum: { bytesSent: number; retries: number; framesDropped: number }, report: PushReport): void {
  sum.bytesSent += report.bytesSent;
  sum.retries += report.retries;
  sum.framesDropped += report.framesDropped;
}

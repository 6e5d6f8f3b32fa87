import {
  type AppFigures,
  type AppInput,
  type AppLimits,
  type AppSample,
  addFigures,
  decodeUsageMessage,
  InputLimit,
  isNothing,
  type MonthCounters,
  monthOf,
  NO_COUNTERS,
  NO_FIGURES,
  NO_SAMPLE,
  NodeUsage,
  USAGE_SUBJECTS,
  UsageSums,
  usageMessages,
  usageSubject,
} from '../../access/mod.ts';
import type { Bus } from '../../cluster/mod.ts';
import { type MonotonicMs, monotonicMs, type StreamRef } from '../../core/mod.ts';
import type { Hub, LiveStream } from '../../hub/mod.ts';
import { AppBytes } from '../app-bytes.ts';
import type { Clock } from '../clock.ts';
import type { MonthlyUsage } from './monthly-usage.ts';

/** An output that counts what it sends. */
export interface SentBytes {
  addBytesSent(to: AppBytes): void;
}

export interface UsageMeterOptions {
  readonly nodeId: string;
  readonly hub: Pick<Hub, 'streams'>;
  /** Absent: a node on its own. */
  readonly bus: Bus | undefined;
  readonly limitsOf: (app: string) => AppLimits;
  readonly outputs: () => readonly SentBytes[];
  /** Rungs that are being made here, by app. */
  readonly tasksByApp: () => ReadonlyMap<string, number>;
  /** Streams that are being recorded here, by app. */
  readonly recordingsByApp: () => ReadonlyMap<string, number>;
  /** Ends a stream whose app sends more than it may. */
  readonly tooMuch: (path: string) => void;
  readonly monthly: MonthlyUsage;
  readonly clock: Clock;
}

const SAMPLE_MS = 1_000;
/** How often a node tells the others what it has, in a cluster of up to 40 nodes. */
const TELL_MS = 2_000;
/** In a larger one, so that no node hears more than 20 messages a second. */
const TELL_MS_A_NODE = 50;
const TELL_MS_MAX = 60_000;

/** What the apps use: measured on this node each second, told to the others, and summed with what they tell. */
export class UsageMeter {
  private readonly options: UsageMeterOptions;
  private readonly own = new NodeUsage();
  private readonly sums: UsageSums;
  private readonly inputLimit = new InputLimit();
  /** What each stream had received at the last sample. */
  private received = new Map<LiveStream, number>();
  private readonly ended = new Set<LiveStream>();
  private others: ReadonlySet<string> = new Set();
  /** Which apps were found to have used up what of a month's they may have, since the last sample. */
  private readonly usedUp = new Map<string, boolean>();
  private count = 0;
  private tellAt = 0;
  private hasTold = false;
  private ticker: NodeJS.Timeout | undefined;
  private endHearing: (() => void) | undefined;

  constructor(options: UsageMeterOptions) {
    this.options = options;
    this.sums = new UsageSums(options.nodeId);
  }

  start(): void {
    const { bus, clock } = this.options;
    this.endHearing = bus?.subscribe(USAGE_SUBJECTS, (_subject, message) => {
      const told = decodeUsageMessage(message);
      if (told !== undefined) this.sums.heard(told, clock.monotonic());
    });
    this.ticker = setInterval(() => this.sample(), SAMPLE_MS);
  }

  /** Counts what came last, and says that nothing is left. */
  close(): void {
    if (this.ticker === undefined) return;
    clearInterval(this.ticker);
    this.ticker = undefined;
    this.sample();
    this.endHearing?.();
    if (this.hasTold) this.tell([]);
  }

  /** What an app uses on all nodes now; what is here is looked at anew. */
  usageOf(app: string): AppFigures {
    return addFigures(this.ownOf(app), this.sums.othersOf(app, this.options.clock.monotonic()));
  }

  /** The same as of the last second, for who asks of many apps: looking anew goes through all streams for each of them. */
  lastUsageOf(app: string): AppFigures {
    return addFigures(this.own.figuresOf(app), this.sums.othersOf(app, this.options.clock.monotonic()));
  }

  /** What an app has used on all nodes this month. */
  monthOf(app: string): MonthCounters {
    return this.options.monthly.totalOf(app);
  }

  /** Those that use anything, or have done so this month. */
  apps(): ReadonlySet<string> {
    return new Set([...this.own.figures().map(([app]) => app), ...this.others]);
  }

  /** Whether a stream's publisher was ended for its bitrate, a moment ago. */
  wasTooMuch(path: string): boolean {
    return this.inputLimit.wasTooMuch(path, this.options.clock.monotonic());
  }

  /** Whether an app has used all the minutes of a kind that it may this month; asked often, it is looked up once a second. */
  isExhausted(app: string, limit: 'transcodeMinutes' | 'recordingMinutes'): boolean {
    const key = `${limit} ${app}`;
    const known = this.usedUp.get(key);
    if (known !== undefined) return known;
    const minutes = this.options.limitsOf(app)[limit];
    const { transcodeMs, recordingMs } = minutes === undefined ? NO_COUNTERS : this.monthOf(app);
    const isUsedUp = minutes !== undefined && (limit === 'transcodeMinutes' ? transcodeMs : recordingMs) >= minutes * 60_000;
    this.usedUp.set(key, isUsedUp);
    return isUsedUp;
  }

  /** A stream is over: what it has received last is still to be counted. */
  streamEnded({ path }: StreamRef): void {
    for (const stream of this.received.keys()) if (stream.ref.path === path) this.ended.add(stream);
  }

  streamStarted(stream: LiveStream): void {
    this.received.set(stream, 0);
  }

  private ownOf(app: string): AppFigures {
    let figures: AppFigures = { ...NO_FIGURES, bitrateOutBps: this.own.figuresOf(app).bitrateOutBps };
    for (const stream of this.options.hub.streams()) if (stream.ref.app === app) figures = addFigures(figures, figuresOf(stream));
    return figures;
  }

  private sample(): void {
    const { clock, monthly } = this.options;
    const now = clock.monotonic();
    const samples = this.samples();
    const month = monthOf(clock.wall());
    for (const [app, counters] of this.own.sample(samples, now)) monthly.add(month, app, counters);
    monthly.tick(month, now);
    this.others = this.sums.sweep(now);
    this.usedUp.clear();
    if (now >= this.tellAt) this.tellOthers(now);
    this.limitInput(samples, now);
  }

  /** All apps that have anything here, or had. */
  private samples(): ReadonlyMap<string, AppSample> {
    const samples = new Map<string, AppSample>();
    const add = (app: string, change: (sample: AppSample) => AppSample): void => {
      samples.set(app, change(samples.get(app) ?? NO_SAMPLE));
    };
    const streams = [...this.options.hub.streams()];
    for (const stream of streams) {
      const figures = figuresOf(stream);
      add(stream.ref.app, (sample) => ({ ...sample, ...addFigures({ ...sample, bitrateOutBps: 0 }, figures) }));
    }
    for (const [app, bytesIn] of this.receivedSince(streams)) add(app, (sample) => ({ ...sample, bytesIn }));
    for (const [app, tasks] of this.options.tasksByApp()) add(app, (sample) => ({ ...sample, tasks }));
    for (const [app, recordings] of this.options.recordingsByApp()) add(app, (sample) => ({ ...sample, recordings }));
    const sent = new AppBytes();
    for (const output of this.options.outputs()) output.addBytesSent(sent);
    for (const app of sent.apps()) add(app, (sample) => ({ ...sample, bytesOutTotal: sent.of(app) }));
    return samples;
  }

  /** What publishers have sent since the last sample, by app. What comes from other nodes was counted there. */
  private receivedSince(streams: readonly LiveStream[]): ReadonlyMap<string, number> {
    const byApp = new Map<string, number>();
    const received = new Map<LiveStream, number>();
    for (const stream of new Set([...streams, ...this.ended])) {
      const { bytesIn } = stream.counts();
      const since = Math.max(0, bytesIn - (this.received.get(stream) ?? 0));
      if (!this.ended.has(stream)) received.set(stream, bytesIn);
      if (stream.publisher.protocol !== 'relay') byApp.set(stream.ref.app, (byApp.get(stream.ref.app) ?? 0) + since);
    }
    this.ended.clear();
    this.received = received;
    return byApp;
  }

  private tellOthers(now: MonotonicMs): void {
    const everyMs = this.everyMs();
    this.tellAt = monotonicMs(now + everyMs);
    const apps = this.own.figures().filter(([, figures]) => !isNothing(figures));
    // Nodes that have nothing are silent.
    if (apps.length === 0 && !this.hasTold) return;
    this.tell(apps);
    this.hasTold = apps.length > 0;
  }

  private tell(apps: readonly (readonly [string, AppFigures])[]): void {
    const { bus, nodeId } = this.options;
    if (bus === undefined) return;
    for (const message of usageMessages(nodeId, ++this.count, this.everyMs(), apps)) bus.publish(usageSubject(nodeId), message);
  }

  private everyMs(): number {
    return Math.min(TELL_MS_MAX, Math.max(TELL_MS, this.sums.size * TELL_MS_A_NODE));
  }

  private limitInput(samples: ReadonlyMap<string, AppSample>, now: MonotonicMs): void {
    const { limitsOf, hub, tooMuch } = this.options;
    const inputs: AppInput[] = [];
    for (const [app, { streams, bitrateInBps }] of samples) {
      const limitBps = streams === 0 ? undefined : limitsOf(app).bitrateInBps;
      if (limitBps === undefined) continue;
      const others = this.sums.othersOf(app, now);
      const own = [...hub.streams()].filter(({ ref, publisher }) => ref.app === app && publisher.protocol !== 'relay');
      const totalBps = bitrateInBps + others.bitrateInBps;
      inputs.push({
        app,
        limitBps,
        totalBps,
        othersNewestMs: others.newestStreamMs,
        own: own.map(({ ref, startedWallMs }) => ({ path: ref.path, startedMs: startedWallMs })),
      });
    }
    for (const path of this.inputLimit.judge(inputs, now)) tooMuch(path);
  }
}

/** What one stream of this node is for its app. Its viewers count where they are, all else where its publisher is. */
function figuresOf(stream: LiveStream): AppFigures {
  let viewers = 0;
  for (const count of stream.viewers.values()) viewers += count;
  if (stream.publisher.protocol === 'relay') return { ...NO_FIGURES, viewers };
  const isLive = stream.state === 'live';
  return {
    streams: 1,
    viewers,
    bitrateInBps: isLive ? stream.stats().bitrateBps : 0,
    bitrateOutBps: 0,
    newestStreamMs: stream.startedWallMs,
  };
}

import {
  type AllocationNodeNote,
  type AllocationNote,
  type AllocationReport,
  type Claimed,
  makerOf,
  type NodeView,
  type RungOrder,
  type StreamBody,
  type WatchedRung,
} from '../cluster/mod.ts';
import type { MonotonicMs } from '../core/mod.ts';
import {
  allocateCluster,
  type ClusterDecision,
  type ClusterTask,
  type CurrentTask,
  type PoolNode,
  TaskWeights,
  type TranscodingWeights,
} from '../transcode/mod.ts';

/** What the book looks things up in. */
export interface AllocationWorld {
  nodes(): Iterable<NodeView>;
  node(id: string): NodeView | undefined;
  claimed(path: string): Claimed<StreamBody> | undefined;
}

/** What was decided in one go. */
export interface Allocated {
  /** By node: the streams' origins, and the makers. */
  readonly orders: ReadonlyMap<string, readonly RungOrder[]>;
  /** What is otherwise than before. */
  readonly changed: readonly Omit<AllocationNote, 'atWallMs' | 'epoch'>[];
  readonly nodes: readonly AllocationNodeNote[];
  /** Rungs that are wanted and not made. */
  readonly waiting: number;
}

interface Report {
  readonly report: AllocationReport;
  readonly at: MonotonicMs;
}

interface Entry {
  readonly stream: string;
  readonly rung: string;
  shape: ClusterTask['shape'];
  /** When somebody last wanted it, and how many then. */
  viewers: number;
  wantedAt: MonotonicMs;
  decision: ClusterDecision | undefined;
  sinceMs: number;
}

/** A node that says nothing for so long makes nothing: it says something each second. */
const SILENT_MS = 2_500;
/** An origin has so long to follow, and viewers to come; after that, what it says of its rungs counts. */
const FOLLOWS_MS = 5_000;
/** A task that nobody wants any more keeps its place so long. */
const RESTING_MS = 10_000;
/** A rung that was refused is not offered again for so long, unless there is room for those who wanted it. */
const REFUSED_MS = 30_000;
const RUNGS_MAX = 100_000;
const REPORTS_MAX = 10_000;

/** Brings together what all nodes report, decides, and remembers what it decided. */
export class AllocationBook {
  private readonly world: AllocationWorld;
  private readonly reports = new Map<string, Report>();
  private readonly entries = new Map<string, Entry>();
  /** Viewers of streams, on all nodes. */
  private readonly audiences = new Map<string, number>();
  private weights: TaskWeights;

  constructor(world: AllocationWorld, weights: TranscodingWeights) {
    this.world = world;
    this.weights = new TaskWeights(weights);
  }

  weightsAre(weights: TranscodingWeights): void {
    this.weights = new TaskWeights(weights);
  }

  /** True if other rungs are watched than before, or something else can be made. Numbers of viewers change all the time. */
  reported(report: AllocationReport, now: MonotonicMs): boolean {
    const before = this.reports.get(report.node)?.report;
    if (before === undefined && this.reports.size >= REPORTS_MAX) return false;
    this.reports.set(report.node, { report, at: now });
    return before === undefined || before.offer?.tasksMax !== report.offer?.tasksMax || !isSameWatched(before.watched, report.watched);
  }

  /** Whether a node that spoke when it was last decided says nothing any more. */
  hasSilent(now: MonotonicMs): boolean {
    for (const { at } of this.reports.values()) if (now - at > SILENT_MS) return true;
    return false;
  }

  decide(now: MonotonicMs): Allocated {
    this.gather(now);
    const entries = [...this.entries.values()];
    const nodes = this.poolNodes(now);
    const decided = allocateCluster({
      tasks: entries.map((entry) => this.taskOf(entry, now)),
      nodes,
      current: entries.flatMap((entry) => this.currentOf(entry, now) ?? []),
      weights: this.weights,
      nowMs: now,
    });
    const orders = new Map<string, RungOrder[]>();
    const order = (node: string | undefined, each: RungOrder): void => {
      if (node === undefined) return;
      const known = orders.get(node);
      if (known === undefined) orders.set(node, [each]);
      else known.push(each);
    };
    const changed: Allocated['changed'][number][] = [];
    decided.forEach((fresh, index) => {
      const entry = entries[index] as Entry;
      const decision = sincePlace(entry.decision, fresh);
      const { stream, rung, node, reason, message, score } = decision;
      if (isOther(entry.decision, decision)) changed.push({ stream, rung, node, reason, message, score, viewers: entry.viewers });
      if (entry.decision?.node !== node) entry.sinceMs = reason === 'running' ? 0 : now;
      entry.decision = decision;
      const each = { stream, rung, node, reason, message };
      order(this.world.claimed(stream)?.holder.node, each);
      order(node, each);
    });
    const tasks = new Map<string | undefined, number>();
    for (const { node } of decided) tasks.set(node, (tasks.get(node) ?? 0) + 1);
    return {
      orders,
      changed,
      nodes: nodes.map(({ id, state, tasksMax }) => ({ node: id, state, tasksMax, tasks: tasks.get(id) ?? 0 })),
      waiting: tasks.get(undefined) ?? 0,
    };
  }

  /** Adds up what is wanted, and forgets what was wanted long ago. */
  private gather(now: MonotonicMs): void {
    const counted = new Set<string>();
    this.audiences.clear();
    for (const [node, { report, at }] of this.reports) {
      if (now - at > SILENT_MS) this.reports.delete(node);
      else {
        for (const watched of report.watched) this.wanted(watched, counted, now);
        for (const { stream, viewers } of report.audiences) this.audiences.set(stream, (this.audiences.get(stream) ?? 0) + viewers);
      }
    }
    for (const [key, entry] of this.entries) {
      if (counted.has(key)) continue;
      const since = Math.max(entry.wantedAt, entry.sinceMs);
      const isOver = now - since > (entry.decision?.node === undefined ? REFUSED_MS : RESTING_MS);
      if (isOver || !this.isForPool(entry.stream)) this.entries.delete(key);
    }
  }

  private wanted(watched: WatchedRung, counted: Set<string>, now: MonotonicMs): void {
    const { stream, rung, viewers, kind, codec, width, height, frameRate } = watched;
    if (!this.isForPool(stream)) return;
    const key = `${stream}\n${rung}`;
    let entry = this.entries.get(key);
    if (entry === undefined) {
      if (this.entries.size >= RUNGS_MAX) return;
      entry = { stream, rung, shape: watched, viewers: 0, wantedAt: now, decision: undefined, sinceMs: 0 };
      this.entries.set(key, entry);
    }
    if (!counted.has(key)) entry.viewers = 0;
    counted.add(key);
    entry.viewers += viewers;
    entry.wantedAt = now;
    entry.shape = { kind, codec, width, height, frameRate };
  }

  /** Streams whose origins make their rungs themselves are none of the pool's. */
  private isForPool(stream: string): boolean {
    const origin = this.world.claimed(stream)?.holder.node;
    const record = origin === undefined ? undefined : this.world.node(origin)?.record;
    return record !== undefined && !isMaker(record.roles);
  }

  private taskOf({ stream, rung, shape, viewers, wantedAt, decision, sinceMs }: Entry, now: MonotonicMs): ClusterTask {
    const origin = this.world.claimed(stream)?.holder.node ?? '';
    const region = this.world.node(origin)?.record.region ?? '';
    // Whoever wanted what was refused was led to something else, and has to hear first that it is made now.
    const isAwaited = decision !== undefined && (decision.node === undefined || now - sinceMs < FOLLOWS_MS);
    const isWanted = wantedAt === now || isAwaited;
    // Whoever watches is somebody, also where nobody counts.
    const counted = isWanted ? Math.max(1, viewers) : 0;
    return { stream, rung, shape, region, viewers: counted, streamViewers: Math.max(counted, this.audiences.get(stream) ?? 0) };
  }

  private currentOf({ stream, rung, decision, sinceMs }: Entry, now: MonotonicMs): CurrentTask | undefined {
    const body = this.world.claimed(stream)?.body;
    const told = body === undefined ? undefined : makerOf(body, rung)?.node;
    const decided = decision?.node;
    const isDecided = decision !== undefined && (now - sinceMs < FOLLOWS_MS || told === undefined);
    const node = isDecided ? decided : told;
    return node === undefined ? undefined : { stream, rung, node, sinceMs };
  }

  private poolNodes(now: MonotonicMs): readonly PoolNode[] {
    const nodes: PoolNode[] = [];
    for (const { record, isStale } of this.world.nodes()) {
      if (!isMaker(record.roles) || record.endpoints.relay === undefined) continue;
      const known = this.reports.get(record.id);
      const offer = known?.report.offer;
      const isSilent = isStale || known === undefined || now - known.at > SILENT_MS;
      nodes.push({
        id: record.id,
        region: record.region,
        state: isSilent ? 'stale' : record.status,
        tasksMax: Math.max(0, (offer?.tasksMax ?? 0) - this.ownTasksOf(record.id)),
        cpuMax: offer?.cpuMax,
        costs: offer === undefined ? undefined : new Map(Object.entries(offer.costs)),
        hardwareCodecs: offer === undefined ? undefined : new Set(offer.hardwareCodecs),
      });
    }
    return nodes;
  }

  /** Rungs of streams that are published on a transcode node itself. */
  private ownTasksOf(node: string): number {
    const own = new Set<string>();
    for (const { stream, rung } of this.reports.get(node)?.report.watched ?? []) {
      if (this.world.claimed(stream)?.holder.node === node) own.add(`${stream}\n${rung}`);
    }
    return own.size;
  }
}

const isMaker = (roles: readonly string[]): boolean => roles.includes('transcode') || roles.includes('mono');

const isSameWatched = (left: readonly WatchedRung[], right: readonly WatchedRung[]): boolean =>
  left.length === right.length &&
  left.every(({ stream, rung }, index) => {
    const other = right[index];
    return other !== undefined && other.stream === stream && other.rung === rung;
  });

/** What lost its place is told so for as long as it has none. */
const sincePlace = (before: ClusterDecision | undefined, decision: ClusterDecision): ClusterDecision =>
  before?.reason === 'displaced' && decision.reason === 'limit' ? { ...before, score: decision.score } : decision;

/** A task that runs on says the same in other words than one that was placed. */
const isOther = (before: ClusterDecision | undefined, { node, reason }: ClusterDecision): boolean =>
  before === undefined || before.node !== node || (node === undefined && before.reason !== reason);

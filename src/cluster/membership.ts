import { type DurationMs, durationMs, type MonotonicMs, monotonicMs, type WallMs } from '../core/mod.ts';
import type { Bus } from './bus.ts';
import { decodeHeartbeat, encodeHeartbeat, HEARTBEATS, type Heartbeat, heartbeatSubject, type NodeLoad } from './heartbeat.ts';
import { decodeNodeRecord, NODES_PREFIX, type NodeRecord, type NodeStatus, nodeKey } from './node-record.ts';
import { type OwnNode, OwnRecord, type OwnState } from './own-record.ts';
import type { Store, StoreEntry } from './store.ts';

/** A node as this one sees it. The same object as long as the node is known; its fields follow. */
export interface NodeView {
  readonly record: NodeRecord;
  /** The newest; undefined before the first. Figures follow each second without {@link MembershipOutput.nodeChanged}. */
  readonly heartbeat: Heartbeat | undefined;
  /** Of the process that runs now: what names an older one is void. */
  readonly incarnation: number;
  /** Its heartbeats have stopped. Frozen while this node itself is cut off. */
  readonly isStale: boolean;
  /** When this node last had a sign of life from it. Its age is the difference to now. */
  readonly heardAt: MonotonicMs;
  /** By how much its wall clock is ahead of this node's, roughly; undefined before the first heartbeat. */
  readonly clockOffsetMs: number | undefined;
}

export interface MembershipOutput {
  /** New, or another record, incarnation or staleness. */
  nodeChanged(view: NodeView): void;
  /** Its record is gone: it is no member any more. */
  nodeGone(id: string): void;
  /** How this node itself stands; `drainForMs` is how long a draining one has from now, undefined when it has no deadline. */
  ownStatus(state: OwnState, drainForMs: number | undefined): void;
  /** Something that an operator should know; told once each time that it begins. */
  warning(code: MembershipWarning, message: string): void;
}

export type MembershipWarning = 'cluster.too-many-nodes' | 'cluster.clock-off';

export interface MembershipOptions {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: { monotonic(): MonotonicMs; wall(): WallMs };
  readonly own: OwnNode;
  readonly clusterId: string;
  /** Asked once for each heartbeat. */
  readonly load: () => NodeLoad;
  readonly heartbeatMs?: DurationMs;
  /** Without a heartbeat for so long, a node is stale. */
  readonly staleMs?: DurationMs;
  /** Nodes that are kept; more are not seen. */
  readonly nodesMax?: number;
}

const HEARTBEAT_MS = durationMs(1000);
export const STALE_MS: DurationMs = durationMs(6000);
export const NODES_MAX = 10_000;
const CLOCK_OFF_MS_MAX = 60_000;

type Mutable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

/**
 * Who is in the cluster and who lives: says each second that this node does, keeps a replica of the records and heartbeats of all, and judges by its own
 * monotonic clock alone. While the bus is out of reach nobody becomes stale; after that, and after a pause of this process, everybody has a full period.
 * To be ticked when {@link wakeAt} is reached.
 */
export class Membership {
  private readonly out: MembershipOutput;
  private readonly options: MembershipOptions;
  private readonly heartbeatMs: DurationMs;
  private readonly staleMs: DurationMs;
  private readonly views = new Map<string, Mutable<NodeView>>();
  private readonly ownRecord: OwnRecord;
  private readonly endings: (() => void)[] = [];
  private isConnected = false;
  /** Silence counts from here on at the earliest. */
  private judgeFrom: MonotonicMs;
  private tickedAt: MonotonicMs;
  private heartbeatAt: MonotonicMs;
  /** Keys told since the watch was lost, or since its beginning. */
  private told: Set<string> | undefined = new Set();
  private readonly warned = new Set<MembershipWarning>();

  constructor(out: MembershipOutput, options: MembershipOptions) {
    const { store, own, clusterId, clock } = options;
    this.out = out;
    this.options = options;
    this.heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
    this.staleMs = options.staleMs ?? STALE_MS;
    const now = clock.monotonic();
    this.judgeFrom = now;
    this.tickedAt = now;
    this.heartbeatAt = now;
    const ownOutput = {
      ownStatus: (state: OwnState, drainForMs: number | undefined) => out.ownStatus(state, drainForMs),
      registered: () => this.registered(),
    };
    this.ownRecord = new OwnRecord(ownOutput, { store, own, clusterId, now: () => clock.monotonic() });
  }

  /** Begins to watch, and registers this node's record. Once. */
  start(): void {
    const { store, bus } = this.options;
    this.endings.push(
      bus.onConnected((isConnected) => this.connected(isConnected)),
      bus.subscribe(HEARTBEATS, (_subject, message) => this.heard(message)),
      store.watch(NODES_PREFIX, {
        changed: (entry) => this.recordChanged(entry),
        deleted: (key) => this.recordDeleted(key),
        current: () => this.replicaCurrent(),
        lost: () => this.replicaLost(),
      }),
    );
    this.ownRecord.start();
  }

  /** No more heartbeats, watches or calls of the output. The record stays: others see the node become stale. */
  close(): void {
    this.ownRecord.close();
    for (const end of this.endings.splice(0)) end();
  }

  /** The member of this id; this node itself is one, too. */
  node(id: string): NodeView | undefined {
    return this.views.get(id);
  }

  nodes(): IterableIterator<NodeView> {
    return this.views.values();
  }

  /** Whether what this process of this node has claimed holds. */
  isAlive(id: string, incarnation: number): boolean {
    const view = this.views.get(id);
    return view !== undefined && !view.isStale && view.incarnation === incarnation;
  }

  /** This node's incarnation; undefined until it is registered, and from when it is out of the cluster. */
  get incarnation(): number | undefined {
    return this.ownRecord.isOut ? undefined : this.ownRecord.record?.incarnation;
  }

  /** Whether this node can hear the others now, so that its judgement of who is stale is not frozen. */
  get isJudging(): boolean {
    return this.isConnected;
  }

  /** What this node wants of itself, e.g. to drain because its process was told to end. Told to the others as soon as the store can be reached. */
  setOwnStatus(status: NodeStatus, drain?: { readonly forMs: number; readonly deadlineWallMs: number }): void {
    this.ownRecord.setStatus(status, drain);
  }

  get wakeAt(): MonotonicMs {
    const next = this.tickedAt + this.heartbeatMs;
    return monotonicMs(Math.min(this.heartbeatAt, next, this.ownRecord.wakeAt ?? next));
  }

  tick(now: MonotonicMs): void {
    // This process stood still: what the others sent meanwhile may not have been read yet.
    if (now - this.tickedAt > this.staleMs / 2) this.judgeFrom = now;
    this.tickedAt = now;
    this.ownRecord.tick(now);
    if (now >= this.heartbeatAt) {
      // No burst after a pause.
      this.heartbeatAt = monotonicMs(Math.max(this.heartbeatAt + this.heartbeatMs, now));
      this.sendHeartbeat();
      this.checkClock();
    }
    if (this.isConnected) for (const view of this.views.values()) this.judge(view, now);
  }

  private judge(view: Mutable<NodeView>, now: MonotonicMs): void {
    if (view.isStale || view.record.id === this.options.own.id) return;
    if (now - Math.max(view.heardAt, this.judgeFrom) <= this.staleMs) return;
    view.isStale = true;
    this.out.nodeChanged(view);
  }

  private connected(isConnected: boolean): void {
    if (isConnected && !this.isConnected) this.judgeFrom = this.options.clock.monotonic();
    this.isConnected = isConnected;
  }

  private registered(): void {
    this.heartbeatAt = this.options.clock.monotonic();
    this.sendHeartbeat();
  }

  private sendHeartbeat(): void {
    const { incarnation } = this;
    if (incarnation === undefined) return;
    const { own, bus, clock, load } = this.options;
    const heartbeat: Heartbeat = { v: 1, id: own.id, incarnation, sentMs: Math.round(clock.wall()), ...load() };
    bus.publish(heartbeatSubject(own.region, own.id), encodeHeartbeat(heartbeat));
  }

  private heard(message: Uint8Array): void {
    const heartbeat = decodeHeartbeat(message);
    const view = heartbeat === undefined ? undefined : this.views.get(heartbeat.id);
    // Of a node without a record, of another cluster on the same engine, or of a process that has been replaced.
    if (heartbeat === undefined || view === undefined || heartbeat.incarnation < view.incarnation) return;
    const hasChanged = view.isStale || view.heartbeat === undefined || heartbeat.incarnation > view.incarnation;
    view.heartbeat = heartbeat;
    view.incarnation = heartbeat.incarnation;
    view.isStale = false;
    view.heardAt = this.options.clock.monotonic();
    view.clockOffsetMs = heartbeat.sentMs - this.options.clock.wall();
    if (hasChanged) this.out.nodeChanged(view);
  }

  private recordChanged(entry: StoreEntry): void {
    this.told?.add(entry.key);
    const record = decodeNodeRecord(entry.value);
    if (record === undefined || nodeKey(record.id) !== entry.key) return;
    if (record.id === this.options.own.id) this.ownRecord.changed(entry);
    const view = this.views.get(record.id);
    if (view === undefined) this.recordAdded(record);
    else this.recordReplaced(view, record);
  }

  private recordReplaced(view: Mutable<NodeView>, record: NodeRecord): void {
    // A new process has written its record: that is a sign of life, too.
    if (record.incarnation > view.incarnation) {
      view.incarnation = record.incarnation;
      view.heartbeat = undefined;
      view.heardAt = this.options.clock.monotonic();
      view.isStale = false;
    }
    view.record = record;
    this.out.nodeChanged(view);
  }

  private recordAdded(record: NodeRecord): void {
    const { own, clock, nodesMax = NODES_MAX } = this.options;
    if (this.views.size >= nodesMax && record.id !== own.id) {
      this.warn('cluster.too-many-nodes', `the cluster has more than ${nodesMax} nodes: the others are not seen by this one`);
      return;
    }
    const view: Mutable<NodeView> = {
      record,
      heartbeat: undefined,
      incarnation: record.incarnation,
      isStale: false,
      heardAt: clock.monotonic(),
      clockOffsetMs: undefined,
    };
    this.views.set(record.id, view);
    this.out.nodeChanged(view);
  }

  private recordDeleted(key: string): void {
    this.told?.delete(key);
    const id = key.slice(NODES_PREFIX.length);
    if (id === this.options.own.id) this.ownRecord.missing(true);
    if (this.views.delete(id)) this.out.nodeGone(id);
  }

  private replicaLost(): void {
    this.told = new Set();
    this.ownRecord.lost();
  }

  /** What was known and is not there any more is gone. */
  private replicaCurrent(): void {
    const { told } = this;
    this.told = undefined;
    if (told === undefined) return;
    const ownKey = nodeKey(this.options.own.id);
    if (!told.has(ownKey)) this.ownRecord.missing(false);
    for (const id of [...this.views.keys()]) {
      if (told.has(nodeKey(id))) continue;
      this.views.delete(id);
      this.out.nodeGone(id);
    }
  }

  /** Clocks do no harm here, but an operator wants to know; whose clock it is, most of the others say. */
  private checkClock(): void {
    const offsets: number[] = [];
    for (const { clockOffsetMs, isStale } of this.views.values()) if (clockOffsetMs !== undefined && !isStale) offsets.push(clockOffsetMs);
    const median = offsets.sort((left, right) => left - right)[(offsets.length - 1) >> 1] ?? 0;
    if (Math.abs(median) <= CLOCK_OFF_MS_MAX) return void this.warned.delete('cluster.clock-off');
    const by = `${Math.round(Math.abs(median) / 1000)} s ${median > 0 ? 'behind' : 'ahead of'}`;
    this.warn(
      'cluster.clock-off',
      `the clock of this machine is ${by} that of most nodes: run an NTP client; certificates and tokens go by the clock`,
    );
  }

  private warn(code: MembershipWarning, message: string): void {
    if (this.warned.has(code)) return;
    this.warned.add(code);
    this.out.warning(code, message);
  }
}

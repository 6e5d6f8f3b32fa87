import { type DurationMs, durationMs, type MonotonicMs, monotonicMs } from '../core/mod.ts';
import { clockOffsets, clockProblem } from './clock-problem.ts';
import { STALE_MS } from './cluster-terms.ts';
import { decodeHeartbeat, encodeHeartbeat, HEARTBEATS, HeartbeatWriter, heartbeatSubject, heartbeatsOf } from './heartbeat.ts';
import type { MembershipOptions, MembershipOutput, MembershipReader, MembershipWarning } from './membership-options.ts';
import { decodeNodeRecord, isNodeKey, isSameRecord, NODES_PREFIX, type NodeRecord, type NodeStatus, readsJsonOnly } from './node-record.ts';
import type { NodeView } from './node-view.ts';
import { OwnRecord, type OwnRecordOutput } from './own-record.ts';
import { DIGESTS, decodeDigest, digestSubject, encodeDigest } from './region-digest.ts';
import { type MemberView, RegionRoster } from './region-roster.ts';
import { RegionSpeaker, SPEAK_AFTER_MS, SPEAK_STEP_MS } from './region-speaker.ts';
import type { ReplicaMap } from './replica-map.ts';
import { RosterTable } from './roster-table.ts';
import type { StoreEntry, StoreWatcher } from './store.ts';
import { ToldRecords } from './told-records.ts';

const READER: MembershipReader = { heartbeat: decodeHeartbeat, digest: decodeDigest, record: decodeNodeRecord };

const HEARTBEAT_MS = durationMs(1000);
export const NODES_MAX = 10_000;
const CLOCK_CHECK_MS = 60_000;
/** At 160 to 280 bytes a heartbeat: 2 to 3.5 kB a second. A few more do not change it back, so that it does not change to and fro. */
export const HEAR_ALL_NODES_MAX = 12;
const HEAR_ALL_SLACK = 4;
/** So many nodes of a region hear the heartbeats of all others of it, for one of them to tell the rest of the cluster. */
const OBSERVERS = 3;
/** A region of which nothing was heard for so much longer has nobody left who could speak. */
const REGION_SILENT_MORE_MS = 4000;

/** Whose heartbeats a node hears. */
type Hearing = 'all' | 'region' | 'none';

/**
 * Who is in the cluster and who lives: says each second that this node does, keeps a replica of the records of all, and judges by its own monotonic clock
 * alone. While the bus is out of reach nobody becomes stale; after that, and after a pause of this process, everybody has a full period. In a small cluster
 * each node hears all heartbeats, in a large one only managers and a few observers in each region do; the first of these tells all others in a digest each
 * second. To be ticked when {@link wakeAt} is reached.
 */
export class Membership {
  private readonly out: MembershipOutput;
  private readonly options: MembershipOptions;
  private readonly heartbeatMs: DurationMs;
  private readonly staleMs: () => DurationMs;
  private readonly reader: MembershipReader;
  private readonly clock: MembershipOptions['clock'];
  /** Of this node's heartbeats. */
  private readonly subject: string;
  private readonly ownId: string;
  private readonly isManager: boolean;
  /** Of all members. */
  private readonly records: ReplicaMap<NodeRecord>;
  /** Of those that somebody looked at, or of which more is known than their records. */
  private readonly views = new Map<string, MemberView>();
  private readonly rosters = new Map<string, RegionRoster>();
  private readonly ownRoster: RegionRoster;
  private readonly ownRecord: OwnRecord;
  private readonly endings: (() => void)[] = [];
  private isConnected = false;
  /** Silence counts from here on at the earliest. */
  private judgeFrom: MonotonicMs;
  private tickedAt: MonotonicMs;
  private heartbeatAt: MonotonicMs;
  private clockCheckAt = 0;
  private hearing: Hearing = 'none';
  private isLarge = false;
  /** Since when the heartbeats are heard that are heard now. */
  private hearingSince: MonotonicMs;
  private endHearing: (() => void) | undefined = undefined;
  /** None of those that are heard was heard of before this: heartbeats only make it later. */
  private heardSince: MonotonicMs = monotonicMs(0);
  /** The same of the regions that are known by digests. */
  private digestsSince: MonotonicMs = monotonicMs(0);
  private isSpeaking = false;
  /** What was known when it was chosen whose heartbeats are heard. */
  private readonly listenedTo = { size: -1, changes: -1, isSpeaking: false };
  private readonly writer: HeartbeatWriter;
  private readonly speaker: RegionSpeaker;
  /** Members that read heartbeats in JSON alone. */
  private olderNodes = 0;
  private readonly told = new ToldRecords();
  private readonly warned = new Set<MembershipWarning>();

  constructor(out: MembershipOutput, options: MembershipOptions) {
    const { store, own, clusterId, clock } = options;
    this.out = out;
    this.options = options;
    this.heartbeatMs = options.heartbeatMs ?? HEARTBEAT_MS;
    this.staleMs = options.staleMs ?? (() => STALE_MS);
    this.reader = options.reader ?? READER;
    this.clock = clock;
    this.subject = heartbeatSubject(own.region, own.id);
    this.ownId = own.id;
    this.isManager = own.roles.includes('manager') || own.roles.includes('mono');
    const now = clock.monotonic();
    this.records = options.share?.replica(NODES_PREFIX) ?? new Map<string, NodeRecord>();
    this.hearingSince = now;
    this.ownRoster = this.rosterOf(own.region);
    this.writer = new HeartbeatWriter(own.id);
    this.speaker = new RegionSpeaker(this.ownRoster, own.id, this.heartbeatMs);
    this.judgeFrom = now;
    this.tickedAt = now;
    this.heartbeatAt = now;
    const ownOutput: OwnRecordOutput = { ownStatus: (...told) => out.ownStatus(...told), registered: () => this.registered() };
    this.ownRecord = new OwnRecord(ownOutput, { store, own, clusterId, now: () => clock.monotonic() });
  }

  /** Begins to watch, and registers this node's record. Once. */
  start(): void {
    this.endings.push(
      this.options.bus.onConnected((isConnected) => this.connected(isConnected)),
      this.hearDigests(),
      () => this.endHearing?.(),
      this.watchRecords(),
    );
    this.listen();
    this.ownRecord.start();
  }

  private hearDigests(): () => void {
    const { share, bus, own } = this.options;
    const heard = (message: Uint8Array): void => this.digestCame(message);
    if (share === undefined) return bus.subscribe(DIGESTS, (_subject, message) => heard(message));
    return share.hearDigests({ id: own.id, rosters: this.rosters, isDeaf: () => this.hearing === 'none', heard });
  }

  private watchRecords(): () => void {
    const { share, store, own } = this.options;
    const watcher: StoreWatcher = {
      changed: (entry) => this.recordChanged(entry),
      deleted: (key) => this.recordDeleted(key),
      current: () => this.replicaCurrent(),
      lost: () => this.replicaLost(),
    };
    if (share === undefined) return store.watch(NODES_PREFIX, watcher);
    return share.watchRecords({ id: own.id, records: this.records, told: this.told, watcher });
  }

  /** No more heartbeats, watches or calls of the output. The record stays: others see the node become stale. */
  close(): void {
    this.ownRecord.close();
    for (const end of this.endings.splice(0)) end();
  }

  /** The member of this id; this node itself is one, too. */
  node(id: string): NodeView | undefined {
    return this.view(id);
  }

  /** The record of the member of this id. */
  record(id: string): NodeRecord | undefined {
    return this.records.get(id);
  }

  nodes(): Iterable<NodeView> {
    return this.members();
  }

  /** The records of one region's members, in the order of their ids, or of all; not to be changed. */
  recordsOf(region: string | undefined): readonly NodeRecord[] {
    if (region === undefined) return Array.from(this.rosters.values(), ({ table }) => table.records).flat();
    return this.rosters.get(region)?.table.records ?? [];
  }

  /** Whether what this process of this node has claimed holds. */
  isAlive(id: string, incarnation: number): boolean {
    const view = this.views.get(id);
    if (view === undefined) return this.records.get(id)?.incarnation === incarnation;
    return !view.isStale && view.incarnation === incarnation;
  }

  /** This node's incarnation; undefined until it is registered, and from when it is out of the cluster. */
  get incarnation(): number | undefined {
    return this.ownRecord.isOut ? undefined : this.ownRecord.record?.incarnation;
  }

  /** Of how many nodes this one hears the heartbeats; all others it knows by digests. */
  get heardNodes(): number {
    return this.hearing === 'all' ? this.records.size : this.hearing === 'region' ? this.ownRoster.size : 0;
  }

  /** Whether this node can hear the others now, so that its judgement of who is stale is not frozen. */
  get isJudging(): boolean {
    return this.isConnected;
  }

  /** Whether this is the first node of its region, of those that live, by the order of their ids: there is one of it as far as all see the same. */
  get isFirstOfRegion(): boolean {
    return this.incarnation !== undefined && this.ownRoster.rankOf(this.ownId) === 0;
  }

  /** What this node wants of itself, e.g. to drain because its process was told to end. Told to the others as soon as the store can be reached. */
  setOwnStatus(status: NodeStatus, drain?: { readonly forMs: number; readonly deadlineWallMs: number }): void {
    this.ownRecord.setStatus(status, Math.round(this.options.clock.wall()), drain);
  }

  get wakeAt(): MonotonicMs {
    const next = this.tickedAt + this.heartbeatMs;
    return monotonicMs(Math.min(this.heartbeatAt, next, this.ownRecord.wakeAt ?? next));
  }

  tick(now: MonotonicMs): void {
    // This process stood still: what the others sent meanwhile may not have been read yet.
    if (now - this.tickedAt > this.staleMs() / 2) this.judgeFrom = now;
    this.tickedAt = now;
    this.ownRecord.tick(now);
    if (now >= this.heartbeatAt) {
      // No burst after a pause.
      this.heartbeatAt = monotonicMs(Math.max(this.heartbeatAt + this.heartbeatMs, now));
      this.sendHeartbeat();
      this.forgetGone(now);
      this.listen();
      if (this.isConnected) this.judgeAll(now);
      this.speak(now);
      this.checkClock(now);
    } else if (this.isConnected && this.hearing !== 'none') {
      this.judgeAll(now);
    }
  }

  /** Chooses whose heartbeats are heard, by what is known of the cluster's size and of this node's place in its region. */
  private listen(): void {
    const { own, bus, hearAllNodesMax = HEAR_ALL_NODES_MAX } = this.options;
    const { listenedTo, ownRoster, isSpeaking } = this;
    const { size } = this.records;
    const { changes } = ownRoster;
    if (listenedTo.size === size && listenedTo.changes === changes && listenedTo.isSpeaking === isSpeaking) return;
    Object.assign(listenedTo, { size, changes, isSpeaking });
    this.isLarge = size > hearAllNodesMax + (this.isLarge ? 0 : HEAR_ALL_SLACK);
    const isObserver = isSpeaking || ownRoster.rankOf(this.ownId) < OBSERVERS;
    const hearing: Hearing = !this.isLarge || this.isManager ? 'all' : isObserver ? 'region' : 'none';
    if (hearing === this.hearing && this.endHearing !== undefined) return;
    // Of those that were heard before, more is not to be known than of the others.
    if (hearing === 'none' || this.hearing === 'all')
      for (const view of this.views.values()) if (!this.hears(view.roster, hearing)) view.heartbeat = undefined;
    if (hearing !== 'none' && this.hearing !== 'all') this.hearingSince = this.clock.monotonic();
    this.hearing = hearing;
    this.digestsSince = monotonicMs(0);
    this.heardSince = monotonicMs(0);
    this.endHearing?.();
    const pattern = hearing === 'all' ? HEARTBEATS : heartbeatsOf(own.region);
    this.endHearing = hearing === 'none' ? () => undefined : bus.subscribe(pattern, (_subject, message) => this.heard(message));
  }

  private hears(roster: RegionRoster, hearing: Hearing = this.hearing): boolean {
    return hearing === 'all' || (hearing === 'region' && roster === this.ownRoster);
  }

  /** Whether who is silent now has been so for as long as it takes to be stale. */
  private isSettled(now: MonotonicMs): boolean {
    return this.isConnected && now - Math.max(this.judgeFrom, this.hearingSince) > this.staleMs();
  }

  private judgeAll(now: MonotonicMs): void {
    if (this.hearing !== 'none' && now - this.heardSince > this.staleMs()) this.judgeHeard(now);
    if (this.hearing !== 'all' && now - this.digestsSince > this.silentMs()) this.judgeSilent(now);
  }

  /** Those whose heartbeats are heard. None can become stale sooner than the one that was heard of longest ago. */
  private judgeHeard(now: MonotonicMs): void {
    const from = Math.max(this.judgeFrom, this.hearingSince);
    let longestAgo = now;
    for (const view of this.hearing === 'all' ? this.members() : this.ownRoster.ordered()) {
      if (view.isStale || view.record.id === this.ownId) continue;
      const heardAt = monotonicMs(Math.max(view.signAt, from));
      if (now - heardAt > this.staleMs()) this.becomes(view, true);
      else if (heardAt < longestAgo) longestAgo = heardAt;
    }
    this.heardSince = longestAgo;
  }

  private silentMs(): number {
    return this.staleMs() + REGION_SILENT_MORE_MS;
  }

  /** Regions of which nothing is heard. None can become one sooner than the one that was heard of longest ago. */
  private judgeSilent(now: MonotonicMs): void {
    const silentMs = this.silentMs();
    let longestAgo = now;
    for (const roster of this.rosters.values()) {
      if (this.hears(roster)) continue;
      const heardAt = monotonicMs(Math.max(roster.digestAt, this.judgeFrom));
      if (heardAt < longestAgo) longestAgo = heardAt;
      if (now - heardAt <= silentMs) continue;
      for (const view of roster.ordered()) if (!view.isStale && now - view.signAt > silentMs) this.becomes(view, true);
    }
    this.digestsSince = longestAgo;
  }

  private becomes(view: MemberView, isStale: boolean): void {
    if (view.isStale === isStale || view.record.id === this.ownId) return;
    view.isStale = isStale;
    if (!isStale) this.heardSince = monotonicMs(0);
    view.roster.touched();
    this.out.nodeChanged(view.record.id);
  }

  /** One node of each region does, the first that lives; the next one when it is silent. */
  private speak(now: MonotonicMs): void {
    const { incarnation, ownRoster, clock } = this;
    this.isSpeaking = false;
    if (!this.isLarge || incarnation === undefined || !this.isConnected) return;
    const silentMs = now - Math.max(ownRoster.digestAt, this.judgeFrom);
    // Most hear another one, and are no observers.
    if (silentMs < SPEAK_AFTER_MS && this.hearing === 'none') return;
    const rank = ownRoster.rankOf(this.ownId);
    const isFirst = rank === 0 && this.hearing !== 'none' && this.isSettled(now);
    this.isSpeaking = isFirst || silentMs >= SPEAK_AFTER_MS + rank * SPEAK_STEP_MS;
    if (!this.isSpeaking) return;
    const digest = this.speaker.digest(now, incarnation, Math.round(clock.wall()));
    if (digest !== undefined) this.options.bus.publish(digestSubject(ownRoster.region), encodeDigest(digest));
  }

  private digestCame(message: Uint8Array): void {
    const digest = this.reader.digest(message);
    const roster = digest === undefined ? undefined : this.rosters.get(digest.region);
    if (digest === undefined || roster === undefined || digest.node === this.ownId || !roster.news.accepts(digest)) return;
    const now = this.clock.monotonic();
    const isToBeJudged = roster.news.isToBeJudged(digest, roster.table);
    roster.news.take(digest, now, roster.table);
    // Who hears the nodes themselves knows better, once it has heard them for long enough.
    if (!isToBeJudged || (this.hears(roster) && this.isSettled(now))) return;
    roster.judge(digest, (view, isStale) => {
      // It may have been sent before this node heard of the other.
      if (isStale && now - view.signAt < this.staleMs() / 2) return false;
      this.becomes(view, isStale);
      // Of thousands of nodes, most were stale once.
      if (!isStale && view.heartbeat === undefined) roster.release(view);
      return true;
    });
  }

  private rosterOf(region: string): RegionRoster {
    const known = this.rosters.get(region);
    if (known !== undefined) return known;
    const roster = new RegionRoster(region, this.clock, this.options.share?.roster(region) ?? new RosterTable(), this.views);
    this.rosters.set(region, roster);
    return roster;
  }

  private connected(isConnected: boolean): void {
    if (isConnected && !this.isConnected) this.judgeFrom = this.clock.monotonic();
    this.isConnected = isConnected;
  }

  private registered(): void {
    this.heartbeatAt = this.options.clock.monotonic();
    this.sendHeartbeat();
  }

  private sendHeartbeat(): void {
    const { incarnation } = this;
    if (incarnation === undefined) return;
    const { bus, load } = this.options;
    const sentMs = Math.round(this.clock.wall());
    const message =
      this.olderNodes > 0
        ? encodeHeartbeat({ v: 1, id: this.ownId, incarnation, sentMs, ...load() })
        : this.writer.write(incarnation, sentMs, load());
    bus.publish(this.subject, message);
  }

  private heard(message: Uint8Array): void {
    const heartbeat = this.reader.heartbeat(message);
    const view = heartbeat === undefined ? undefined : this.view(heartbeat.id);
    // Of a node without a record, of another cluster on the same engine, or of a process that has been replaced.
    if (heartbeat === undefined || view === undefined || heartbeat.incarnation < view.incarnation) return;
    const hasChanged = view.isStale || view.heartbeat === undefined || heartbeat.incarnation > view.incarnation;
    view.heartbeat = heartbeat;
    view.incarnation = heartbeat.incarnation;
    if (view.isStale) {
      view.roster.touched();
      view.isStale = false;
    }
    view.signAt = this.clock.monotonic();
    if (hasChanged) this.out.nodeChanged(view.record.id);
  }

  private recordChanged(entry: StoreEntry): void {
    const record = this.reader.record(entry.value);
    const isReadable = record !== undefined && isNodeKey(entry.key, record.id);
    const id = isReadable ? record.id : entry.key.slice(NODES_PREFIX.length);
    if (isReadable) this.recordTold(record, entry);
    if (this.records.get(id) !== undefined) this.told.add(id);
  }

  private recordTold(record: NodeRecord, entry: StoreEntry): void {
    const { id, region } = record;
    if (id === this.ownId) this.ownRecord.changed(entry);
    const before = this.records.get(id);
    // After the store was out of reach all is told again.
    if (before !== undefined && isSameRecord(before, record)) return;
    if (before !== undefined && before.region !== region) this.forget(id);
    if (before?.region === region) this.recordReplaced(before, record);
    else this.recordAdded(record);
  }

  private recordReplaced(before: NodeRecord, record: NodeRecord): void {
    const { id, region, incarnation } = record;
    const view = this.views.get(id);
    // A new process has written its record: that is a sign of life, too. After the store has lost everything it counts from 1 again.
    if (view !== undefined && (incarnation > view.incarnation || incarnation < before.incarnation)) view.roster.release(view);
    this.olderNodes += Number(readsJsonOnly(record)) - Number(readsJsonOnly(before));
    this.records.set(id, record);
    this.rosterOf(region).replace(record);
    this.out.nodeChanged(id);
  }

  private recordAdded(record: NodeRecord): void {
    const { nodesMax = NODES_MAX } = this.options;
    if (this.records.size >= nodesMax && record.id !== this.ownId) {
      this.warn('cluster.too-many-nodes', `the cluster has more than ${nodesMax} nodes: the others are not seen by this one`);
      return;
    }
    this.rosterOf(record.region).add(record);
    this.records.set(record.id, record);
    this.olderNodes += Number(readsJsonOnly(record));
    this.out.nodeChanged(record.id);
  }

  private recordDeleted(key: string): void {
    const id = key.slice(NODES_PREFIX.length);
    this.told.delete(id);
    if (id === this.ownId) this.ownRecord.missing(true);
    this.forget(id);
  }

  private replicaLost(): void {
    this.told.lost();
    this.ownRecord.lost();
  }

  private replicaCurrent(): void {
    const { ownId, told } = this;
    const now = this.clock.monotonic();
    if (!told.current(ownId, now)) return;
    if (!told.has(ownId)) this.ownRecord.missing(false);
    this.forgetGone(now);
    // Of a large cluster, not all is to be heard until the next heartbeat.
    this.listen();
  }

  private forgetGone(now: MonotonicMs): void {
    for (const id of this.told.gone(this.records, now)) this.forget(id);
  }

  private forget(id: string): void {
    const record = this.records.get(id);
    if (record === undefined) return;
    this.records.delete(id);
    this.olderNodes -= Number(readsJsonOnly(record));
    const roster = this.rosters.get(record.region);
    roster?.remove(id);
    if (roster?.size === 0 && roster !== this.ownRoster) this.rosters.delete(record.region);
    this.out.nodeGone(id);
  }

  /** Clocks do no harm here, but an operator wants to know; whose clock it is, most of the others say. */
  private checkClock(now: MonotonicMs): void {
    if (now < this.clockCheckAt) return;
    this.clockCheckAt = this.isLarge ? now + CLOCK_CHECK_MS : now;
    const byDigests = [...this.rosters.values()].filter((roster) => !this.hears(roster));
    const problem = clockProblem(clockOffsets(this.views, byDigests));
    if (problem === undefined) this.warned.delete('cluster.clock-off');
    else this.warn('cluster.clock-off', problem);
  }

  private view(id: string): MemberView | undefined {
    const view = this.views.get(id);
    if (view !== undefined) return view;
    const record = this.records.get(id);
    return record === undefined ? undefined : this.rosters.get(record.region)?.view(id);
  }

  private *members(): Iterable<MemberView> {
    for (const id of this.records.keys()) {
      const view = this.view(id);
      if (view !== undefined) yield view;
    }
  }

  private warn(code: MembershipWarning, message: string): void {
    if (this.warned.has(code)) return;
    this.warned.add(code);
    this.out.warning(code, message);
  }
}

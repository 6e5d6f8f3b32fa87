import { isNodeKey, isSameRecord, NODES_PREFIX, type NodeRecord, type RecordHearer, type StoreEntry } from '../src/cluster/mod.ts';
import type { Watch, WatchCrowd } from './engine.ts';
import type { EngineClient } from './engine-client.ts';
import type { Replays } from './replays.ts';
import type { SharedMap } from './shared-map.ts';

type ReadRecord = (value: Uint8Array) => NodeRecord | undefined;

/** What all entries that are told again mean for those that know the same. */
export interface RecordReplay {
  /** All whose records there are: one set for all, to be changed by none. */
  readonly told: Set<string>;
  /** Records that say something else than what is known. */
  readonly others: readonly StoreEntry[];
  /** By the node whose record it is. */
  readonly byNode: ReadonlyMap<string, StoreEntry>;
}

/**
 * Nodes that know the same records, and are told of changes at the same moment: what says the same as they know is told to none of them but the one whose
 * record it is.
 */
class RecordCrowd implements WatchCrowd {
  private readonly members = new Map<string, NodeRecords>();
  private readonly read: ReadRecord;
  /** Whose records were told since the store was out of reach: those members that still ask have this set. */
  private since: Set<string> | undefined = undefined;

  constructor(read: ReadRecord) {
    this.read = read;
  }

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  /** Whether a node knows the same. */
  isLike({ known, since }: NodeRecords): boolean {
    if (this.known?.isLike(known, isSameRecord) === false) return false;
    return since === undefined || this.since === undefined || isSame(since, this.since);
  }

  /** Of nodes that know the same. */
  add(member: NodeRecords): void {
    const { known } = this;
    if (known !== undefined) member.known.become(known);
    this.members.set(member.id, member);
    if (member.since === undefined) return;
    this.since ??= new Set(member.since);
    member.since = this.since;
  }

  /** `hasLeft`: it is told nothing more before it has lost the store. */
  delete(member: NodeRecords, hasLeft: boolean): void {
    this.members.delete(member.id);
    if (member.since !== undefined && !hasLeft) member.since = new Set(member.since);
  }

  told(key: string, entry: StoreEntry | undefined): void {
    const id = entry === undefined ? undefined : idOfSame(entry, this.known, this.read);
    if (id === undefined) {
      for (const member of this.members.values()) member.told(key, entry);
    } else {
      this.since?.add(id);
      this.members.get(id)?.told(key, entry);
    }
  }

  /** Of any member. */
  private get known(): SharedMap<NodeRecord> | undefined {
    for (const { known } of this.members.values()) return known;
    return undefined;
  }
}

/** Watches the records of all for one node: by itself, or with all that know the same. */
export class NodeRecords {
  private readonly hearer: RecordHearer;
  private readonly client: EngineClient;
  private readonly read: ReadRecord;
  private readonly watch: Watch;
  private crowd: RecordCrowd | undefined = undefined;
  /** It has seen all that was there, and missed nothing since. */
  private isWhole = false;

  constructor(
    hearer: RecordHearer,
    parts: { readonly client: EngineClient; readonly read: ReadRecord; readonly replays: Replays<SharedMap<NodeRecord>, RecordReplay> },
  ) {
    const { watcher } = hearer;
    this.hearer = hearer;
    this.client = parts.client;
    this.read = parts.read;
    this.watch = parts.client.watch(NODES_PREFIX, {
      changed: (entry) => {
        watcher.changed(entry);
        this.join();
      },
      deleted: (key, revision) => {
        watcher.deleted(key, revision);
        this.join();
      },
      current: () => {
        watcher.current();
        this.isSeen();
      },
      replayed: (entries) => this.replayed(entries, parts.replays),
      lost: () => watcher.lost(),
      awake: () => this.join(),
      parted: (hasLeft) => {
        if (hasLeft) this.isWhole = false;
        this.part(hasLeft);
      },
    });
  }

  get id(): string {
    return this.hearer.id;
  }

  get known(): SharedMap<NodeRecord> {
    return this.hearer.records as SharedMap<NodeRecord>;
  }

  get since(): Set<string> | undefined {
    return this.hearer.told.since;
  }

  set since(since: Set<string> | undefined) {
    this.hearer.told.since = since;
  }

  /** The crowd's. */
  told(key: string, entry: StoreEntry | undefined): void {
    const { watcher } = this.hearer;
    if (entry === undefined) watcher.deleted(key, 0);
    else watcher.changed(entry);
  }

  end(): void {
    this.client.endWatch(this.watch);
  }

  private part(hasLeft: boolean): void {
    const { crowd, watch } = this;
    if (crowd === undefined) return;
    this.crowd = undefined;
    crowd.delete(this, hasLeft);
    const group = watch.joined?.group;
    if (group === undefined) return;
    group.listeners.add(watch);
    if (crowd.isEmpty) group.crowd = undefined;
  }

  /** Nothing was told it since it lost the store. */
  private replayed(entries: readonly StoreEntry[], replays: Replays<SharedMap<NodeRecord>, RecordReplay>): boolean {
    const { hearer, known, id } = this;
    const replay = replays.of(entries, known, () => replayed(entries, known, this.read));
    if (replay === undefined) return false;
    const own = replay.byNode.get(id);
    this.since = replay.told;
    for (const entry of replay.others) hearer.watcher.changed(entry);
    if (own !== undefined) hearer.watcher.changed(own);
    hearer.watcher.current();
    this.isSeen();
    if (this.since === replay.told) this.since = new Set(replay.told);
    return true;
  }

  private isSeen(): void {
    this.isWhole = true;
    this.join();
  }

  /** Is told with the others from now on, if it knows the same. */
  private join(): void {
    const { client, watch, isWhole } = this;
    const group = watch.joined?.group;
    if (this.crowd !== undefined || group === undefined || !isWhole || !client.isAwake) return;
    const present = group.crowd as RecordCrowd | undefined;
    if (present?.isLike(this) === false) return;
    const crowd = present ?? new RecordCrowd(this.read);
    crowd.add(this);
    this.crowd = crowd;
    group.crowd = crowd;
    group.listeners.delete(watch);
  }
}

function replayed(entries: readonly StoreEntry[], known: SharedMap<NodeRecord>, read: ReadRecord): RecordReplay {
  const told = new Set<string>();
  const others: StoreEntry[] = [];
  const byNode = new Map<string, StoreEntry>();
  for (const entry of entries) {
    const record = read(entry.value);
    if (record !== undefined && isNodeKey(entry.key, record.id)) told.add(record.id);
    const id = idOfSame(entry, known, read);
    if (id === undefined) others.push(entry);
    else byNode.set(id, entry);
  }
  return { told, others, byNode };
}

/**
 * The node of which an entry says what is known; undefined: it says something else. As soon as one has forgotten a node, what is read of that is another
 * object for all, so that no member need tell the others that it has.
 */
function idOfSame({ key, value }: StoreEntry, known: SharedMap<NodeRecord> | undefined, read: ReadRecord): string | undefined {
  const record = read(value);
  const isKnown = record !== undefined && isNodeKey(key, record.id) && known?.get(record.id) === record;
  return isKnown ? record.id : undefined;
}

function isSame(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  if (left === right) return true;
  if (left.size !== right.size) return false;
  for (const id of left) if (!right.has(id)) return false;
  return true;
}

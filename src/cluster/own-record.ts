import type { MonotonicMs } from '../core/mod.ts';
import { CLUSTER_IDENTITY_KEY, decodeClusterIdentity } from './cluster-identity.ts';
import {
  decodeNodeRecord,
  encodeNodeRecord,
  type NodeRecord,
  type NodeStatus,
  nodeKey,
  type StatusChange,
  withStatus,
} from './node-record.ts';
import { decodeRevocation, REVOKED_PREFIX } from './revocations.ts';
import type { Store, StoreEntry } from './store.ts';

/** What a node says of itself when it registers. */
export type OwnNode = Omit<NodeRecord, 'v' | 'status' | 'incarnation' | 'drainDeadlineWallMs' | 'drainForMs' | 'statusChange'>;

/**
 * How the node stands in its cluster. `joining`: not registered yet; `removed`: its record was deleted by an operator; `superseded`: another process
 * has registered the same id after this one; `foreign`: the store is another cluster's. The last three are final.
 */
export type OwnState = 'joining' | NodeStatus | 'removed' | 'superseded' | 'foreign';

export interface OwnRecordOutput {
  /** `drainForMs`: how long a draining node has from now; undefined: no deadline. */
  ownStatus(state: OwnState, drainForMs: number | undefined): void;
  /** Registered under a new incarnation, or again after the store had lost it. */
  registered(record: NodeRecord): void;
}

interface Drain {
  readonly forMs: number;
  readonly deadlineWallMs: number;
}

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5000;

/** Keeps a node's own record in the store: registers it with the next incarnation, follows the status that operators give it, puts it back when lost. */
export class OwnRecord {
  private readonly out: OwnRecordOutput;
  private readonly store: Store;
  private readonly own: OwnNode;
  private readonly clusterId: string;
  private readonly now: () => MonotonicMs;
  private state: OwnState = 'joining';
  private drain: Drain | undefined;
  private known: NodeRecord | undefined;
  private knownRevision = 0;
  private isBusy = false;
  private isClosed = false;
  private retryAt: MonotonicMs | undefined;
  private retryMs = RETRY_MS_MIN;
  /** A status that the node wants of itself, until it is written. */
  private wanted: { readonly status: NodeStatus; readonly drain: Drain | undefined; readonly change: StatusChange } | undefined;

  constructor(out: OwnRecordOutput, options: { store: Store; own: OwnNode; clusterId: string; now: () => MonotonicMs }) {
    this.out = out;
    this.store = options.store;
    this.own = options.own;
    this.clusterId = options.clusterId;
    this.now = options.now;
  }

  /** As registered; undefined before. */
  get record(): NodeRecord | undefined {
    return this.known;
  }

  get isOut(): boolean {
    return this.state === 'removed' || this.state === 'superseded' || this.state === 'foreign';
  }

  get wakeAt(): MonotonicMs | undefined {
    return this.isOut || this.isClosed ? undefined : this.retryAt;
  }

  start(): void {
    this.checkCluster();
  }

  tick(now: MonotonicMs): void {
    if (this.retryAt === undefined || now < this.retryAt || this.isBusy || this.isOut || this.isClosed) return;
    this.retryAt = undefined;
    this.checkCluster();
  }

  /** No call that is under way counts any more. */
  close(): void {
    this.isClosed = true;
  }

  /** The node's own wish, e.g. to drain because its process was asked to end, at `atMs` by its wall clock. Written as soon as the store can be reached; told at once. */
  setStatus(status: NodeStatus, atMs: number, drain: Drain | undefined): void {
    if (this.isOut) return;
    this.wanted = { status, drain, change: { atMs, by: this.own.id } };
    this.become(status, drain);
    if (!this.isBusy) this.checkCluster();
  }

  /** The watch tells the own key. */
  changed(entry: StoreEntry): void {
    const { known } = this;
    // Before the registration, and by an older write than our own: nothing that we did not know.
    if (known === undefined || entry.revision <= this.knownRevision || this.isOut) return;
    const record = decodeNodeRecord(entry.value);
    if (record === undefined) return;
    if (record.incarnation > known.incarnation) {
      this.become('superseded', undefined);
    } else if (record.incarnation < known.incarnation) {
      // A store that was put back to an earlier state.
      this.checkCluster();
    } else {
      this.adopt(record, entry.revision);
      if (this.wanted === undefined) this.become(record.status, drainOf(record));
    }
  }

  /** The watch tells that the own key was deleted, or (`isDeletion` false) is not there although it was: removal, unless the store has lost it. */
  missing(isDeletion: boolean): void {
    if (this.known === undefined || this.isOut || this.isBusy) return;
    // Without a certificate there is nothing to revoke: the deletion alone says it.
    if (isDeletion && this.own.certificateSerial === undefined) this.become('removed', undefined);
    else this.checkCluster();
  }

  /** After it, revisions may begin anew. */
  lost(): void {
    this.knownRevision = 0;
  }

  /** First of all: the store must be this cluster's. */
  private checkCluster(): void {
    this.isBusy = true;
    this.store.get(CLUSTER_IDENTITY_KEY, (result) => {
      if (this.isClosed) return;
      if (!result.ok) return this.retry();
      const identity = result.value === undefined ? undefined : decodeClusterIdentity(result.value.value);
      if (identity !== undefined && identity.id !== this.clusterId) return this.become('foreign', undefined);
      this.readOwn();
    });
  }

  private readOwn(): void {
    this.store.get(nodeKey(this.own.id), (result) => {
      if (this.isClosed) return;
      if (!result.ok) return this.retry();
      if (result.value !== undefined) return this.writeOver(result.value);
      this.unlessRevoked(() => this.write(this.nextRecord(undefined), undefined));
    });
  }

  /** A record that is not there was removed if the node is on the list of the revoked; otherwise it is new, or the store has lost it. */
  private unlessRevoked(go: () => void): void {
    const { id, certificateSerial } = this.own;
    this.store.list(REVOKED_PREFIX, (result) => {
      if (this.isClosed) return;
      if (!result.ok) return this.retry();
      const revoked = result.value.map(({ value }) => decodeRevocation(value));
      const isRevoked = revoked.some((entry) => entry !== undefined && (entry.node === id || entry.serial === certificateSerial));
      if (isRevoked) this.become('removed', undefined);
      else go();
    });
  }

  private writeOver(entry: StoreEntry): void {
    const stored = decodeNodeRecord(entry.value);
    const isNewer = this.known !== undefined && stored !== undefined && stored.incarnation > this.known.incarnation;
    if (isNewer) this.become('superseded', undefined);
    else this.write(this.nextRecord(stored), entry.revision);
  }

  private nextRecord(stored: NodeRecord | undefined): NodeRecord {
    const { known, wanted } = this;
    // A drain ends with the process that was drained; `disabled` stays until an operator lifts it.
    const atStart: NodeStatus = stored?.status === 'disabled' ? 'disabled' : 'active';
    // It may have been renewed since this process began.
    const certificateSerial = known?.certificateSerial ?? this.own.certificateSerial;
    const base: NodeRecord = {
      ...this.own,
      v: 1,
      status: known === undefined ? atStart : (stored ?? known).status,
      incarnation: known?.incarnation ?? (stored?.incarnation ?? 0) + 1,
      joinedAtMs: stored?.joinedAtMs ?? this.own.joinedAtMs,
      ...(certificateSerial === undefined ? {} : { certificateSerial }),
      ...(stored?.keySha256 === undefined ? {} : { keySha256: stored.keySha256 }),
    };
    if (wanted !== undefined) return withStatus(base, wanted);
    const last = stored ?? known;
    const isFirst = known === undefined && base.status === 'active';
    return withStatus(base, { status: base.status, drain: drainOf(last), change: isFirst ? undefined : last?.statusChange });
  }

  private write(record: NodeRecord, revision: number | undefined): void {
    const { wanted } = this;
    const done = (result: Parameters<Parameters<Store['create']>[2]>[0]): void => {
      if (this.isClosed) return;
      if (result.ok) {
        if (this.wanted === wanted) this.wanted = undefined;
        this.written(record, result.value);
      } else if (result.failure === 'conflict') {
        this.checkCluster();
      } else {
        this.retry();
      }
    };
    const value = encodeNodeRecord(record);
    if (revision === undefined) this.store.create(nodeKey(record.id), value, done);
    else this.store.update(nodeKey(record.id), value, revision, done);
  }

  private written(record: NodeRecord, revision: number): void {
    this.isBusy = false;
    this.retryMs = RETRY_MS_MIN;
    this.adopt(record, revision);
    this.become(record.status, drainOf(record));
    this.out.registered(record);
    if (this.wanted !== undefined) this.checkCluster();
  }

  private adopt(record: NodeRecord, revision: number): void {
    this.known = record;
    this.knownRevision = revision;
  }

  private become(state: OwnState, drain: Drain | undefined): void {
    if (state === 'removed' || state === 'superseded' || state === 'foreign') this.isBusy = false;
    if (state === this.state && drain?.deadlineWallMs === this.drain?.deadlineWallMs) return;
    this.state = state;
    this.drain = drain;
    this.out.ownStatus(state, drain?.forMs);
  }

  private retry(): void {
    this.isBusy = false;
    this.retryAt = (this.now() + this.retryMs) as MonotonicMs;
    this.retryMs = Math.min(RETRY_MS_MAX, this.retryMs * 2);
  }
}

function drainOf(record: NodeRecord | undefined): Drain | undefined {
  const { drainForMs, drainDeadlineWallMs } = record ?? {};
  return drainForMs === undefined || drainDeadlineWallMs === undefined
    ? undefined
    : { forMs: drainForMs, deadlineWallMs: drainDeadlineWallMs };
}

import type { DurationMs, MonotonicMs, WallMs } from '../core/mod.ts';
import type { Bus } from './bus.ts';
import type { Heartbeat, NodeLoad } from './heartbeat.ts';
import type { NodeRecord } from './node-record.ts';
import type { OwnNode, OwnState } from './own-record.ts';
import type { RegionDigest } from './region-digest.ts';
import type { RegionRoster } from './region-roster.ts';
import type { ReplicaMap } from './replica-map.ts';
import type { RosterTable } from './roster-table.ts';
import type { Store, StoreWatcher } from './store.ts';
import type { ToldRecords } from './told-records.ts';

export interface MembershipOutput {
  /** New, or another record, incarnation or staleness. */
  nodeChanged(id: string): void;
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
  /** Without a heartbeat for so long, a node is stale. Asked each time: the cluster may change it. */
  readonly staleMs?: () => DurationMs;
  /** Nodes that are kept; more are not seen. */
  readonly nodesMax?: number;
  /** In clusters of more nodes, not everybody hears everybody's heartbeats. */
  readonly hearAllNodesMax?: number;
  /** Reads what others say; where many nodes share a process, what one has read serves all. */
  readonly reader?: MembershipReader;
  readonly share?: MembershipSharing;
}

/** Lets nodes that share a process share what all of them know. */
export interface MembershipSharing {
  /** One node's map of the records under a prefix. */
  replica<Value extends object>(prefix: string): ReplicaMap<Value>;
  /** The same empty table of a region for all of them. */
  roster(region: string): RosterTable;
  /** Hears all digests for a node until what it returns is called. */
  hearDigests(hearer: DigestHearer): () => void;
  /** Watches the records of all for a node until what it returns is called. */
  watchRecords(hearer: RecordHearer): () => void;
}

/** A node that is told of records; what says the same as it knows may be told to others for it, but for its own record. */
export interface RecordHearer {
  readonly id: string;
  readonly records: ReplicaMap<NodeRecord>;
  readonly told: ToldRecords;
  readonly watcher: StoreWatcher;
}

/** A node that hears digests, or has them heard by others that know the same. */
export interface DigestHearer {
  readonly id: string;
  /** By region. */
  readonly rosters: ReadonlyMap<string, RegionRoster>;
  /** It hears no heartbeats: all that digests say counts for it. */
  isDeaf(): boolean;
  heard(message: Uint8Array): void;
}

export interface MembershipReader {
  heartbeat(message: Uint8Array): Heartbeat | undefined;
  digest(message: Uint8Array): RegionDigest | undefined;
  record(value: Uint8Array): NodeRecord | undefined;
}

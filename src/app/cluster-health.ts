import type { Membership, OwnState } from '../cluster/mod.ts';
import {
  type BusHealth,
  certificateOf,
  type HistogramValue,
  type NodeIdentity,
  type RelayClient,
  type RelayServer,
  type StoreHealth,
} from '../io/mod.ts';
import type { Coordination } from './coordination.ts';

/** Gauges and counters, for metrics. */
export interface ClusterStats {
  readonly nodesAlive: number;
  readonly nodesStale: number;
  readonly isConnected: boolean;
  readonly streams: number;
  readonly pulls: number;
  readonly subscriptions: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly dropped: number;
  readonly broken: number;
  readonly hops: ReadonlyArray<{ readonly node: string; readonly p50Ms: number; readonly p99Ms: number }>;
}

/** What only metrics tell of the cluster. */
export interface ClusterHealth {
  readonly store: StoreHealth;
  readonly bus: BusHealth;
  /** Connections to other nodes, and from them. */
  readonly connectionsOut: number;
  readonly connectionsIn: number;
  /** Bytes that wait for slow nodes. */
  readonly bytesQueued: number;
  readonly closedByCode: ReadonlyMap<string, number>;
  readonly refusedByCode: ReadonlyMap<string, number>;
  /** From each node that this one pulls from. */
  readonly links: readonly { readonly node: string; readonly latency: HistogramValue; readonly rttMs: number | undefined }[];
  readonly state: OwnState;
  /** Managers that are alive. */
  readonly managersAlive: number;
  readonly certificateExpiresWallMs: number;
}

/** What is looked at. */
export interface ClusterParts {
  readonly membership: Membership | undefined;
  readonly relay: { readonly server: RelayServer; readonly client: RelayClient } | undefined;
  readonly coordination: Coordination;
  readonly identity: NodeIdentity;
  readonly state: OwnState;
  /** Streams that are published on any node. */
  readonly streams: number;
}

export function clusterStats({ membership, relay, streams }: ClusterParts): ClusterStats {
  const nodes = [...(membership?.nodes() ?? [])];
  const nodesStale = nodes.filter(({ isStale }) => isStale).length;
  const client = relay?.client.stats();
  const server = relay?.server.stats();
  return {
    nodesAlive: nodes.length - nodesStale,
    nodesStale,
    isConnected: membership?.isJudging ?? false,
    streams,
    pulls: client?.pulls ?? 0,
    subscriptions: server?.subscriptions ?? 0,
    bytesReceived: client?.bytesReceivedTotal ?? 0,
    bytesSent: server?.bytesSentTotal ?? 0,
    dropped: server?.droppedTotal ?? 0,
    broken: client?.brokenTotal ?? 0,
    hops: client?.hops ?? [],
  };
}

export function clusterHealth({ membership, relay, coordination, identity, state }: ClusterParts): ClusterHealth {
  const client = relay?.client.stats();
  const server = relay?.server.stats();
  const managers = [...(membership?.nodes() ?? [])].filter(({ isStale, record }) => !isStale && mayManage(record.roles));
  return {
    store: coordination.store.health(),
    bus: coordination.bus.health(),
    connectionsOut: client?.connections ?? 0,
    connectionsIn: server?.connections ?? 0,
    bytesQueued: server?.bytesQueued ?? 0,
    closedByCode: server?.closedByCode ?? new Map(),
    refusedByCode: server?.refusedByCode ?? new Map(),
    links: client?.links ?? [],
    state,
    managersAlive: managers.length,
    certificateExpiresWallMs: certificateOf(identity).notAfterMs,
  };
}

const mayManage = (roles: readonly string[]): boolean => roles.includes('manager') || roles.includes('mono');

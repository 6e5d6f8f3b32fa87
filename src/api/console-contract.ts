import type { NodeResource } from './cluster-contract.ts';
import type { SourceResource, StreamResource, TargetResource, TranscodingResource } from './contract.ts';

/** Who asks, and who answers. */
export interface SessionResource {
  /** `public`: what everybody may see; `none`: not even that. */
  scope: 'none' | 'public' | 'read' | 'admin';
  /** What the scope comes from; `local`: from being on the same machine. */
  by?: 'session' | 'key' | 'local';
  /** RFC 3339, of a session. */
  expiresAt?: string;
  server: { node: string; version: string; isInCluster: boolean };
}

/** A stream of the cluster, as its origin says it in the directory. */
export interface ClusterStreamResource {
  /** `app/name`. */
  path: string;
  app: string;
  name: string;
  state: 'live' | 'held';
  /** How the publisher sends: `rtmp`, `webrtc`, … */
  protocol: string;
  /** The node that holds the publisher. */
  origin: string;
  /** Of the origin; '' on a node of its own. */
  region: string;
  /** Whether the origin is alive; a stream whose origin has died stays until another node takes it. */
  isOriginAlive: boolean;
  /** Grows with each change of origin; 0 on a node of its own. */
  epoch: number;
  /** RFC 3339. */
  startedAt: string;
  uptimeSeconds: number;
  tracks: { kind: 'video' | 'audio'; codec: string; width?: number; height?: number }[];
  /** `source` and those beside it. */
  renditions: string[];
  /** Who makes a rendition where that is not the origin. */
  makers: { rendition: string; node: string }[];
}

export interface ClusterStreamPage {
  items: ClusterStreamResource[];
  nextCursor?: string;
}

/** A node that has a stream. */
export interface StreamPlaceResource {
  node: string;
  region: string;
  /** The nodes that it passed on its way here, the origin first; empty at the origin. */
  hops: string[];
  viewers: { total: number; byProtocol: Record<string, number> };
  bitrateBps: number;
}

/** A stream of the cluster, with what the nodes that have it say of it. */
export interface ClusterStreamDetail extends ClusterStreamResource {
  /** As its origin sees it; absent while the origin does not answer. */
  atOrigin?: StreamResource;
  places: StreamPlaceResource[];
}

/** A relay connection: `to` pulls from `from`. */
export interface RelayResource {
  from: string;
  to: string;
  streamCount: number;
  /** The paths of the first 20 of them. */
  streams: string[];
  /** Half of the frames came within so long of being sent, by both clocks; absent before there is a figure. */
  p50Ms?: number;
  p99Ms?: number;
}

/** Something that an operator should look at. */
export interface AlarmResource {
  kind:
    | 'node-stale'
    | 'node-cut-off'
    | 'origin-dead'
    | 'rung-failed'
    | 'rung-refused'
    | 'target-failing'
    | 'source-failing'
    | 'recording-failing';
  severity: 'serious' | 'warning';
  node: string;
  /** `app/name`. */
  stream?: string;
  message: string;
}

/** The cluster, or a node of its own, at a glance. */
export interface OverviewResource {
  streams: number;
  viewers: { total: number; byProtocol: { flv: number; rtmp: number; hls: number; webrtc: number } };
  networkInBps: number;
  networkOutBps: number;
  nodes: { total: number; active: number; draining: number; disabled: number; stale: number };
  alarms: AlarmResource[];
}

/** What one node says; `items` is cut where it is very long. */
export interface NodeSourcesResource {
  node: string;
  items: SourceResource[];
}
export interface NodeTargetsResource {
  node: string;
  items: TargetResource[];
}
export interface NodeTranscodingResource {
  node: string;
  transcoding: TranscodingResource;
}

/** Lists with an entry for each node that answered in time. */
export interface RelayList {
  items: RelayResource[];
}
export interface NodeSourcesList {
  items: NodeSourcesResource[];
}
export interface NodeTargetsList {
  items: NodeTargetsResource[];
}
export interface NodeTranscodingList {
  items: NodeTranscodingResource[];
}

export type { NodeResource, SourceResource, StreamResource, TargetResource, TranscodingResource };

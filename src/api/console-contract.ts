import type { NodeResource } from './cluster-contract.ts';
import type { SourceResource, StreamPage, StreamPlaceResource, StreamResource, TargetResource, TranscodingResource } from './contract.ts';

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
  /** Of the machines' network interfaces but loopback, whatever it was that went over them. */
  networkInBps: number;
  networkOutBps: number;
  /** Of streams, all nodes together: from publishers and other nodes, and to viewers and other nodes. */
  mediaInBps: number;
  mediaOutBps: number;
  /** Of the node where it is longest: from a frame's coming in to its last viewer having it. Absent: nobody watches by FLV, RTMP or WebRTC. */
  latency?: { node: string; p50Ms: number; p95Ms: number };
  /** The step between two nodes that takes longest; absent: nothing is relayed. */
  slowestRelay?: { from: string; to: string; p50Ms: number };
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

export type { NodeResource, SourceResource, StreamPage, StreamPlaceResource, StreamResource, TargetResource, TranscodingResource };

// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { CallOptions, Transport } from '../transport.ts';

export interface Overview {
  streams: number;
  viewers: {
    total: number;
    byProtocol: {
      flv: number;
      rtmp: number;
      hls: number;
      webrtc: number;
    };
  };
  /** Bits a second of the network interfaces of all nodes that are alive, but loopback */
  networkInBps: number;
  networkOutBps: number;
  /** Bits a second of streams, from publishers and, on the way between nodes, at each of them */
  mediaInBps: number;
  /** Likewise, to viewers and other nodes */
  mediaOutBps: number;
  /** Of the node where it is longest: from a frame's coming in to its last viewer having it. Absent: nobody watches by FLV, RTMP or WebRTC */
  latency?: {
    /** The id of a node */
    node: string;
    p50Ms: number;
    p95Ms: number;
  };
  /** The step between two nodes that takes longest; absent: nothing is relayed */
  slowestRelay?: {
    /** The id of a node */
    from: string;
    /** The id of a node */
    to: string;
    p50Ms: number;
  };
  nodes: {
    total: number;
    active: number;
    draining: number;
    disabled: number;
    /** Of any status */
    stale: number;
  };
  /** The serious ones first; at most 100 */
  alarms: {
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
    /** The id of a node */
    node: string;
    /** `app/name` */
    stream?: string;
    /** For people */
    message: string;
  }[];
}

export interface OverviewApi {
  /** Look at everything at a glance. Streams, viewers, media, latency and nodes, and what an operator should look at. All nodes are asked; those that do not answer within a second are left out. */
  readonly get: (options?: CallOptions) => Promise<Overview>;
}

export const overviewApi = (send: Transport): OverviewApi => ({
  get: (options) => send({ method: 'GET', path: '/overview', ...options }),
});

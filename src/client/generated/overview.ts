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
  /** Of all nodes that are alive */
  networkInBps: number;
  networkOutBps: number;
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
  /** Look at everything at a glance. Streams, viewers, network and nodes, and what an operator should look at. All nodes are asked; those that do not answer within a second are left out. */
  readonly get: (options?: CallOptions) => Promise<Overview>;
}

export const overviewApi = (send: Transport): OverviewApi => ({
  get: (options) => send({ method: 'GET', path: '/overview', ...options }),
});

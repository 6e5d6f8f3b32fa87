// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import { type CallOptions, type Page, type PageQuery, part, type Transport } from '../transport.ts';

export interface Node {
  id: string;
  /** What people call it: `cluster.nodeName`, or the name of its machine */
  name?: string;
  region: string;
  roles: ('origin' | 'edge' | 'transcode' | 'manager' | 'mono')[];
  /** `draining`: takes nothing new, and what is there moves away; `disabled`: joined, but not used */
  status: 'active' | 'draining' | 'disabled';
  /** Its heartbeats have stopped, as seen by the node that answers */
  stale: boolean;
  /** Grows by one at each start of its process */
  incarnation: number;
  /** Whether it is the node that answers */
  self: boolean;
  /** Where the node is reached */
  endpoints: {
    http: string;
    rtmp?: string;
    /** For other nodes */
    relay?: string;
  };
  /** Of the software */
  version: string;
  /** The version of what nodes say to each other */
  protocol: number;
  joinedAt: string;
  /** When its process began */
  startedAt?: string;
  /** When it was given the status that it has; absent: its process began with it */
  statusAt?: string;
  /** By whom, as `who` in the log of changes; its own id when its process was asked to end */
  statusBy?: string;
  /** When a draining node closes what is left */
  drainDeadlineAt?: string;
  /** How long ago the node that answers had a sign of life from it */
  heardAgoMs: number;
  /** By how much its clock is ahead */
  clockOffsetMs?: number;
  /** Of the last heartbeat. What is not known or not limited is 0 */
  load?: {
    /** 0 to 1, of what the process may use */
    cpu: number;
    memoryBytes: number;
    memoryMaxBytes: number;
    /** Bits a second of all interfaces but loopback, whatever it was */
    networkInBps: number;
    networkOutBps: number;
    /** 0: not known */
    networkMaxBps: number;
    /** Lateness of the event loop, 99th percentile */
    loopLagMs: number;
    viewers: {
      flv: number;
      rtmp: number;
      hls: number;
      webrtc: number;
    };
    viewersMax: number;
    streams: number;
    /** Transcoding tasks */
    tasks: number;
    tasksMax: number;
    /** In the data folder */
    diskFreeBytes: number;
    /** Bits a second of streams, from publishers and other nodes */
    mediaInBps: number;
    /** Bits a second of streams, to viewers and other nodes */
    mediaOutBps: number;
    /** From a frame's coming in to the last viewer who keeps up having it, by FLV, RTMP and WebRTC; of the last five seconds */
    latencyP50Ms: number;
    latencyP95Ms: number;
  };
}

export interface ChangeNodeRequest {
  /** `draining`: takes nothing new, and what is there moves away; `disabled`: joined, but not used */
  status: 'active' | 'draining' | 'disabled';
  /** Only with `draining`: after so long, what is left is closed */
  deadlineS?: number;
}

export interface NodesApi {
  /** List the nodes of the cluster. All nodes that have joined, ordered by id, in pages, as the node that answers sees them; a node on its own is the only one. */
  readonly list: (query?: PageQuery, options?: CallOptions) => Promise<Page<Node>>;
  /** Look at one node. Roles, region, status, load. */
  readonly get: (id: string, options?: CallOptions) => Promise<Node>;
  /** Drain, disable or activate a node. A draining node takes nothing new and moves everyone away; when it has a deadline, it closes what is left then, and its process ends. The next start of its process makes it active again. A disabled one stays disabled until it is made active. */
  readonly change: (id: string, body: ChangeNodeRequest, options?: CallOptions) => Promise<Node>;
  /** Remove a node from the cluster. Its certificate is revoked and the others drop it at once. It cannot come back under this id; to join again it needs a new data folder and a token. Drain it first. */
  readonly remove: (id: string, options?: CallOptions) => Promise<void>;
}

export const nodesApi = (send: Transport): NodesApi => ({
  list: (query, options) => send({ method: 'GET', path: '/nodes', query, ...options }),
  get: (id, options) => send({ method: 'GET', path: `/nodes/${part(id)}`, ...options }),
  change: (id, body, options) => send({ method: 'PATCH', path: `/nodes/${part(id)}`, body, ...options }),
  remove: (id, options) => send({ method: 'DELETE', path: `/nodes/${part(id)}`, ...options }),
});

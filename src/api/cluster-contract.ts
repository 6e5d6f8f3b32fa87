type Role = 'origin' | 'edge' | 'transcode' | 'manager' | 'mono';
type Status = 'active' | 'draining' | 'disabled';

/** Where a node is reached. */
export interface EndpointsResource {
  /** `https://HOST:PORT` or `http://HOST:PORT`. */
  http: string;
  /** `rtmp://HOST:PORT`. */
  rtmp?: string;
  /** `HOST:PORT`, for other nodes. */
  relay?: string;
}

/** How busy a node is. What is not known or not limited is 0. */
export interface NodeLoadResource {
  /** 0 to 1. */
  cpu: number;
  memoryBytes: number;
  memoryMaxBytes: number;
  /** Of the machine's network interfaces but loopback, whatever it was that went over them. */
  networkInBps: number;
  networkOutBps: number;
  networkMaxBps: number;
  loopLagMs: number;
  viewers: { flv: number; rtmp: number; hls: number; webrtc: number };
  viewersMax: number;
  streams: number;
  tasks: number;
  tasksMax: number;
  diskFreeBytes: number;
  /** Of streams, over the last five seconds: from publishers and other nodes, and to viewers and other nodes. */
  mediaInBps: number;
  mediaOutBps: number;
  /** Of the frames of the last five seconds: from coming in to the last viewer who keeps up, by FLV, RTMP and WebRTC. */
  latencyP50Ms: number;
  latencyP95Ms: number;
}

/** A node of the cluster, as the API shows it. */
export interface NodeResource {
  id: string;
  /** What people call it; absent where it runs an older version. Another node may be called the same. */
  name?: string;
  region: string;
  roles: Role[];
  status: Status;
  /** Its heartbeats have stopped, as seen by the node that answers. */
  stale: boolean;
  /** Grows by one at each start of its process. */
  incarnation: number;
  /** Whether it is the node that answers. */
  self: boolean;
  endpoints: EndpointsResource;
  /** Of the software. */
  version: string;
  protocol: number;
  /** RFC 3339. */
  joinedAt: string;
  /** When its process began; absent where it runs an older version. */
  startedAt?: string;
  /** When it was given the status that it has, and by whom: as the log of changes names them, or its own id when its process was asked to end. Absent: it began with it. */
  statusAt?: string;
  statusBy?: string;
  /** RFC 3339; only of a draining node that has one. */
  drainDeadlineAt?: string;
  /** How long ago the node that answers last had a sign of life from it. */
  heardAgoMs: number;
  /** By how much its clock is ahead of that of the node that answers. */
  clockOffsetMs?: number;
  /** Absent before its first heartbeat. */
  load?: NodeLoadResource;
}

export interface NodePage {
  items: NodeResource[];
  nextCursor?: string;
}

/** What may be changed of a node. `deadlineS` only with `draining`. */
export interface NodePatch {
  status: Status;
  deadlineS?: number;
}

/** A join token, without what makes it one. */
export interface JoinTokenResource {
  id: string;
  roles: Role[];
  /** Empty: any. */
  regions: string[];
  usesMax: number;
  uses: number;
  /** The nodes that joined with it. */
  usedBy: string[];
  expiresAt: string;
  createdAt: string;
  note: string;
}

/** The answer to the making of a token: only here it is shown. */
export interface NewJoinTokenResource extends JoinTokenResource {
  token: string;
}

export interface JoinTokenPage {
  items: JoinTokenResource[];
  nextCursor?: string;
}

/** What a new token is for. */
export interface JoinTokenWish {
  roles: Role[];
  regions: string[];
  usesMax: number;
  expiresInS: number;
  note: string;
}

/** What a node sends to join. */
export interface JoinRequest {
  /** Certificate request (PKCS #10, PEM), signed with the node's own key. */
  csr: string;
  roles: Role[];
  region: string;
  endpoints: EndpointsResource;
  /** Of the software. */
  version: string;
  protocol: number;
}

/** How a node reaches the cluster's store and bus. */
export type CoordinationResource =
  | { kind: 'embedded'; folder: string }
  | { kind: 'nats'; servers: string[]; user: string; password: string; ca: string };

/** What a node gets that has joined. */
export interface JoinAnswer {
  nodeId: string;
  clusterId: string;
  clusterName: string;
  /** PEM. */
  certificate: string;
  /** The certificate of the cluster's authority, PEM. */
  ca: string;
  /** The authority's private key, PEM; only for managers. */
  caPrivateKey?: string;
  coordination: CoordinationResource;
  protocol: number;
}

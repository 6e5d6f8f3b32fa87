/** A component of a stream, as the API shows it. */
export interface TrackResource {
  kind: 'video' | 'audio';
  /** `h264`, `hevc`, `av1`, `vp8`, `vp9`, `aac`, `opus`, `mp3`. */
  codec: string;
  /** RFC 6381, e.g. `avc1.64001f`; absent where no node that has the stream has told. */
  codecString?: string;
  width?: number;
  height?: number;
  /** Frames a second as the codec header says. */
  frameRate?: number;
  sampleRate?: number;
  channels?: number;
}

/** Who puts the stream in. `address` and `agent` are left out for callers who may not know them. */
export interface PublisherResource {
  protocol: string;
  address?: string;
  agent?: string;
}

/** A rung of the app's ladder as this stream gets it. */
export interface RungResource {
  /** The rendition's name. */
  name: string;
  kind: 'video' | 'audio';
  codec: string;
  /** RFC 6381; like the bitrate, absent of one that is left out. */
  codecString?: string;
  width?: number;
  height?: number;
  bitrateBps?: number;
  /** `offered`: made when somebody watches. `refused`: the limit of tasks is reached. `failed`: it cannot be made for now. `left-out`: this stream does not get it. */
  state: 'offered' | 'running' | 'refused' | 'failed' | 'left-out';
  /** Why it is refused or failed, left out (a code, and what it means here), or made on this node where another should make it. */
  reason?: string;
  /** The node that makes it, where that is another one. */
  by?: string;
}

/** What transcoding does on this server. */
export interface TranscodingResource {
  tasksMax: number;
  tasksRunning: number;
  encoders: { name: string; codec: string; kind: string; available: boolean; reason?: string }[];
  /** The newest decision about each rung that somebody wants. */
  decisions: { stream: string; rung: string; isAssigned: boolean; reason: string; message?: string; tasksNeeded?: number }[];
  streams: {
    stream: string;
    state: string;
    restarts: number;
    lastFailure?: string;
    framesIn: number;
    framesOut: number;
    queuedMs: number;
    cpuSeconds: number;
    rungs: RungResource[];
  }[];
}

/** Whether WebRTC viewers get a track, and if not, why. */
export type PlayabilityResource =
  | { playable: true; rendition?: string }
  | { playable: false; reason: 'b-frames' | 'codec'; message: string };

/** A stream, as a node that has it sees it. */
export interface LocalStreamResource {
  /** `app/name`. */
  path: string;
  app: string;
  name: string;
  /** `held`: the publisher dropped and may come back. */
  state: 'live' | 'held';
  /** RFC 3339. */
  startedAt: string;
  uptimeSeconds: number;
  tracks: TrackResource[];
  /** The qualities that can be played; `source` is what the publisher sends. */
  renditions: string[];
  /** What the app's ladder makes of this stream, and how it stands; empty when nothing is transcoded. */
  rungs: RungResource[];
  publisher: PublisherResource;
  viewers: { total: number; byProtocol: Record<string, number> };
  bitrateBps: number;
  /** Frames a second as measured on the lead track. */
  frameRate: number;
  keyframeIntervalMs: number;
  bytesIn: number;
  framesIn: number;
  /** How often the publisher's timestamps jumped. */
  timestampJumps: number;
  /** By how much the publisher's timestamps have run ahead of the server's clock since it began or they jumped; negative: fallen behind. */
  driftMs: number;
  /** Where it can be played, as paths on this server. */
  playback: { watch: string; hls: string; flv: string; whep?: string };
  /** What WebRTC viewers get of it; a kind of track that it does not have is absent. Null when this server has no WebRTC. */
  webrtc: { video?: PlayabilityResource; audio?: PlayabilityResource } | null;
  /** From a frame's coming in until the last viewer who keeps up has been sent it, by FLV, RTMP and WebRTC; absent while nobody watches by these. */
  latency?: { p50Ms: number; p95Ms: number };
}

/** The node that holds the publisher of a stream. */
export interface StreamOriginResource {
  node: string;
  region: string;
  /** Grows with each change of origin; 0 on a node of its own, and until the stream is claimed. */
  epoch: number;
  /** A stream whose origin has died stays until another node takes it. */
  isAlive: boolean;
}

/** A node that has a stream. */
export interface StreamPlaceResource {
  node: string;
  region: string;
  /** The nodes that it passed on its way here, the origin first; empty at the origin. */
  hops: string[];
  viewers: { total: number; byProtocol: Record<string, number> };
  bitrateBps: number;
  latency?: { p50Ms: number; p95Ms: number };
}

type Figures =
  | 'viewers'
  | 'bitrateBps'
  | 'frameRate'
  | 'keyframeIntervalMs'
  | 'bytesIn'
  | 'framesIn'
  | 'timestampJumps'
  | 'driftMs'
  | 'webrtc';

/**
 * A stream of any node, as the API shows it. What only a node that has it can tell is absent where none has told: it comes from the origin, and for callers
 * who may not have all nodes asked, from the node that answers, if it has the stream. `viewers` are those of all nodes that have told.
 */
export interface StreamResource extends Omit<LocalStreamResource, Figures>, Partial<Pick<LocalStreamResource, Figures>> {
  origin: StreamOriginResource;
  /** Who makes a rendition where that is not the origin. */
  makers: { rendition: string; node: string }[];
  /** The nodes that have it, the origin first; not in lists, and only for callers with an API key or on loopback. */
  places?: StreamPlaceResource[];
}

/** One page of a list; `nextCursor` is given as `cursor` to get the next one, and absent on the last. */
export interface StreamPage {
  items: StreamResource[];
  nextCursor?: string;
}

/** What a stream is pushed to. */
export interface TargetResource {
  /** `app/name`. */
  stream: string;
  name: string;
  origin: 'config' | 'api';
  protocol: 'rtmp' | 'srt' | 'whip';
  /** Scheme, host and port alone. */
  url: string;
  rendition: string;
  state: 'waiting' | 'connecting' | 'sending' | 'retrying' | 'refused' | 'stopped';
  stateSeconds: number;
  /** Why the last attempt ended; absent when media flows. */
  reason?: { code: string; message: string };
  /** While `retrying`. */
  nextAttemptInSeconds?: number;
  /** Attempts that failed. */
  retries: number;
  bytesSent: number;
  framesDropped: number;
}

/** A pull source. */
export interface SourceResource {
  /** `app/name`. */
  stream: string;
  app: string;
  name: string;
  /** Without user name, password and query. */
  url: string;
  mode: 'on-demand' | 'always';
  state: 'idle' | 'starting' | 'running' | 'ending' | 'waiting';
  /** When it came into its state, RFC 3339. */
  since: string;
  attempts: number;
  /** Why it last failed, also when it runs again. */
  lastError?: { code: string; message: string };
  /** Of its container or protocol, while it is open. */
  format?: string;
  framesIn: number;
  malformedFrames: number;
}

export interface SourcePage {
  items: SourceResource[];
  nextCursor?: string;
}

/** RFC 9457, with the stable `code` that programs go by. */
export interface ProblemResource {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
}

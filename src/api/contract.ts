/** A component of a stream, as the API shows it. */
export interface TrackResource {
  kind: 'video' | 'audio';
  /** `h264`, `hevc`, `av1`, `vp8`, `vp9`, `aac`, `opus`, `mp3`. */
  codec: string;
  /** RFC 6381, e.g. `avc1.64001f`. */
  codecString: string;
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
  /** RFC 6381. */
  codecString: string;
  width?: number;
  height?: number;
  bitrateBps: number;
  /** `offered`: made when somebody watches. `refused`: the limit of tasks is reached. `failed`: it cannot be made for now. */
  state: 'offered' | 'running' | 'refused' | 'failed';
  /** Why it is refused or failed, or made on this node where another should make it. */
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

/** A stream, as the API shows it. */
export interface StreamResource {
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

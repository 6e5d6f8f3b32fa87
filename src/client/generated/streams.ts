// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import { type CallOptions, type Page, part, type Transport } from '../transport.ts';
import type { AddStreamTargetRequest } from './streams-targets.ts';
import type { Target } from './targets.ts';

/** What only a node that has the stream can tell is absent where none has told. It is told by the origin, for callers with an API key or on loopback; others get it of the node that answers, and of one stream that it has not of the origin. `viewers` are those of all nodes that have told */
export interface Stream {
  /** `app/name` */
  path: string;
  app: string;
  name: string;
  /** `held`: the publisher dropped and may come back */
  state: 'live' | 'held';
  startedAt: string;
  uptimeSeconds: number;
  tracks: {
    kind: 'video' | 'audio';
    codec: string;
    /** RFC 6381; absent where no node that has the stream has told */
    codecString?: string;
    width?: number;
    height?: number;
    /** Frames a second as the codec header says */
    frameRate?: number;
    sampleRate?: number;
    channels?: number;
  }[];
  /** The qualities that can be played; `source` is what the publisher sends */
  renditions: string[];
  /** What the app's ladder makes of this stream; empty when nothing is transcoded */
  rungs: {
    /** The rendition's name */
    name: string;
    kind: 'video' | 'audio';
    codec: string;
    /** RFC 6381; like the bitrate, absent of one that is left out */
    codecString?: string;
    width?: number;
    height?: number;
    /** As it is aimed at, with the sound that goes along */
    bitrateBps?: number;
    /** `offered`: made when somebody watches; `refused`: the limit of tasks is reached; `failed`: it cannot be made for now; `left-out`: this stream does not get it */
    state: 'offered' | 'running' | 'refused' | 'failed' | 'left-out';
    /** Why it is refused or failed, left out (a code, and what it means here), or made on this node where another should make it */
    reason?: string;
    /** The node that makes it, where that is another one */
    by?: string;
  }[];
  publisher: {
    protocol: string;
    /** Only for callers with an API key or on loopback */
    address?: string;
    /** Only for callers with an API key or on loopback */
    agent?: string;
  };
  /** Where it can be played, as paths on this server */
  playback: {
    watch: string;
    hls: string;
    flv: string;
    whep?: string;
  };
  /** The node that holds the publisher */
  origin: {
    /** Its id */
    node: string;
    region: string;
    /** Grows with each change of origin; 0 on a node of its own, and until the stream is claimed */
    epoch: number;
    /** A stream whose origin has died stays until another node takes it */
    isAlive: boolean;
  };
  /** Who makes a rendition where that is not the origin */
  makers: {
    rendition: string;
    /** The id of a node */
    node: string;
  }[];
  viewers?: {
    total: number;
    byProtocol: Record<string, number>;
  };
  bitrateBps?: number;
  /** Frames a second as measured on the lead track */
  frameRate?: number;
  keyframeIntervalMs?: number;
  bytesIn?: number;
  framesIn?: number;
  /** How often the publisher's timestamps jumped */
  timestampJumps?: number;
  /** By how much the publisher's timestamps have run ahead of the server's clock since it began or they jumped; negative: fallen behind. 0 until known */
  driftMs?: number;
  /** What WebRTC viewers get of it; null when this server has no WebRTC */
  webrtc?: {
    video?:
      | {
          playable: true;
          /** The rendition that is played in place of the track that the publisher sends */
          rendition?: string;
        }
      | {
          playable: false;
          reason: 'b-frames' | 'codec';
          /** What is in the way, and what to do */
          message: string;
        };
    audio?:
      | {
          playable: true;
          /** The rendition that is played in place of the track that the publisher sends */
          rendition?: string;
        }
      | {
          playable: false;
          reason: 'b-frames' | 'codec';
          /** What is in the way, and what to do */
          message: string;
        };
  } | null;
  /** From a frame's coming in until the last viewer who keeps up has been sent it, by FLV, RTMP and WebRTC; absent while nobody watches by these */
  latency?: {
    p50Ms: number;
    p95Ms: number;
  };
  /** The nodes that have it, the origin first; not in lists, and only for callers with an API key or on loopback */
  places?: {
    /** The id of a node */
    node: string;
    region: string;
    /** The nodes that it passed on its way here, the origin first; empty at the origin */
    hops: string[];
    viewers: {
      total: number;
      byProtocol: Record<string, number>;
    };
    bitrateBps: number;
    /** From a frame's coming in until the last viewer who keeps up has been sent it, by FLV, RTMP and WebRTC; absent while nobody watches by these */
    latency?: {
      p50Ms: number;
      p95Ms: number;
    };
  }[];
}

export interface ListStreamsQuery {
  /** How many items at most */
  limit?: number;
  /** `nextCursor` of the page before */
  cursor?: string;
  /** Words that the path has, all of them; case does not matter */
  search?: string;
  /** Only those that this node is the origin of */
  origin?: string;
}

export interface StreamsApi {
  /** List the streams. All streams of any node that are live or held, ordered by path, in pages: with the key of an app its own, and without a key those that everybody may play. Callers with an API key or on loopback are answered by all nodes: those that do not answer within a second are left out. */
  readonly list: (query?: ListStreamsQuery, options?: CallOptions) => Promise<Page<Stream>>;
  /** Look at one stream. Tracks, renditions, publisher, origin, viewers by protocol, bitrate, latency, uptime, and which nodes have it, by which way. Callers with an API key or on loopback are answered by all nodes: those that do not answer within a second are left out. */
  readonly get: (app: string, name: string, options?: CallOptions) => Promise<Stream>;
  /** End a stream. Has its origin close the publisher and end the stream for its viewers. The publisher may come back: to keep it out, change the key. */
  readonly delete: (app: string, name: string, options?: CallOptions) => Promise<void>;
  readonly targets: {
    /** List the targets of a stream. What the stream is pushed to, and how that stands. */
    readonly list: (app: string, name: string, options?: CallOptions) => Promise<Page<Target>>;
    /** Push a stream to one more target. Until the stream ends or the target is removed; it is not kept for the next time. Its state tells whether it works. */
    readonly add: (app: string, name: string, body: AddStreamTargetRequest, options?: CallOptions) => Promise<Target>;
    /** Stop pushing a stream to a target. Says goodbye to the target. One that the configuration has comes back when the stream starts again. */
    readonly remove: (app: string, name: string, target: string, options?: CallOptions) => Promise<void>;
  };
}

export const streamsApi = (send: Transport): StreamsApi => ({
  list: (query, options) => send({ method: 'GET', path: '/streams', query, ...options }),
  get: (app, name, options) => send({ method: 'GET', path: `/streams/${part(app)}/${part(name)}`, ...options }),
  delete: (app, name, options) => send({ method: 'DELETE', path: `/streams/${part(app)}/${part(name)}`, ...options }),
  targets: {
    list: (app, name, options) => send({ method: 'GET', path: `/streams/${part(app)}/${part(name)}/targets`, ...options }),
    add: (app, name, body, options) => send({ method: 'POST', path: `/streams/${part(app)}/${part(name)}/targets`, body, ...options }),
    remove: (app, name, target, options) =>
      send({ method: 'DELETE', path: `/streams/${part(app)}/${part(name)}/targets/${part(target)}`, ...options }),
  },
});

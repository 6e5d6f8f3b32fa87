// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { CallOptions, Page, Transport } from '../transport.ts';
import type { ListTranscodingDecisionsQuery, TranscodingDecision } from './transcoding-decisions.ts';
import type { TranscodingPool } from './transcoding-pool.ts';
import type { SetTranscodingWeightsRequest, TranscodingWeights } from './transcoding-weights.ts';

export interface Transcoding {
  /** Rungs that may run at a time, of all streams */
  tasksMax: number;
  tasksRunning: number;
  /** Found out once, soon after the start */
  encoders: {
    name: string;
    codec: string;
    kind: string;
    available: boolean;
    /** Why it is not available, as FFmpeg or the driver says */
    reason?: string;
  }[];
  /** The newest decision about each rung that somebody wants */
  decisions: {
    stream: string;
    rung: string;
    isAssigned: boolean;
    reason: string;
    message?: string;
    /** The limit with which the rung would run */
    tasksNeeded?: number;
  }[];
  streams: {
    stream: string;
    /** Of the stream's child process */
    state: string;
    restarts: number;
    lastFailure?: string;
    framesIn: number;
    framesOut: number;
    /** How much of the stream waits to be decoded */
    queuedMs: number;
    cpuSeconds: number;
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
  }[];
}

export interface TranscodingApi {
  readonly weights: {
    /** Look at the weights of transcoding. Which streams and rungs are made first when the cluster cannot make all that is wanted. */
    readonly get: (options?: CallOptions) => Promise<TranscodingWeights>;
    /** Set the weights of transcoding. All rules and pins at once, as a version of the settings. What follows from them is decided within seconds; what runs gives way only to what counts clearly more. */
    readonly set: (body: SetTranscodingWeightsRequest, options?: CallOptions) => Promise<TranscodingWeights>;
  };
  readonly decisions: {
    /** List what was decided about transcoding. The newest changes that the answering node has heard of since it began, the newest first, each with its reason; in pages. */
    readonly list: (query?: ListTranscodingDecisionsQuery, options?: CallOptions) => Promise<Page<TranscodingDecision>>;
  };
  readonly pool: {
    /** Look at the cluster's transcode nodes. Who allocates, the limit of each transcode node and what it has of it, and how much is wanted beyond that. */
    readonly get: (options?: CallOptions) => Promise<TranscodingPool>;
  };
  /** Look at transcoding. Tasks and their limit, the decision about each rung that somebody wants, encoders of this machine, child processes. */
  readonly get: (options?: CallOptions) => Promise<Transcoding>;
}

export const transcodingApi = (send: Transport): TranscodingApi => ({
  weights: {
    get: (options) => send({ method: 'GET', path: '/transcoding/weights', ...options }),
    set: (body, options) => send({ method: 'PUT', path: '/transcoding/weights', body, ...options }),
  },
  decisions: {
    list: (query, options) => send({ method: 'GET', path: '/transcoding/decisions', query, ...options }),
  },
  pool: {
    get: (options) => send({ method: 'GET', path: '/transcoding/pool', ...options }),
  },
  get: (options) => send({ method: 'GET', path: '/transcoding', ...options }),
});

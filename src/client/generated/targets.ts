// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { CallOptions, Page, PageQuery, Transport } from '../transport.ts';

export interface Target {
  /** `app/name` */
  stream: string;
  name: string;
  /** Whether the configuration has it, or it was added here */
  origin: 'config' | 'api';
  protocol: 'rtmp' | 'srt' | 'whip';
  /** Scheme, host and port alone: keys are never shown */
  url: string;
  rendition: string;
  /** `waiting`: the stream has nothing to send now; `retrying`: the last attempt failed, the next one comes; `refused`: another attempt would not help as things are */
  state: 'waiting' | 'connecting' | 'sending' | 'retrying' | 'refused' | 'stopped';
  /** How long it has been in that state */
  stateSeconds: number;
  /** Why the last attempt ended; gone when media flows */
  reason?: {
    code: string;
    /** With the target's own words, where it had some */
    message: string;
  };
  /** While `retrying` */
  nextAttemptInSeconds?: number;
  /** Attempts that failed */
  retries: number;
  bytesSent: number;
  /** Left out since the target did not take them fast enough */
  framesDropped: number;
}

export interface TargetsApi {
  /** List the targets of all streams. What the streams of this node are pushed to, of the apps that the key may see; ordered by stream and name, in pages. */
  readonly list: (query?: PageQuery, options?: CallOptions) => Promise<Page<Target>>;
}

export const targetsApi = (send: Transport): TargetsApi => ({
  list: (query, options) => send({ method: 'GET', path: '/targets', query, ...options }),
});

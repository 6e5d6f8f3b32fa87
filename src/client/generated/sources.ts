// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { CallOptions, Page, PageQuery, Transport } from '../transport.ts';

export interface Source {
  /** `app/name` of the stream that it is published as */
  stream: string;
  app: string;
  name: string;
  /** Without user name, password and query */
  url: string;
  mode: 'on-demand' | 'always';
  /** `idle`: nobody watches it; `waiting`: it failed and is tried again later */
  state: 'idle' | 'starting' | 'running' | 'ending' | 'waiting';
  /** When it came into its state */
  since: string;
  /** How often it was opened */
  attempts: number;
  /** Why it last failed, also when it runs again */
  lastError?: {
    code: string;
    message: string;
  };
  /** Of its container or protocol, while it is open */
  format?: string;
  framesIn: number;
  /** Frames that were left out */
  malformedFrames: number;
}

export interface SourcesApi {
  /** List the pull sources. The sources of the configuration and how they stand, of the apps that the key may see; ordered by stream, in pages. */
  readonly list: (query?: PageQuery, options?: CallOptions) => Promise<Page<Source>>;
}

export const sourcesApi = (send: Transport): SourcesApi => ({
  list: (query, options) => send({ method: 'GET', path: '/sources', query, ...options }),
});

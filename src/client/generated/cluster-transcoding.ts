// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { Transcoding } from './transcoding.ts';

export interface ClusterTranscoding {
  /** The id of a node */
  node: string;
  transcoding: Transcoding;
}

export interface ListClusterTranscodingQuery {
  /** Only of this node, which alone is asked */
  node?: string;
}

// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { Source } from './sources.ts';

export interface ClusterSource {
  /** The id of a node */
  node: string;
  items: Source[];
}

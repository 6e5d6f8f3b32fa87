// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { Target } from './targets.ts';

export interface ClusterTarget {
  /** The id of a node */
  node: string;
  items: Target[];
}

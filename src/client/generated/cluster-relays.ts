// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface Relay {
  /** The id of a node */
  from: string;
  /** The node that pulls */
  to: string;
  streamCount: number;
  /** The paths of the first 20 of them */
  streams: string[];
  /** Half of the frames came within so long of being sent, by both clocks */
  p50Ms?: number;
  p99Ms?: number;
}

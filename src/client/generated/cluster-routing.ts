// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface Routing {
  /** The networks of each region's clients */
  networks: Record<string, string[]>;
  /** A header that a proxy in front sets to the region; empty for none */
  regionHeader: string;
  weights: {
    /** That a node has the stream already */
    hasStream: number;
    /** What is left of the node, from nothing to all of it */
    headroom: number;
  };
  /** Set by the API, or as the configuration of the node that answers has it */
  source: 'settings' | 'configuration';
}

export interface SetRoutingRequest {
  /** The networks of each region's clients */
  networks?: Record<string, string[]>;
  /** A header that a proxy in front sets to the region; empty for none */
  regionHeader?: string;
  weights?: {
    /** That a node has the stream already */
    hasStream?: number;
    /** What is left of the node, from nothing to all of it */
    headroom?: number;
  };
}

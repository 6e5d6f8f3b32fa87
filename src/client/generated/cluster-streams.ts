// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { Stream } from './streams.ts';

export interface ClusterStream {
  /** `app/name` */
  path: string;
  app: string;
  name: string;
  /** `held`: the publisher dropped and may come back */
  state: 'live' | 'held';
  /** How the publisher sends */
  protocol: string;
  /** The id of the node that holds the publisher */
  origin: string;
  /** The origin's */
  region: string;
  /** A stream whose origin has died stays until another node takes it */
  isOriginAlive: boolean;
  /** Grows with each change of origin; 0 on a node of its own */
  epoch: number;
  startedAt: string;
  uptimeSeconds: number;
  tracks: {
    kind: 'video' | 'audio';
    codec: string;
    width?: number;
    height?: number;
  }[];
  renditions: string[];
  /** Who makes a rendition where that is not the origin */
  makers: {
    rendition: string;
    /** The id of a node */
    node: string;
  }[];
  atOrigin?: Stream;
  /** The nodes that have it */
  places: {
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
  }[];
}

export interface ClusterStreamItem {
  /** `app/name` */
  path: string;
  app: string;
  name: string;
  /** `held`: the publisher dropped and may come back */
  state: 'live' | 'held';
  /** How the publisher sends */
  protocol: string;
  /** The id of the node that holds the publisher */
  origin: string;
  /** The origin's */
  region: string;
  /** A stream whose origin has died stays until another node takes it */
  isOriginAlive: boolean;
  /** Grows with each change of origin; 0 on a node of its own */
  epoch: number;
  startedAt: string;
  uptimeSeconds: number;
  tracks: {
    kind: 'video' | 'audio';
    codec: string;
    width?: number;
    height?: number;
  }[];
  renditions: string[];
  /** Who makes a rendition where that is not the origin */
  makers: {
    rendition: string;
    /** The id of a node */
    node: string;
  }[];
}

export interface ListClusterStreamsQuery {
  /** How many items at most */
  limit?: number;
  /** `nextCursor` of the page before */
  cursor?: string;
  /** Words that the path has, all of them; case does not matter */
  search?: string;
  /** Only those that this node is the origin of */
  origin?: string;
}

// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import { type CallOptions, type Page, type PageQuery, part, type Transport } from '../transport.ts';
import type { Relay } from './cluster-relays.ts';
import type { Routing, SetRoutingRequest } from './cluster-routing.ts';
import type { ClusterSource } from './cluster-sources.ts';
import type { ClusterTarget } from './cluster-targets.ts';
import type { CreateJoinTokenRequest, JoinToken, NewJoinToken } from './cluster-tokens.ts';
import type { ClusterTranscoding, ListClusterTranscodingQuery } from './cluster-transcoding.ts';

export interface JoinClusterAnswer {
  nodeId: string;
  clusterId: string;
  clusterName: string;
  /** The node's certificate, PEM */
  certificate: string;
  /** The certificate of the cluster's authority, PEM */
  ca: string;
  /** PEM; only for managers */
  caPrivateKey?: string;
  /** How the node reaches the cluster's store and bus */
  coordination:
    | {
        kind: 'embedded';
        /** On the same machine */
        folder: string;
      }
    | {
        kind: 'nats';
        servers: string[];
        user: string;
        password: string;
        /** PEM of who vouches for the servers */
        ca: string;
      };
  protocol: number;
}

export interface JoinClusterRequest {
  /** PKCS #10, PEM; ECDSA on P-256. Its public key is the node's identity */
  csr: string;
  roles: ('origin' | 'edge' | 'transcode' | 'manager' | 'mono')[];
  /** A name: letters, digits, `_`, `.`, `-` */
  region: string;
  /** Where the node is reached */
  endpoints: {
    http: string;
    rtmp?: string;
    /** For other nodes */
    relay?: string;
  };
  version: string;
  /** The version of what nodes say to each other */
  protocol: number;
}

export interface ClusterApi {
  /** Join the cluster as a node. What `sluice join` does: the node sends a certificate request for a key that it keeps, and gets its id, its certificate and the way to the store. The join token is the only credential. The same key joining again is the same node, and no new use of the token. */
  readonly join: (body: JoinClusterRequest, options?: CallOptions) => Promise<JoinClusterAnswer>;
  readonly tokens: {
    /** Make a join token. With it, nodes join the cluster (`sluice join`). The token itself is shown in this answer and never again. */
    readonly create: (body: CreateJoinTokenRequest, options?: CallOptions) => Promise<NewJoinToken>;
    /** List the join tokens. Ordered by id, in pages; also those that are used up or expired, until they are deleted. */
    readonly list: (query?: PageQuery, options?: CallOptions) => Promise<Page<JoinToken>>;
    /** Delete a join token. Nobody can join with it any more. Nodes that have joined stay. */
    readonly delete: (id: string, options?: CallOptions) => Promise<void>;
  };
  readonly relays: {
    /** List the relays between nodes. Which node pulls from which, and how long that takes. All nodes are asked; those that do not answer within a second are left out. */
    readonly list: (options?: CallOptions) => Promise<Page<Relay>>;
  };
  readonly transcoding: {
    /** Look at transcoding on all nodes. As GET /transcoding, of each node. All nodes are asked; those that do not answer within a second are left out. */
    readonly list: (query?: ListClusterTranscodingQuery, options?: CallOptions) => Promise<Page<ClusterTranscoding>>;
  };
  readonly sources: {
    /** List the pull sources of all nodes. At most 200 of each node, of the apps that the key may see. All nodes are asked; those that do not answer within a second are left out. */
    readonly list: (options?: CallOptions) => Promise<Page<ClusterSource>>;
  };
  readonly targets: {
    /** List what the streams of all nodes are pushed to. At most 200 of each node, of the apps that the key may see. All nodes are asked; those that do not answer within a second are left out. */
    readonly list: (options?: CallOptions) => Promise<Page<ClusterTarget>>;
  };
  readonly routing: {
    /** Look at the routing rules. Which region a client is near, and what counts how much when a node is chosen for it. */
    readonly get: (options?: CallOptions) => Promise<Routing>;
    /** Set the routing rules. On all nodes, at once. They count instead of what the configuration says. */
    readonly set: (body: SetRoutingRequest, options?: CallOptions) => Promise<Routing>;
    /** Unset the routing rules. From then on what each node's configuration says counts. */
    readonly delete: (options?: CallOptions) => Promise<void>;
  };
}

export const clusterApi = (send: Transport): ClusterApi => ({
  join: (body, options) => send({ method: 'POST', path: '/cluster/join', body, ...options }),
  tokens: {
    create: (body, options) => send({ method: 'POST', path: '/cluster/tokens', body, ...options }),
    list: (query, options) => send({ method: 'GET', path: '/cluster/tokens', query, ...options }),
    delete: (id, options) => send({ method: 'DELETE', path: `/cluster/tokens/${part(id)}`, ...options }),
  },
  relays: {
    list: (options) => send({ method: 'GET', path: '/cluster/relays', ...options }),
  },
  transcoding: {
    list: (query, options) => send({ method: 'GET', path: '/cluster/transcoding', query, ...options }),
  },
  sources: {
    list: (options) => send({ method: 'GET', path: '/cluster/sources', ...options }),
  },
  targets: {
    list: (options) => send({ method: 'GET', path: '/cluster/targets', ...options }),
  },
  routing: {
    get: (options) => send({ method: 'GET', path: '/cluster/routing', ...options }),
    set: (body, options) => send({ method: 'PUT', path: '/cluster/routing', body, ...options }),
    delete: (options) => send({ method: 'DELETE', path: '/cluster/routing', ...options }),
  },
});

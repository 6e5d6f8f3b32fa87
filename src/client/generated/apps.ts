// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import { type CallOptions, type Page, type PageQuery, part, type Transport } from '../transport.ts';
import type { CreateStreamKeyRequest, DeleteStreamKeyQuery, NewStreamKey, RotateStreamKeyRequest, StreamKey } from './apps-keys.ts';
import type { Ladder, SetLadderRequest } from './apps-ladder.ts';
import type { RevokedToken, RevokeTokenRequest } from './apps-revoked-tokens.ts';
import type { AddTokenKeyRequest, NewTokenKey } from './apps-token-keys.ts';
import type { AppUsage } from './apps-usage.ts';
import type {
  ChangeWebhookRequest,
  CreateWebhookRequest,
  DeadLetter,
  NewWebhook,
  TestWebhookAnswer,
  Webhook,
  WebhookDelivery,
} from './apps-webhooks.ts';

export interface App {
  name: string;
  note: string;
  /** Whether it stands in the configuration of the node that answers */
  configured: boolean;
  /** Stream keys in that configuration; they count beside those made here and cannot be deleted here */
  configuredKeys: number;
  /** Whether publishers on the node's own machine need no key */
  publishFromLoopback: boolean;
  /** What a second publisher of a live stream gets: turned away, the stream, or (in a cluster, at another node) to stand by */
  secondPublisher: 'reject' | 'takeover' | 'standby';
  playback: {
    /** `public`: everybody; `token`: who shows a signed token; `domains`: pages of these domains, by Origin or Referer; `networks`: these addresses. A token opens the last two, too */
    policy: 'public' | 'token' | 'domains' | 'networks';
    /** `example.org`, or `*.example.org` for all below it */
    domains: string[];
    networks: string[];
  };
  tokens: {
    issuer?: string;
    audience?: string;
    jwksUrl?: string;
    keys: {
      /** `kid` in the header of a token */
      id: string;
      algorithm: 'HS256' | 'ES256' | 'EdDSA';
      /** PEM; absent for a secret */
      publicKey?: string;
      /** When it was made or taken in */
      createdAt: string;
    }[];
  };
  /** Over the whole cluster */
  limits: {
    /** Streams that are published at a time; null: no limit */
    streams: number | null;
    /** Viewers at a time, by all protocols; null: no limit */
    viewers: number | null;
    /** Bits a second of all its publishers together; null: no limit */
    bitrateInBps: number | null;
    /** Bits a second to all its viewers together; null: no limit */
    bitrateOutBps: number | null;
    /** Minutes of rungs that are made in a month; null: no limit */
    transcodeMinutes: number | null;
    /** Minutes of streams that are recorded in a month; null: no limit */
    recordingMinutes: number | null;
  };
  /** What is recorded of its streams */
  recording: {
    /** `always`: each stream, for as long as it is published */
    mode: 'off' | 'always';
    /** A file that is as long is followed by another one, at a keyframe */
    fileMinutes: number;
    /** A recording is deleted so long after its end; 0: never */
    keepDays: number;
  };
  /** Why this node does not change it: newer software has written it */
  problem?: string;
}

export interface AppItem {
  name: string;
  note: string;
  /** Whether it stands in the configuration of the node that answers */
  configured: boolean;
  /** Stream keys in that configuration; they count beside those made here and cannot be deleted here */
  configuredKeys: number;
  /** Whether publishers on the node's own machine need no key */
  publishFromLoopback: boolean;
  /** What a second publisher of a live stream gets: turned away, the stream, or (in a cluster, at another node) to stand by */
  secondPublisher: 'reject' | 'takeover' | 'standby';
  playback: {
    /** `public`: everybody; `token`: who shows a signed token; `domains`: pages of these domains, by Origin or Referer; `networks`: these addresses. A token opens the last two, too */
    policy: 'public' | 'token' | 'domains' | 'networks';
    /** `example.org`, or `*.example.org` for all below it */
    domains: string[];
    networks: string[];
  };
  tokens: {
    issuer?: string;
    audience?: string;
    jwksUrl?: string;
    keys: {
      /** `kid` in the header of a token */
      id: string;
      algorithm: 'HS256' | 'ES256' | 'EdDSA';
      /** PEM; absent for a secret */
      publicKey?: string;
      /** When it was made or taken in */
      createdAt: string;
    }[];
  };
  /** Over the whole cluster */
  limits: {
    /** Streams that are published at a time; null: no limit */
    streams: number | null;
    /** Viewers at a time, by all protocols; null: no limit */
    viewers: number | null;
    /** Bits a second of all its publishers together; null: no limit */
    bitrateInBps: number | null;
    /** Bits a second to all its viewers together; null: no limit */
    bitrateOutBps: number | null;
    /** Minutes of rungs that are made in a month; null: no limit */
    transcodeMinutes: number | null;
    /** Minutes of streams that are recorded in a month; null: no limit */
    recordingMinutes: number | null;
  };
  /** What is recorded of its streams */
  recording: {
    /** `always`: each stream, for as long as it is published */
    mode: 'off' | 'always';
    /** A file that is as long is followed by another one, at a keyframe */
    fileMinutes: number;
    /** A recording is deleted so long after its end; 0: never */
    keepDays: number;
  };
  /** Why this node does not change it: newer software has written it */
  problem?: string;
  /** What it uses on all nodes at the moment */
  usage: {
    streams: number;
    viewers: number;
    bitrateInBps: number;
    bitrateOutBps: number;
  };
}

export interface CreateAppRequest {
  name: string;
  note?: string;
  publishFromLoopback?: boolean;
  /** What a second publisher of a live stream gets: turned away, the stream, or (in a cluster, at another node) to stand by */
  secondPublisher?: 'reject' | 'takeover' | 'standby';
  playback?: {
    /** `public`: everybody; `token`: who shows a signed token; `domains`: pages of these domains, by Origin or Referer; `networks`: these addresses. A token opens the last two, too */
    policy: 'public' | 'token' | 'domains' | 'networks';
    /** `example.org`, or `*.example.org` for all below it */
    domains?: string[];
    networks?: string[];
  };
  tokens?: {
    /** Empty: none */
    issuer?: string;
    /** Empty: none */
    audience?: string;
    /** Empty: none */
    jwksUrl?: string;
  };
  /** What is left out stays */
  limits?: {
    /** Streams that are published at a time; null: no limit */
    streams?: number | null;
    /** Viewers at a time, by all protocols; null: no limit */
    viewers?: number | null;
    /** Bits a second of all its publishers together; null: no limit */
    bitrateInBps?: number | null;
    /** Bits a second to all its viewers together; null: no limit */
    bitrateOutBps?: number | null;
    /** Minutes of rungs that are made in a month; null: no limit */
    transcodeMinutes?: number | null;
    /** Minutes of streams that are recorded in a month; null: no limit */
    recordingMinutes?: number | null;
  };
  recording?: {
    /** `always`: each stream, for as long as it is published */
    mode: 'off' | 'always';
    /** A file that is as long is followed by another one, at a keyframe */
    fileMinutes?: number;
    /** A recording is deleted so long after its end; 0: never */
    keepDays?: number;
  };
}

export interface ChangeAppRequest {
  note?: string;
  publishFromLoopback?: boolean;
  /** What a second publisher of a live stream gets: turned away, the stream, or (in a cluster, at another node) to stand by */
  secondPublisher?: 'reject' | 'takeover' | 'standby';
  playback?: {
    /** `public`: everybody; `token`: who shows a signed token; `domains`: pages of these domains, by Origin or Referer; `networks`: these addresses. A token opens the last two, too */
    policy: 'public' | 'token' | 'domains' | 'networks';
    /** `example.org`, or `*.example.org` for all below it */
    domains?: string[];
    networks?: string[];
  };
  tokens?: {
    /** Empty: none */
    issuer?: string;
    /** Empty: none */
    audience?: string;
    /** Empty: none */
    jwksUrl?: string;
  };
  /** What is left out stays */
  limits?: {
    /** Streams that are published at a time; null: no limit */
    streams?: number | null;
    /** Viewers at a time, by all protocols; null: no limit */
    viewers?: number | null;
    /** Bits a second of all its publishers together; null: no limit */
    bitrateInBps?: number | null;
    /** Bits a second to all its viewers together; null: no limit */
    bitrateOutBps?: number | null;
    /** Minutes of rungs that are made in a month; null: no limit */
    transcodeMinutes?: number | null;
    /** Minutes of streams that are recorded in a month; null: no limit */
    recordingMinutes?: number | null;
  };
  recording?: {
    /** `always`: each stream, for as long as it is published */
    mode: 'off' | 'always';
    /** A file that is as long is followed by another one, at a keyframe */
    fileMinutes?: number;
    /** A recording is deleted so long after its end; 0: never */
    keepDays?: number;
  };
}

export interface AppsApi {
  /** List the apps. Those that the key may see, ordered by name, in pages. */
  readonly list: (query?: PageQuery, options?: CallOptions) => Promise<Page<AppItem>>;
  /** Make an app. It is there on all nodes at once. Nobody may publish into it before it has a stream key or a token key. */
  readonly create: (body: CreateAppRequest, options?: CallOptions) => Promise<App>;
  /** Look at one app. Who may publish and play, and which keys check its tokens. */
  readonly get: (app: string, options?: CallOptions) => Promise<App>;
  /** Change an app. What is left out stays. What is set here counts instead of what the configuration says; viewers who play already are not looked at again. Limits are set with an admin key. */
  readonly change: (app: string, body: ChangeAppRequest, options?: CallOptions) => Promise<App>;
  /** Delete an app. With its keys; streams that are published into it end. An app of the configuration cannot be deleted here. */
  readonly delete: (app: string, options?: CallOptions) => Promise<void>;
  readonly keys: {
    /** List the stream keys of an app. Without their secrets, and without the keys of the configuration. */
    readonly list: (app: string, query?: PageQuery, options?: CallOptions) => Promise<Page<StreamKey>>;
    /** Make a stream key. For one stream or all of the app. The key is shown in this answer and never again. */
    readonly create: (app: string, body: CreateStreamKeyRequest, options?: CallOptions) => Promise<NewStreamKey>;
    /** Give a stream key a new secret. The old one counts for `graceS` seconds more. Who publishes already goes on. */
    readonly rotate: (app: string, id: string, body: RotateStreamKeyRequest, options?: CallOptions) => Promise<NewStreamKey>;
    /** Delete a stream key. Nobody can begin to publish with it any more. Who publishes already goes on, unless `endSessions` is true. */
    readonly delete: (app: string, id: string, query?: DeleteStreamKeyQuery, options?: CallOptions) => Promise<void>;
  };
  readonly tokenKeys: {
    /** Add a key for signed tokens. Of HS256 the server makes the secret and shows it in this answer and never again; of ES256 and EdDSA give the public key. */
    readonly add: (app: string, body: AddTokenKeyRequest, options?: CallOptions) => Promise<NewTokenKey>;
    /** Delete a key for signed tokens. Tokens that were signed with it let nobody in any more. */
    readonly delete: (app: string, id: string, options?: CallOptions) => Promise<void>;
  };
  readonly revokedTokens: {
    /** List the revoked tokens of an app. Ordered by `jti`, in pages. */
    readonly list: (app: string, query?: PageQuery, options?: CallOptions) => Promise<Page<RevokedToken>>;
    /** Revoke a token. By its `jti`. It begins nothing any more, and gets no more of HLS; other sessions that it began go on, unless `endSessions` is true. */
    readonly revoke: (app: string, body: RevokeTokenRequest, options?: CallOptions) => Promise<RevokedToken>;
  };
  readonly usage: {
    /** See what an app uses. On all nodes, beside its limits: at the moment, and this month. Other nodes are heard every few seconds. */
    readonly get: (app: string, options?: CallOptions) => Promise<AppUsage>;
  };
  readonly ladder: {
    /** Look at an app's ladder. The qualities that its streams are offered in. */
    readonly get: (app: string, options?: CallOptions) => Promise<Ladder>;
    /** Set an app's ladder. On all nodes, at once, also for streams that run. It counts instead of what the configuration says. */
    readonly set: (app: string, body: SetLadderRequest, options?: CallOptions) => Promise<Ladder>;
    /** Unset an app's ladder. From then on what each node's configuration says counts. */
    readonly delete: (app: string, options?: CallOptions) => Promise<void>;
  };
  readonly webhooks: {
    /** List the webhooks of an app. Without their secrets, ordered by id, in pages. */
    readonly list: (app: string, query?: PageQuery, options?: CallOptions) => Promise<Page<Webhook>>;
    /** Make a webhook. The server makes the secret that its requests are signed with, and shows it in this answer and never again. */
    readonly create: (app: string, body: CreateWebhookRequest, options?: CallOptions) => Promise<NewWebhook>;
    /** Look at one webhook. Without its secret. */
    readonly get: (app: string, id: string, options?: CallOptions) => Promise<Webhook>;
    /** Change a webhook. What is left out stays; the kind stays. What it has said of viewers is forgotten. */
    readonly change: (app: string, id: string, body: ChangeWebhookRequest, options?: CallOptions) => Promise<Webhook>;
    /** Delete a webhook. With its dead letters. Events that wait for it are dropped. */
    readonly delete: (app: string, id: string, options?: CallOptions) => Promise<void>;
    /** Give a webhook a new secret. For `graceS` seconds requests are signed with the old one, too. */
    readonly rotate: (app: string, id: string, body: RotateStreamKeyRequest, options?: CallOptions) => Promise<NewWebhook>;
    /** Send a test to a webhook. At once and one time, also to one that is not enabled; answers with what came back. */
    readonly test: (app: string, id: string, options?: CallOptions) => Promise<TestWebhookAnswer>;
    readonly deliveries: {
      /** See what was sent to a webhook. The newest 100, of all nodes; the newest first. What other nodes sent is seen within seconds. */
      readonly list: (app: string, id: string, options?: CallOptions) => Promise<Page<WebhookDelivery>>;
    };
    readonly deadLetters: {
      /** List the events that could not be delivered. The newest 1,000 are kept until they are sent again or deleted; by id, in pages. */
      readonly list: (app: string, id: string, query?: PageQuery, options?: CallOptions) => Promise<Page<DeadLetter>>;
      /** Send a dead letter again. It is queued like a new event, with its old id. */
      readonly retry: (app: string, id: string, delivery: string, options?: CallOptions) => Promise<void>;
      /** Delete a dead letter. It is not sent any more. */
      readonly delete: (app: string, id: string, delivery: string, options?: CallOptions) => Promise<void>;
    };
  };
}

export const appsApi = (send: Transport): AppsApi => ({
  list: (query, options) => send({ method: 'GET', path: '/apps', query, ...options }),
  create: (body, options) => send({ method: 'POST', path: '/apps', body, ...options }),
  get: (app, options) => send({ method: 'GET', path: `/apps/${part(app)}`, ...options }),
  change: (app, body, options) => send({ method: 'PATCH', path: `/apps/${part(app)}`, body, ...options }),
  delete: (app, options) => send({ method: 'DELETE', path: `/apps/${part(app)}`, ...options }),
  keys: {
    list: (app, query, options) => send({ method: 'GET', path: `/apps/${part(app)}/keys`, query, ...options }),
    create: (app, body, options) => send({ method: 'POST', path: `/apps/${part(app)}/keys`, body, ...options }),
    rotate: (app, id, body, options) => send({ method: 'POST', path: `/apps/${part(app)}/keys/${part(id)}/rotate`, body, ...options }),
    delete: (app, id, query, options) => send({ method: 'DELETE', path: `/apps/${part(app)}/keys/${part(id)}`, query, ...options }),
  },
  tokenKeys: {
    add: (app, body, options) => send({ method: 'POST', path: `/apps/${part(app)}/token-keys`, body, ...options }),
    delete: (app, id, options) => send({ method: 'DELETE', path: `/apps/${part(app)}/token-keys/${part(id)}`, ...options }),
  },
  revokedTokens: {
    list: (app, query, options) => send({ method: 'GET', path: `/apps/${part(app)}/revoked-tokens`, query, ...options }),
    revoke: (app, body, options) => send({ method: 'POST', path: `/apps/${part(app)}/revoked-tokens`, body, ...options }),
  },
  usage: {
    get: (app, options) => send({ method: 'GET', path: `/apps/${part(app)}/usage`, ...options }),
  },
  ladder: {
    get: (app, options) => send({ method: 'GET', path: `/apps/${part(app)}/ladder`, ...options }),
    set: (app, body, options) => send({ method: 'PUT', path: `/apps/${part(app)}/ladder`, body, ...options }),
    delete: (app, options) => send({ method: 'DELETE', path: `/apps/${part(app)}/ladder`, ...options }),
  },
  webhooks: {
    list: (app, query, options) => send({ method: 'GET', path: `/apps/${part(app)}/webhooks`, query, ...options }),
    create: (app, body, options) => send({ method: 'POST', path: `/apps/${part(app)}/webhooks`, body, ...options }),
    get: (app, id, options) => send({ method: 'GET', path: `/apps/${part(app)}/webhooks/${part(id)}`, ...options }),
    change: (app, id, body, options) => send({ method: 'PATCH', path: `/apps/${part(app)}/webhooks/${part(id)}`, body, ...options }),
    delete: (app, id, options) => send({ method: 'DELETE', path: `/apps/${part(app)}/webhooks/${part(id)}`, ...options }),
    rotate: (app, id, body, options) => send({ method: 'POST', path: `/apps/${part(app)}/webhooks/${part(id)}/rotate`, body, ...options }),
    test: (app, id, options) => send({ method: 'POST', path: `/apps/${part(app)}/webhooks/${part(id)}/test`, ...options }),
    deliveries: {
      list: (app, id, options) => send({ method: 'GET', path: `/apps/${part(app)}/webhooks/${part(id)}/deliveries`, ...options }),
    },
    deadLetters: {
      list: (app, id, query, options) =>
        send({ method: 'GET', path: `/apps/${part(app)}/webhooks/${part(id)}/dead-letters`, query, ...options }),
      retry: (app, id, delivery, options) =>
        send({ method: 'POST', path: `/apps/${part(app)}/webhooks/${part(id)}/dead-letters/${part(delivery)}/retry`, ...options }),
      delete: (app, id, delivery, options) =>
        send({ method: 'DELETE', path: `/apps/${part(app)}/webhooks/${part(id)}/dead-letters/${part(delivery)}`, ...options }),
    },
  },
});

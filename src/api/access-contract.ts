import type { AppUsageNow, LimitsPatch, LimitsResource } from './limits-contract.ts';

/** Who may play an app's streams. */
export interface PlaybackResource {
  policy: 'public' | 'token' | 'domains' | 'networks';
  domains: string[];
  networks: string[];
}

/** What of an app's streams is recorded. */
export interface RecordingSettingsResource {
  mode: 'off' | 'always';
  /** A file that is as long is followed by another one. */
  fileMinutes: number;
  /** After so long a recording is deleted; 0: never. */
  keepDays: number;
}

/** A key that an app's tokens are checked with, without its secret. */
export interface TokenKeyResource {
  id: string;
  algorithm: 'HS256' | 'ES256' | 'EdDSA';
  /** PEM; absent for a secret. */
  publicKey?: string;
  createdAt: string;
}

/** The answer to the making of a token key. */
export interface NewTokenKeyResource extends TokenKeyResource {
  /** Of HS256; shown this once. */
  secret?: string;
}

export interface TokenKeyWish {
  algorithm: 'HS256' | 'ES256' | 'EdDSA';
  publicKey?: string;
}

/** An app, as the API shows it. */
export interface AppResource {
  name: string;
  note: string;
  /** Whether it stands in the configuration of the node that answers. */
  configured: boolean;
  /** Stream keys in that configuration; they count beside those made by the API, which cannot delete them. */
  configuredKeys: number;
  publishFromLoopback: boolean;
  secondPublisher: 'reject' | 'takeover' | 'standby';
  playback: PlaybackResource;
  tokens: { issuer?: string; audience?: string; jwksUrl?: string; keys: TokenKeyResource[] };
  limits: LimitsResource;
  recording: RecordingSettingsResource;
  /** Why this node does not change it: newer software has written it. */
  problem?: string;
}

/** An app in the list of them. */
export interface ListedAppResource extends AppResource {
  usage: AppUsageNow;
}

export interface AppPage {
  items: ListedAppResource[];
  nextCursor?: string;
}

/** What may be set of an app. Empty texts unset what they stand for. */
export interface AppPatch {
  note?: string;
  publishFromLoopback?: boolean;
  secondPublisher?: 'reject' | 'takeover' | 'standby';
  playback?: { policy: PlaybackResource['policy']; domains?: string[]; networks?: string[] };
  tokens?: { issuer?: string; audience?: string; jwksUrl?: string };
  limits?: LimitsPatch;
  recording?: { mode: RecordingSettingsResource['mode']; fileMinutes?: number; keepDays?: number };
}

export interface AppWish extends AppPatch {
  name: string;
}

/** A stream key, without its secret. */
export interface StreamKeyResource {
  id: string;
  app: string;
  /** The one stream that it may publish; absent: all of the app. */
  stream?: string;
  note: string;
  createdAt: string;
  expiresAt?: string;
  /** Until when the secret before the last rotation counts. */
  oldSecretUntil?: string;
}

export interface NewStreamKeyResource extends StreamKeyResource {
  /** Shown this once. */
  key: string;
}

export interface StreamKeyPage {
  items: StreamKeyResource[];
  nextCursor?: string;
}

export interface StreamKeyWish {
  stream?: string;
  expiresInS?: number;
  note: string;
}

/** An API key, without its secret. */
export interface ApiKeyResource {
  id: string;
  scopes: string[];
  note: string;
  createdAt: string;
  expiresAt?: string;
}

export interface NewApiKeyResource extends ApiKeyResource {
  /** Shown this once. */
  key: string;
}

export interface ApiKeyPage {
  items: ApiKeyResource[];
  nextCursor?: string;
}

export interface ApiKeyWish {
  scopes: string[];
  expiresInS?: number;
  note: string;
}

export interface RevokedTokenResource {
  jti: string;
  revokedAt: string;
  expiresAt: string;
}

export interface RevokedTokenPage {
  items: RevokedTokenResource[];
  nextCursor?: string;
}

export interface RevokedTokenWish {
  jti: string;
  expiresInS: number;
  /** Whether the sessions end, too, that it has let in. */
  endSessions: boolean;
}

/** One change: who made it, what it was, and what stood there before and after. */
export interface AuditEntryResource {
  id: string;
  at: string;
  /** `key:ID`, `key:data-folder` for a key of the node itself, `session`, or `token`. */
  who: string;
  address: string;
  /** The id of the operation. */
  action: string;
  /** What it was done to, as a path below `/api/v1`. */
  target: string;
  app?: string;
  before?: unknown;
  after?: unknown;
}

export interface AuditPage {
  items: AuditEntryResource[];
  nextCursor?: string;
}

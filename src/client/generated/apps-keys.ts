// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface StreamKey {
  id: string;
  app: string;
  /** The one stream that it may publish; absent: all of the app */
  stream?: string;
  note: string;
  /** When it was made */
  createdAt: string;
  /** Until when it counts */
  expiresAt?: string;
  /** Until when the secret before the last rotation counts */
  oldSecretUntil?: string;
}

export interface NewStreamKey {
  id: string;
  app: string;
  /** The one stream that it may publish; absent: all of the app */
  stream?: string;
  note: string;
  /** When it was made */
  createdAt: string;
  /** Until when it counts */
  expiresAt?: string;
  /** Until when the secret before the last rotation counts */
  oldSecretUntil?: string;
  /** Shown this once */
  key: string;
}

export interface CreateStreamKeyRequest {
  stream?: string;
  /** How long it counts; for ever without */
  expiresInS?: number;
  /** To know it by */
  note?: string;
}

export interface RotateStreamKeyRequest {
  /** How long the old secret counts beside the new one */
  graceS?: number;
}

export interface DeleteStreamKeyQuery {
  /** Whether the sessions end, too, that it has let in, on all nodes */
  endSessions?: boolean;
}

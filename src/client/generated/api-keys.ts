// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import { type CallOptions, type Page, type PageQuery, part, type Transport } from '../transport.ts';

export interface ApiKey {
  id: string;
  scopes: string[];
  note: string;
  /** When it was made */
  createdAt: string;
  /** Until when it counts */
  expiresAt?: string;
}

export interface NewApiKey {
  id: string;
  scopes: string[];
  note: string;
  /** When it was made */
  createdAt: string;
  /** Until when it counts */
  expiresAt?: string;
  /** Shown this once */
  key: string;
}

export interface CreateApiKeyRequest {
  /** `admin`: everything; `read`: to see everything; `app:NAME`: everything that concerns one app */
  scopes: string[];
  /** How long it counts; for ever without */
  expiresInS?: number;
  /** To know it by */
  note?: string;
}

export interface ApiKeysApi {
  /** List the API keys. Without their secrets, ordered by id, in pages. The first admin key of a node on its own, which is in its data folder, is not among them. */
  readonly list: (query?: PageQuery, options?: CallOptions) => Promise<Page<ApiKey>>;
  /** Make an API key. The key is shown in this answer and never again; only its hash is kept. */
  readonly create: (body: CreateApiKeyRequest, options?: CallOptions) => Promise<NewApiKey>;
  /** Delete an API key. It is refused from now on, on all nodes. */
  readonly delete: (id: string, options?: CallOptions) => Promise<void>;
}

export const apiKeysApi = (send: Transport): ApiKeysApi => ({
  list: (query, options) => send({ method: 'GET', path: '/api-keys', query, ...options }),
  create: (body, options) => send({ method: 'POST', path: '/api-keys', body, ...options }),
  delete: (id, options) => send({ method: 'DELETE', path: `/api-keys/${part(id)}`, ...options }),
});

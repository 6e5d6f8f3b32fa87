// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { CallOptions, Transport } from '../transport.ts';

export interface Session {
  /** `public`: what everybody may see; `none`: not even that */
  scope: 'none' | 'public' | 'read' | 'admin';
  /** What the scope comes from; `local`: from being on the same machine */
  by?: 'session' | 'key' | 'local';
  /** Of a session */
  expiresAt?: string;
  server: {
    node: string;
    version: string;
    isInCluster: boolean;
  };
}

export interface BeginSessionRequest {
  /** An API key */
  key: string;
}

export interface SessionApi {
  /** Ask who one is. What the caller may do, and which server answers. Needs nothing. */
  readonly get: (options?: CallOptions) => Promise<Session>;
  /** Sign in. Takes an API key and answers with a session in a cookie (HttpOnly, SameSite=Strict, under TLS Secure), which stands for the key for twelve hours on every node. Changes by session need the header "X-Sluice-Console: 1". */
  readonly begin: (body: BeginSessionRequest, options?: CallOptions) => Promise<Session>;
  /** Sign out. Ends the session on all nodes and takes the cookie away. Needs none. */
  readonly end: (options?: CallOptions) => Promise<void>;
}

export const sessionApi = (send: Transport): SessionApi => ({
  get: (options) => send({ method: 'GET', path: '/session', ...options }),
  begin: (body, options) => send({ method: 'POST', path: '/session', body, ...options }),
  end: (options) => send({ method: 'DELETE', path: '/session', ...options }),
});

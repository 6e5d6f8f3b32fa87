// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface RevokedToken {
  jti: string;
  /** When it was revoked */
  revokedAt: string;
  /** Until when this is kept */
  expiresAt: string;
}

export interface RevokeTokenRequest {
  /** Of the token */
  jti: string;
  /** At least as long as the token still holds */
  expiresInS?: number;
  /** Whether the sessions end, too, that it has let in, on all nodes */
  endSessions?: boolean;
}

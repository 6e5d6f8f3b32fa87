// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface NewTokenKey {
  /** `kid` in the header of a token */
  id: string;
  algorithm: 'HS256' | 'ES256' | 'EdDSA';
  /** PEM; absent for a secret */
  publicKey?: string;
  /** When it was made or taken in */
  createdAt: string;
  /** Of HS256; shown this once */
  secret?: string;
}

export interface AddTokenKeyRequest {
  algorithm: 'HS256' | 'ES256' | 'EdDSA';
  /** Of ES256 and EdDSA: SubjectPublicKeyInfo, PEM. Of HS256 the server makes the secret */
  publicKey?: string;
}

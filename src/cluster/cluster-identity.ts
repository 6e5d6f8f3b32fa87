import { decodeVersioned, encodeVersioned, readText } from './versioned-json.ts';

/** Which cluster a store belongs to; two clusters may have the same name, but never the same id. */
export interface ClusterIdentity {
  readonly v: 1;
  /** Random, made with the cluster. */
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the public key (SubjectPublicKeyInfo) of the cluster's certificate authority, in hexadecimal. */
  readonly caSha256: string;
}

/** Written once, by the first manager. */
export const CLUSTER_IDENTITY_KEY = 'cluster/identity';

export const encodeClusterIdentity = (identity: ClusterIdentity): Uint8Array => encodeVersioned(identity);

/** Reads borrowed bytes; undefined for what is no identity. */
export function decodeClusterIdentity(bytes: Uint8Array): ClusterIdentity | undefined {
  const fields = decodeVersioned(bytes);
  const id = readText(fields?.['id'], 64);
  if (id === undefined) return undefined;
  return { v: 1, id, name: readText(fields?.['name'], 64) ?? '', caSha256: readText(fields?.['caSha256'], 64) ?? '' };
}

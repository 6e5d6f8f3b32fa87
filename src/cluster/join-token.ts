import { isName } from '../core/mod.ts';
import { NODE_ROLES, type NodeRole } from './node-record.ts';
import { decodeVersioned, encodeVersioned, readAmount, readCount, readText } from './versioned-json.ts';

/** A join token as it is given to an operator: `clt_ID.SECRET.PIN`. */
export interface JoinToken {
  readonly id: string;
  readonly secret: string;
  /** SHA-256 of the public key (SubjectPublicKeyInfo) of the cluster's certificate authority, in base64url: whom the joining node may trust. */
  readonly caPin: string;
}

/** What the store keeps of a token, under `tokens/ID`. */
export interface JoinTokenRecord {
  readonly v: 1;
  readonly id: string;
  /** SHA-256 of the secret, in hexadecimal: the store gives no token away. */
  readonly secretSha256: string;
  /** The roles that a node may join with. */
  readonly roles: readonly NodeRole[];
  /** The regions that it may join; empty: any. */
  readonly regions: readonly string[];
  readonly usesMax: number;
  /** The nodes that joined with it: as many uses. The same node joining again is no new use. */
  readonly usedBy: readonly string[];
  readonly expiresAtMs: number;
  readonly createdAtMs: number;
  /** For the operator to know it by. */
  readonly note: string;
}

export const TOKENS_PREFIX = 'tokens/';
export const tokenKey = (id: string): string => `${TOKENS_PREFIX}${id}`;
/** The most uses of one token: their node ids are kept with it. */
export const TOKEN_USES_MAX = 1000;
export const TOKEN_NOTE_LENGTH_MAX = 100;

// The secret is 32 bytes, the pin a SHA-256: 43 characters of base64url each.
const TOKEN = /^clt_([a-z0-9]{8,32})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

export const formatJoinToken = ({ id, secret, caPin }: JoinToken): string => `clt_${id}.${secret}.${caPin}`;

/** Undefined when the text has not the form of a token, e.g. because a part is missing. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const [, id, secret, caPin] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined || caPin === undefined ? undefined : { id, secret, caPin };
}

export const encodeJoinTokenRecord = (record: JoinTokenRecord): Uint8Array => encodeVersioned(record);

/** Reads borrowed bytes; undefined for what is no token's record, or one that needs a newer reader. */
export function decodeJoinTokenRecord(bytes: Uint8Array): JoinTokenRecord | undefined {
  const fields = decodeVersioned(bytes);
  if (fields === undefined) return undefined;
  const id = readText(fields['id'], 32);
  const secretSha256 = readText(fields['secretSha256'], 64);
  const { roles, regions, usedBy } = fields;
  const usesMax = readCount(fields['usesMax']);
  const expiresAtMs = readAmount(fields['expiresAtMs']);
  if (id === undefined || secretSha256 === undefined || usesMax === undefined || expiresAtMs === undefined) return undefined;
  if (!Array.isArray(roles) || !Array.isArray(regions) || !Array.isArray(usedBy)) return undefined;
  return {
    v: 1,
    id,
    secretSha256,
    roles: NODE_ROLES.filter((role) => roles.includes(role)),
    regions: names(regions),
    usesMax,
    usedBy: names(usedBy),
    expiresAtMs,
    createdAtMs: readAmount(fields['createdAtMs']) ?? 0,
    note: readText(fields['note'], TOKEN_NOTE_LENGTH_MAX) ?? '',
  };
}

const names = (values: readonly unknown[]): string[] =>
  values.filter((value): value is string => typeof value === 'string' && isName(value));

/** What a node asks for with a token. */
export interface JoinWish {
  readonly nodeId: string;
  readonly roles: readonly NodeRole[];
  readonly region: string;
}

export type JoinRefusalCode =
  | 'cluster.token-wrong'
  | 'cluster.token-expired'
  | 'cluster.token-used-up'
  | 'cluster.role-not-allowed'
  | 'cluster.region-not-allowed';

export interface JoinRefusal {
  readonly code: JoinRefusalCode;
  /** What was wrong, and what to do. */
  readonly message: string;
}

const NEW_TOKEN = 'make a new one on a manager with "sluice tokens create"';
/** An unknown id and a wrong secret are told alike. */
export const TOKEN_WRONG: JoinRefusal = {
  code: 'cluster.token-wrong',
  message: `no join token is like the one given: copy it whole, or ${NEW_TOKEN}`,
};

/**
 * Whether a node may join with a token. `isSecretRight`: compared in constant time by the caller; an unknown id and a wrong secret are told alike. Undefined:
 * it may.
 */
export function judgeJoin(
  record: JoinTokenRecord | undefined,
  isSecretRight: boolean,
  wish: JoinWish,
  nowWallMs: number,
): JoinRefusal | undefined {
  if (record === undefined || !isSecretRight) return TOKEN_WRONG;
  if (nowWallMs >= record.expiresAtMs)
    return {
      code: 'cluster.token-expired',
      message: `the join token expired at ${new Date(record.expiresAtMs).toISOString()}: ${NEW_TOKEN}`,
    };
  const role = wish.roles.find((wanted) => !record.roles.includes(wanted));
  if (role !== undefined)
    return {
      code: 'cluster.role-not-allowed',
      message: `the join token is for ${record.roles.join(', ')}, not for ${role}: join with another --role, or ${NEW_TOKEN}`,
    };
  if (record.regions.length > 0 && !record.regions.includes(wish.region))
    return {
      code: 'cluster.region-not-allowed',
      message: `the join token is for ${record.regions.join(', ')}, not for ${wish.region}: join with another --region, or ${NEW_TOKEN}`,
    };
  if (record.usedBy.length >= record.usesMax && !record.usedBy.includes(wish.nodeId))
    return {
      code: 'cluster.token-used-up',
      message: `the join token has been used ${record.usesMax} of ${record.usesMax} times: ${NEW_TOKEN}`,
    };
  return undefined;
}

/** The record after the node has joined with it; the same one when the node had before. */
export const withUse = (record: JoinTokenRecord, nodeId: string): JoinTokenRecord =>
  record.usedBy.includes(nodeId) ? record : { ...record, usedBy: [...record.usedBy, nodeId] };

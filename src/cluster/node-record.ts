import { isName } from '../core/mod.ts';
import { decodeVersioned, encodeVersioned, readAmount, readCount, readText, type UnknownFields } from './versioned-json.ts';

/** What a node does. `mono` is everything, on a node of its own. */
export type NodeRole = 'origin' | 'edge' | 'transcode' | 'manager' | 'mono';
export const NODE_ROLES: readonly NodeRole[] = ['origin', 'edge', 'transcode', 'manager', 'mono'];

/** What an operator wants of a node. `draining`: nothing new, and what is there moves away; `disabled`: joined, but not used. */
export type NodeStatus = 'active' | 'draining' | 'disabled';
export const NODE_STATUSES: readonly NodeStatus[] = ['active', 'draining', 'disabled'];

/** Where other nodes and clients reach a node. */
export interface NodeEndpoints {
  /** `http://HOST:PORT` or `https://HOST:PORT`, without a path. */
  readonly http: string;
  /** `rtmp://HOST:PORT` or `rtmps://HOST:PORT`; absent when it takes no RTMP. */
  readonly rtmp?: string;
  /** `HOST:PORT`, mutual TLS; absent when it relays nothing. */
  readonly relay?: string;
}

/** Who gave a node the status that it has, and when by their clock: for display. */
export interface StatusChange {
  readonly atMs: number;
  /** As the log of changes names who asks; the node's own id when its process was asked to end. */
  readonly by: string;
}

/** The version of what nodes say to each other that this software speaks. */
export const CLUSTER_PROTOCOL = 3;
/** Nodes of this protocol and later read heartbeats that are no JSON. */
const BINARY_HEARTBEATS_SINCE = 3;

/** A node as it stands in the store under `nodes/ID`. */
export interface NodeRecord {
  readonly v: 1;
  /** Made from the node's public key, and never used again for another node. */
  readonly id: string;
  /** What people call it; absent where it runs an older version. Another node may be called the same. */
  readonly name?: string;
  readonly region: string;
  readonly roles: readonly NodeRole[];
  readonly status: NodeStatus;
  /** When a draining node ends, by the clock of whoever asked for it: for display. */
  readonly drainDeadlineWallMs?: number;
  /** How long a draining node has from when it learns of it, so that clocks that differ do no harm. */
  readonly drainForMs?: number;
  /** Absent while the status is the one that the process began with. */
  readonly statusChange?: StatusChange;
  /** Grows by one at each start of the node's process; 0 until the first. */
  readonly incarnation: number;
  readonly endpoints: NodeEndpoints;
  /** Of the software. */
  readonly version: string;
  /** {@link CLUSTER_PROTOCOL} of the node. */
  readonly protocol: number;
  readonly joinedAtMs: number;
  /** When its process began, by its own clock. */
  readonly startedAtMs?: number;
  /** Of the certificate that the node uses now, in hexadecimal. */
  readonly certificateSerial?: string;
  /** SHA-256 of the node's public key (SubjectPublicKeyInfo), in hexadecimal. */
  readonly keySha256?: string;
}

/** Prefix of all node records. */
export const NODES_PREFIX = 'nodes/';
export const nodeKey = (id: string): string => `${NODES_PREFIX}${id}`;
/** Without making a string: all nodes are told of all others. */
export const isNodeKey = (key: string, id: string): boolean =>
  key.length === NODES_PREFIX.length + id.length && key.startsWith(NODES_PREFIX) && key.endsWith(id);

const TEXT_LENGTH_MAX = 256;
/** As long as a name of a host may be. */
export const NODE_NAME_LENGTH_MAX = 253;

export const encodeNodeRecord = (record: NodeRecord): Uint8Array => encodeVersioned(record);

/** Reads borrowed bytes; undefined for what is no node record, or one that needs a newer reader. Roles that are not known are left out. */
export function decodeNodeRecord(bytes: Uint8Array): NodeRecord | undefined {
  const fields = decodeVersioned(bytes);
  if (fields === undefined) return undefined;
  const id = readText(fields['id'], TEXT_LENGTH_MAX);
  const region = readText(fields['region'], TEXT_LENGTH_MAX);
  const status = NODE_STATUSES.find((known) => known === fields['status']);
  const incarnation = readCount(fields['incarnation']);
  const endpoints = readEndpoints(fields['endpoints']);
  const roles = fields['roles'];
  if (id === undefined || !isName(id) || region === undefined || !isName(region) || status === undefined) return undefined;
  if (incarnation === undefined || endpoints === undefined || !Array.isArray(roles)) return undefined;
  return {
    v: 1,
    id,
    region,
    roles: NODE_ROLES.filter((role) => roles.includes(role)),
    status,
    incarnation,
    endpoints,
    version: readText(fields['version'], TEXT_LENGTH_MAX) ?? '',
    protocol: readCount(fields['protocol']) ?? 1,
    joinedAtMs: readAmount(fields['joinedAtMs']) ?? 0,
    ...optionalFields(fields),
  };
}

function optionalFields(fields: UnknownFields): Partial<NodeRecord> {
  const drainDeadlineWallMs = readAmount(fields['drainDeadlineWallMs']);
  const drainForMs = readAmount(fields['drainForMs']);
  const statusChange = readStatusChange(fields['statusChange']);
  const name = readText(fields['name'], NODE_NAME_LENGTH_MAX);
  const startedAtMs = readAmount(fields['startedAtMs']);
  const certificateSerial = readText(fields['certificateSerial'], TEXT_LENGTH_MAX);
  const keySha256 = readText(fields['keySha256'], TEXT_LENGTH_MAX);
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    ...(drainDeadlineWallMs === undefined ? {} : { drainDeadlineWallMs }),
    ...(drainForMs === undefined ? {} : { drainForMs }),
    ...(statusChange === undefined ? {} : { statusChange }),
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(certificateSerial === undefined ? {} : { certificateSerial }),
    ...(keySha256 === undefined ? {} : { keySha256 }),
  };
}

function readStatusChange(value: unknown): StatusChange | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as UnknownFields;
  const atMs = readAmount(fields['atMs']);
  const by = readText(fields['by'], TEXT_LENGTH_MAX);
  return atMs === undefined || by === undefined ? undefined : { atMs, by };
}

function readEndpoints(value: unknown): NodeEndpoints | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as UnknownFields;
  const http = readText(fields['http'], TEXT_LENGTH_MAX);
  const rtmp = readText(fields['rtmp'], TEXT_LENGTH_MAX);
  const relay = readText(fields['relay'], TEXT_LENGTH_MAX);
  if (http === undefined) return undefined;
  return { http, ...(rtmp === undefined ? {} : { rtmp }), ...(relay === undefined ? {} : { relay }) };
}

/** Whether a member reads no heartbeats but those in JSON. */
export const readsJsonOnly = ({ protocol }: NodeRecord): boolean => protocol < BINARY_HEARTBEATS_SINCE;

/** Whether two records, as they were read, say the same. */
export const isSameRecord = (left: NodeRecord, right: NodeRecord): boolean =>
  left === right ||
  (left.incarnation === right.incarnation && left.status === right.status && JSON.stringify(left) === JSON.stringify(right));

/** A record with another status. */
export interface StatusWish {
  readonly status: NodeStatus;
  /** Only with `draining`, when it has a deadline. */
  readonly drain?: { readonly forMs: number; readonly deadlineWallMs: number } | undefined;
  /** Absent: the process began with it. */
  readonly change?: StatusChange | undefined;
}

/** The record with another status, and what belongs to that. */
export function withStatus(record: NodeRecord, { status, drain, change }: StatusWish): NodeRecord {
  const { drainDeadlineWallMs: _deadline, drainForMs: _for, statusChange: _change, ...rest } = record;
  return {
    ...rest,
    status,
    ...(change === undefined ? {} : { statusChange: change }),
    ...(status === 'draining' && drain !== undefined ? { drainDeadlineWallMs: drain.deadlineWallMs, drainForMs: drain.forMs } : {}),
  };
}

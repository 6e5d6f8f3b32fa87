import { decodeVersioned, encodeVersioned, readAmount, readCount, readText, type UnknownFields } from '../core/mod.ts';
import type { Json } from './json.ts';
import type { SettingsChange } from './settings-change.ts';

/** Where the changes of a version are that do not fit into its record. */
export interface VersionParts {
  readonly id: string;
  readonly count: number;
}

/** One change of the settings, as it is written down before it is made. It is never changed itself. */
export interface VersionRecord {
  readonly v: 1;
  /** From 1 on, without a gap. */
  readonly n: number;
  readonly atMs: number;
  readonly who: string;
  /** The id of the operation. */
  readonly action: string;
  readonly note: string;
  /** How many keys change. */
  readonly count: number;
  /** What changes, or where that is written. */
  readonly changes: readonly SettingsChange[] | VersionParts;
}

/** What was written down last of what is done: {@link VersionRecord.n}; later ones are being made. */
export const DONE_KEY = 'config/done';
export const VERSIONS_PREFIX = 'config-versions/';
export const PARTS_PREFIX = 'config-parts/';
/** Older ones are forgotten. */
export const VERSIONS_KEPT = 200;
export const VERSION_NOTE_LENGTH_MAX = 200;
const WHO_LENGTH_MAX = 256;
const DIGITS = 12;

export const versionKey = (n: number): string => `${VERSIONS_PREFIX}${String(n).padStart(DIGITS, '0')}`;
export const partKey = ({ id }: VersionParts, index: number): string => `${PARTS_PREFIX}${id}.${index}`;

export const encodeVersion = (record: VersionRecord): Uint8Array => encodeVersioned(record);

/** Reads borrowed bytes; undefined for what needs a newer reader, or is by nobody of ours. */
export function decodeVersion(bytes: Uint8Array): VersionRecord | undefined {
  const fields = decodeVersioned(bytes);
  if (fields === undefined) return undefined;
  const n = readCount(fields['n']);
  const changes = readChangesOrParts(fields['changes']);
  if (n === undefined || changes === undefined) return undefined;
  return {
    v: 1,
    n,
    atMs: readAmount(fields['atMs']) ?? 0,
    who: readText(fields['who'], WHO_LENGTH_MAX) ?? '',
    action: readText(fields['action'], WHO_LENGTH_MAX) ?? '',
    note: readText(fields['note'], VERSION_NOTE_LENGTH_MAX) ?? '',
    count: readCount(fields['count']) ?? 0,
    changes,
  };
}

/** Reads a list of changes; undefined for what is none. */
export function readChanges(value: unknown): readonly SettingsChange[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const changes = value.map((change: UnknownFields | null) => {
    const key = readText(change?.['key'], WHO_LENGTH_MAX);
    if (change === null || key === undefined) return undefined;
    return { key, before: (change['before'] ?? null) as Json, after: (change['after'] ?? null) as Json };
  });
  return changes.every((change) => change !== undefined) ? changes : undefined;
}

function readChangesOrParts(value: unknown): VersionRecord['changes'] | undefined {
  if (Array.isArray(value)) return readChanges(value);
  const fields = (typeof value === 'object' ? value : undefined) as UnknownFields | undefined;
  const id = readText(fields?.['id'], 64);
  const count = readCount(fields?.['count']);
  return id === undefined || count === undefined ? undefined : { id, count };
}

export const encodeDone = (n: number): Uint8Array => encodeVersioned({ v: 1, n });
/** 0: nothing was changed yet. */
export const decodeDone = (bytes: Uint8Array | undefined): number =>
  (bytes === undefined ? undefined : readCount(decodeVersioned(bytes)?.['n'])) ?? 0;

import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { ApiError } from '../../api/mod.ts';
import {
  DONE_KEY,
  decodeDone,
  decodeVersion,
  encodeDone,
  encodeVersion,
  partKey,
  readChanges,
  type SettingsChange,
  VERSION_NOTE_LENGTH_MAX,
  VERSIONS_KEPT,
  VERSIONS_PREFIX,
  type VersionParts,
  type VersionRecord,
  versionKey,
} from '../../settings/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';

/** Whose change it is. */
export interface ChangeAuthor {
  readonly who: string;
  /** The id of the operation. */
  readonly action: string;
  readonly note: string;
}

export interface SettingsJournalOptions {
  readonly store: StoreCalls;
  /** Makes one change, unless `isOver` says that others have made it by now; to be asked between reading what is there and writing. */
  readonly make: (change: SettingsChange, atMs: number, isOver: () => Promise<boolean>) => Promise<void>;
  readonly wall: () => number;
}

export interface CommitOptions {
  /** What is to change, as things stand when it is called. */
  readonly plan: () => Promise<readonly SettingsChange[]>;
  /** The version that the caller knows; another one by now is refused with `config.changed`. */
  readonly base?: number | undefined;
}

const TRIES_MAX = 20;
const AT_A_TIME = 16;
/** More, as JSON, is written into parts. */
const INLINE_BYTES_MAX = 64 * 1024;
const PART_LENGTH_MAX = 200 * 1024;
const CHANGES_BYTES_MAX = 256 * 1024 * 1024;
const ID_BYTES = 8;

const compress = promisify(gzip);
const expand = promisify(gunzip);

/**
 * The settings' log: a change is written down as the next version before it is made, and nobody begins the next one before that is done. Whoever finds
 * one that is not done makes it, from the beginning: each step is a compare-and-swap that does nothing the second time. So a change whose author died is
 * finished by the next author, or by a node that looks after that.
 */
export class SettingsJournal {
  private readonly options: SettingsJournalOptions;

  constructor(options: SettingsJournalOptions) {
    this.options = options;
  }

  /** Makes changes a version of their own; without any, there is none. Returns the version that counts now, and what changed with it. */
  async commit(author: ChangeAuthor, { plan, base }: CommitOptions): Promise<{ version: number; changes: readonly SettingsChange[] }> {
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const done = await this.settle();
      if (base !== undefined && base !== done) throw changed(base, done);
      const changes = await plan();
      if (changes.length === 0) return { version: done, changes };
      const record = await this.begin(done + 1, author, changes);
      if (record === undefined) continue;
      await this.finish(record);
      return { version: record.n, changes };
    }
    throw new ApiError('cluster.store-unavailable', 'the settings are changed by others all the time: try again soon');
  }

  /** Finishes what somebody began and did not end; returns the version that is done then. */
  async settle(): Promise<number> {
    for (;;) {
      const done = await this.done();
      const next = await this.read(done + 1);
      if (next === undefined) return done;
      await this.finish(next);
    }
  }

  /** The version that is done. */
  async done(): Promise<number> {
    return decodeDone((await this.options.store.get(DONE_KEY))?.value);
  }

  /** The newest first. */
  async list(): Promise<readonly VersionRecord[]> {
    const entries = await this.options.store.list(VERSIONS_PREFIX);
    const records = entries.map(({ value }) => decodeVersion(value)).filter((record) => record !== undefined);
    return records.sort((left, right) => right.n - left.n);
  }

  /** Undefined: there is none, or it is kept no more. */
  async read(n: number): Promise<VersionRecord | undefined> {
    const entry = await this.options.store.get(versionKey(n));
    if (entry === undefined) return undefined;
    const record = decodeVersion(entry.value);
    // Another number than its key's would be finished again and again.
    if (record?.n !== n) throw unreadable(n);
    return record;
  }

  /** What a version changed. */
  async changesOf({ n, changes }: VersionRecord): Promise<readonly SettingsChange[]> {
    if (!('id' in changes)) return changes;
    const parts = await Promise.all(Array.from({ length: changes.count }, (_, index) => this.options.store.get(partKey(changes, index))));
    const text = parts.map((part) => (part === undefined ? '' : Buffer.from(part.value).toString('latin1'))).join('');
    try {
      const json = await expand(Buffer.from(text, 'base64'), { maxOutputLength: CHANGES_BYTES_MAX });
      const read = readChanges(JSON.parse(json.toString('utf8')));
      if (read !== undefined) return read;
    } catch (error) {
      throw new ApiError('cluster.store-unavailable', `version ${n} of the settings cannot be read: ${(error as Error).message}`);
    }
    throw unreadable(n);
  }

  /** Writes the next version down; undefined: somebody else did. */
  private async begin(n: number, author: ChangeAuthor, changes: readonly SettingsChange[]): Promise<VersionRecord | undefined> {
    const { store, wall } = this.options;
    const { who, action, note } = author;
    const written = await this.written(changes);
    const record: VersionRecord = {
      v: 1,
      n,
      atMs: Math.round(wall()),
      who,
      action,
      note: note.slice(0, VERSION_NOTE_LENGTH_MAX),
      count: changes.length,
      changes: written,
    };
    if (await store.write(versionKey(n), undefined, encodeVersion(record))) return record;
    await this.forget(written);
    return undefined;
  }

  private async written(changes: readonly SettingsChange[]): Promise<VersionRecord['changes']> {
    const json = JSON.stringify(changes);
    if (Buffer.byteLength(json) <= INLINE_BYTES_MAX) return changes;
    const text = (await compress(json)).toString('base64');
    const parts: VersionParts = { id: randomBytes(ID_BYTES).toString('hex'), count: Math.ceil(text.length / PART_LENGTH_MAX) };
    for (let index = 0; index < parts.count; index++) {
      const part = text.slice(index * PART_LENGTH_MAX, (index + 1) * PART_LENGTH_MAX);
      await this.options.store.write(partKey(parts, index), undefined, Buffer.from(part, 'latin1'));
    }
    return parts;
  }

  private async finish(record: VersionRecord): Promise<void> {
    const { store, make } = this.options;
    const { n, atMs } = record;
    const isOver = async (): Promise<boolean> => (await this.done()) >= n;
    const changes = await this.changesOf(record);
    for (let first = 0; first < changes.length; first += AT_A_TIME) {
      await Promise.all(changes.slice(first, first + AT_A_TIME).map((change) => make(change, atMs, isOver)));
    }
    await store.change(DONE_KEY, (value) => (value !== undefined && decodeDone(value) >= n ? value : encodeDone(n)));
    // The change is made, whatever becomes of an old version.
    await this.prune(n - VERSIONS_KEPT).catch(() => undefined);
  }

  private async prune(n: number): Promise<void> {
    if (n <= 0) return;
    const { store } = this.options;
    const entry = await store.get(versionKey(n));
    const old = entry === undefined ? undefined : decodeVersion(entry.value);
    if (old !== undefined) await this.forget(old.changes);
    await store.remove(versionKey(n));
  }

  private async forget(changes: VersionRecord['changes']): Promise<void> {
    if (!('id' in changes)) return;
    for (let index = 0; index < changes.count; index++) await this.options.store.remove(partKey(changes, index));
  }
}

const changed = (base: number, done: number): ApiError =>
  new ApiError(
    'config.changed',
    `the settings are at version ${done} and no more at ${base}: somebody changed them. GET /api/v1/config has the newest; force applies all the same`,
  );
const unreadable = (n: number): ApiError =>
  new ApiError('cluster.newer-record', `version ${n} of the settings was written by newer software: update this node`);

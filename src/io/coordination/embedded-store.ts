import { STORE_VALUE_BYTES_MAX, type Store, type StoreEntry, type StoreResult, type StoreWatcher } from '../../cluster/mod.ts';
import { assert } from '../../core/mod.ts';
import { callOut } from './call-out.ts';
import { badKey, isKey, isPrefix } from './keys.ts';
import { SqliteFile } from './sqlite-file.ts';

const POLL_MS = 12;
const FILE_BYTES_MAX = 256 * 1024 * 1024;
/** Changes that are kept for those who look later; who comes later still reads everything anew. */
const CHANGES_KEPT = 10_000;
const PRUNE_EVERY = 256;
const CHANGES_A_READ = 1000;

// Revisions are those of the change log: AUTOINCREMENT never gives one twice, also when the log's end was pruned.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS changes (revision INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, is_deletion INTEGER NOT NULL);
`;
const IN_RANGE = 'key >= ? AND key < ?';

export interface EmbeddedStoreOptions {
  readonly file: string;
  /** Default 256 MiB: writes to a file that has become so large fail as unavailable. */
  readonly bytesMax?: number;
  /** Told on each change, and when the reason changes for which the file does not work. */
  readonly onReachable?: (isReachable: boolean, detail: string) => void;
}

interface Watch {
  readonly prefix: string;
  readonly watcher: StoreWatcher;
  /** Changes up to here have been told, also by what was there at the beginning; undefined: everything is to be told anew. */
  revision: number | undefined;
  isLost: boolean;
  isOver: boolean;
}

/** The store of one machine, in one SQLite file (WAL, mode 0600) that any number of its processes share. */
export class EmbeddedStore implements Store {
  private readonly file: SqliteFile;
  private readonly watches = new Set<Watch>();
  private writes = 0;
  private isReachable = true;

  constructor({ file, bytesMax = FILE_BYTES_MAX, onReachable }: EmbeddedStoreOptions) {
    this.file = new SqliteFile(
      { file, schema: SCHEMA, synchronous: 'normal', bytesMax, pollMs: POLL_MS },
      {
        changed: () => this.tellAll(),
        reachable: (isReachable, detail) => {
          this.isReachable = isReachable;
          if (!isReachable) this.tellLost();
          onReachable?.(isReachable, detail);
        },
      },
    );
  }

  get(key: string, done: (result: StoreResult<StoreEntry | undefined>) => void): void {
    if (!isKey(key)) {
      refuse(badKey(key), done);
      return;
    }
    this.file.read(() => entryOf(this.file.get('SELECT key, value, revision FROM entries WHERE key = ?', key)), told(done));
  }

  list(prefix: string, done: (result: StoreResult<readonly StoreEntry[]>) => void): void {
    if (!isPrefix(prefix)) {
      refuse(badKey(prefix), done);
      return;
    }
    this.file.read(() => this.entries(prefix), told(done));
  }

  create(key: string, value: Uint8Array, done: (result: StoreResult<number>) => void): void {
    this.put(key, value, undefined, done);
  }

  update(key: string, value: Uint8Array, revision: number, done: (result: StoreResult<number>) => void): void {
    this.put(key, value, revision, done);
  }

  delete(key: string, revision: number, done: (result: StoreResult<undefined>) => void): void {
    if (!isKey(key)) {
      refuse(badKey(key), done);
      return;
    }
    const work = (): Outcome<undefined> => {
      const was = this.revisionOf(key);
      if (was !== revision) return conflict(key, was);
      this.file.run('DELETE FROM entries WHERE key = ?', key);
      this.log(key, true);
      return { ok: true, value: undefined };
    };
    this.file.write(work, settled(done));
  }

  watch(prefix: string, watcher: StoreWatcher): () => void {
    assert(isPrefix(prefix), `bad prefix ${JSON.stringify(prefix)}`);
    const watch: Watch = { prefix, watcher, revision: undefined, isLost: false, isOver: false };
    this.watches.add(watch);
    this.file.follow();
    this.file.lookAnew();
    if (!this.isReachable) setImmediate(() => lose(watch));
    return () => {
      if (watch.isOver) return;
      watch.isOver = true;
      this.watches.delete(watch);
      this.file.unfollow();
    };
  }

  /** Ends all watches; calls that wait fail as unavailable. */
  close(): void {
    for (const watch of this.watches) watch.isOver = true;
    this.watches.clear();
    this.file.close();
  }

  private put(key: string, value: Uint8Array, revision: number | undefined, done: (result: StoreResult<number>) => void): void {
    if (!isKey(key)) {
      refuse(badKey(key), done);
      return;
    }
    if (value.length > STORE_VALUE_BYTES_MAX) {
      refuse(`the value of ${key} has ${value.length} bytes; ${STORE_VALUE_BYTES_MAX} is the most`, done);
      return;
    }
    const work = (): Outcome<number> => {
      const was = this.revisionOf(key);
      if (was !== revision) return conflict(key, was);
      const made = this.log(key, false);
      this.file.run('INSERT OR REPLACE INTO entries (key, value, revision) VALUES (?, ?, ?)', key, value, made);
      return { ok: true, value: made };
    };
    this.file.write(work, settled(done));
  }

  private revisionOf(key: string): number | undefined {
    const row = this.file.get('SELECT revision FROM entries WHERE key = ?', key);
    return row === undefined ? undefined : Number(row['revision']);
  }

  private log(key: string, isDeletion: boolean): number {
    const revision = this.file.run('INSERT INTO changes (key, is_deletion) VALUES (?, ?)', key, isDeletion ? 1 : 0);
    this.writes += 1;
    if (this.writes % PRUNE_EVERY === 0) this.file.run('DELETE FROM changes WHERE revision <= ?', revision - CHANGES_KEPT);
    return revision;
  }

  private entries(prefix: string): StoreEntry[] {
    const rows = this.file.all(`SELECT key, value, revision FROM entries WHERE ${IN_RANGE}`, ...range(prefix));
    return rows.map((row) => entryOf(row)!);
  }

  private tellAll(): void {
    const told = [...this.watches].flatMap(({ revision }) => (revision === undefined ? [] : [revision]));
    const from = Math.min(...told);
    if (told.length > 0) this.tellChanges(from);
    for (const watch of [...this.watches]) if (watch.revision === undefined) this.tellEverything(watch);
  }

  private tellChanges(from: number): void {
    const first = Number(this.file.get('SELECT min(revision) AS first FROM changes')?.['first'] ?? 0);
    if (first > from + 1) {
      // The log does not reach back so far.
      for (const watch of this.watches) if (watch.revision !== undefined && first > watch.revision + 1) lose(watch);
    }
    let after = from;
    let rows: Record<string, unknown>[];
    do {
      rows = this.file.all(
        `SELECT c.revision AS at, c.is_deletion, c.key, e.value, e.revision FROM changes c LEFT JOIN entries e ON e.key = c.key
         WHERE c.revision > ? ORDER BY c.revision LIMIT ${CHANGES_A_READ}`,
        after,
      );
      for (const row of rows) {
        after = Number(row['at']);
        for (const watch of [...this.watches]) tellChange(watch, row, after);
      }
    } while (rows.length === CHANGES_A_READ);
  }

  private tellEverything(watch: Watch): void {
    const { entries, revision } = this.file.readNow(() => ({
      entries: this.entries(watch.prefix),
      revision: Number(this.file.get('SELECT max(revision) AS last FROM changes')?.['last'] ?? 0),
    }));
    watch.revision = revision;
    watch.isLost = false;
    for (const entry of entries) tell(watch, () => watch.watcher.changed(entry));
    tell(watch, () => watch.watcher.current());
  }

  private tellLost(): void {
    for (const watch of [...this.watches]) lose(watch);
  }
}

type Outcome<Value> = StoreResult<Value>;

function lose(watch: Watch): void {
  watch.revision = undefined;
  if (watch.isLost) return;
  watch.isLost = true;
  tell(watch, () => watch.watcher.lost());
}

function tell(watch: Watch, call: () => void): void {
  if (!watch.isOver) callOut(call);
}

function tellChange(watch: Watch, row: Record<string, unknown>, at: number): void {
  if (watch.isOver || watch.revision === undefined || at <= watch.revision) return;
  watch.revision = at;
  const key = row['key'] as string;
  if (!key.startsWith(watch.prefix)) return;
  if (row['is_deletion'] === 1) tell(watch, () => watch.watcher.deleted(key, at));
  // What was written over or deleted since is told by its own line of the log.
  else if (row['revision'] === at) tell(watch, () => watch.watcher.changed(entryOf(row)!));
}

function entryOf(row: Record<string, unknown> | undefined): StoreEntry | undefined {
  if (row === undefined) return undefined;
  return { key: row['key'] as string, value: row['value'] as Uint8Array, revision: Number(row['revision']) };
}

/** The keys from `prefix` up to the first that begins otherwise: `0` comes after `/`. */
const range = (prefix: string): [string, string] => (prefix === '' ? ['', '\u{7f}'] : [prefix, `${prefix.slice(0, -1)}0`]);

const refuse = (detail: string, done: (result: StoreResult<never>) => void): void => {
  setImmediate(() => done({ ok: false, failure: 'refused', detail }));
};

const conflict = (key: string, revision: number | undefined): StoreResult<never> => ({
  ok: false,
  failure: 'conflict',
  detail: revision === undefined ? `there is no ${key}` : `${key} has revision ${revision}`,
});

type FileResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: 'busy' | 'unavailable' | 'refused'; readonly detail: string };

const failed = ({ failure, detail }: { failure: 'busy' | 'unavailable' | 'refused'; detail: string }): StoreResult<never> => ({
  ok: false,
  failure: failure === 'busy' ? 'unavailable' : failure,
  detail,
});

function told<Value>(done: (result: StoreResult<Value>) => void): (result: FileResult<Value>) => void {
  return (result) => done(result.ok ? result : failed(result));
}

function settled<Value>(done: (result: StoreResult<Value>) => void): (result: FileResult<Outcome<Value>>) => void {
  return (result) => done(result.ok ? result.value : failed(result));
}

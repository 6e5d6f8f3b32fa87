import type { Delivery } from '../../access/mod.ts';
import { SqliteFile } from '../coordination/sqlite-file.ts';

export interface OutboxOptions {
  readonly file: string;
  readonly onReachable: (isReachable: boolean, detail: string) => void;
}

const SCHEMA = `CREATE TABLE IF NOT EXISTS deliveries (
  place INTEGER PRIMARY KEY AUTOINCREMENT, hook TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, lane TEXT NOT NULL, body TEXT NOT NULL,
  created INTEGER NOT NULL, deadline INTEGER NOT NULL, attempts INTEGER NOT NULL, UNIQUE (hook, id))`;
const BYTES_MAX = 256 * 1024 * 1024;
const POLL_MS = 1_000;

/** What is on its way from this node to hooks, in a file: a process that ends takes nothing of it along. Writes are done in their order, some time soon. */
export class Outbox {
  private readonly file: SqliteFile;

  constructor({ file, onReachable }: OutboxOptions) {
    const options = { file, schema: SCHEMA, synchronous: 'normal', bytesMax: BYTES_MAX, pollMs: POLL_MS } as const;
    this.file = new SqliteFile(options, { changed: () => undefined, reachable: onReachable });
  }

  /** All, in their order; nothing when the file cannot be read. */
  load(): Promise<readonly Delivery[]> {
    return new Promise((resolve) => {
      const rows = (): Delivery[] => this.file.all('SELECT * FROM deliveries ORDER BY place').map(readRow);
      this.file.read(rows, (result) => resolve(result.ok ? result.value : []));
    });
  }

  add({ hook, id, type, lane, body, createdAtMs, deadlineMs, attempts }: Delivery): void {
    this.write(
      'INSERT OR IGNORE INTO deliveries (hook, id, type, lane, body, created, deadline, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ...[hook, id, type, lane, body, Math.round(createdAtMs), Math.round(deadlineMs), attempts],
    );
  }

  attempted({ hook, id, attempts }: Delivery): void {
    this.write('UPDATE deliveries SET attempts = ? WHERE hook = ? AND id = ?', attempts, hook, id);
  }

  remove({ hook, id }: Delivery): void {
    this.write('DELETE FROM deliveries WHERE hook = ? AND id = ?', hook, id);
  }

  forget(hook: string): void {
    this.write('DELETE FROM deliveries WHERE hook = ?', hook);
  }

  /** Settles when everything so far was written, or cannot be. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.file.write(
        () => undefined,
        () => resolve(),
      );
    });
  }

  close(): void {
    this.file.close();
  }

  // A file that cannot be written is told of by `onReachable`; what waits is in memory, too.
  private write(sql: string, ...values: (string | number)[]): void {
    this.file.write(
      () => this.file.run(sql, ...values),
      () => undefined,
    );
  }
}

const readRow = (row: Readonly<Record<string, unknown>>): Delivery => ({
  hook: String(row['hook']),
  id: String(row['id']),
  type: String(row['type']),
  lane: String(row['lane']),
  body: String(row['body']),
  createdAtMs: Number(row['created']),
  deadlineMs: Number(row['deadline']),
  attempts: Number(row['attempts']),
});

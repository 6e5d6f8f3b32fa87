import type { StoreFailure } from '../../cluster/mod.ts';

// SQLite's primary result codes (https://sqlite.org/rescode.html); the extended codes have more bits above these eight.
const PERM = 3;
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const PROTOCOL = 15;
const TOOBIG = 18;
const AUTH = 23;
const NOTADB = 26;

export interface SqliteFailure {
  /** `busy`: try again soon; `unavailable`: open the file again before the next attempt. */
  readonly failure: 'busy' | Exclude<StoreFailure, 'conflict'>;
  readonly detail: string;
}

/** What an error of SQLite (or of the file system) means for a call, in words that tell what to do. */
export function sqliteFailure(error: unknown, file: string): SqliteFailure {
  const text = error instanceof Error ? error.message : String(error);
  const code = ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff;
  switch (code) {
    case BUSY:
    case LOCKED:
    // Too many tries to begin to read while others begin to write.
    case PROTOCOL:
      return { failure: 'busy', detail: `${file} is locked by another process (${text})` };
    case FULL:
      return { failure: 'unavailable', detail: `no space left for ${file} (${text}); free some on its disk` };
    case CORRUPT:
    case NOTADB:
      return {
        failure: 'unavailable',
        detail: `${file} is damaged (${text}); stop all nodes of this machine, move it away and start them again`,
      };
    case PERM:
    case READONLY:
    case AUTH:
      return { failure: 'refused', detail: `${file} cannot be written (${text}); check its owner and mode` };
    case TOOBIG:
      return { failure: 'refused', detail: `the value is too large for ${file} (${text})` };
    default:
      return { failure: 'unavailable', detail: `${file} cannot be used (${text})` };
  }
}

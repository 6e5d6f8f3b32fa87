import { ApiError } from '../../api/mod.ts';
import type { Store, StoreEntry, StoreResult } from '../../cluster/mod.ts';
import { isNewer } from '../../core/mod.ts';

const TRIES_MAX = 20;

/**
 * The store's calls as promises, which reject with `ApiError`: `cluster.store-unavailable` when the store cannot be reached, `cluster.newer-record` when
 * newer software has written what is to be changed, which would lose what this one does not know.
 */
export class StoreCalls {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  get(key: string): Promise<StoreEntry | undefined> {
    return this.call((done) => this.store.get(key, done));
  }

  list(prefix: string): Promise<readonly StoreEntry[]> {
    return this.call((done) => this.store.list(prefix, done));
  }

  /**
   * Reads a key, and writes what `change` makes of it (undefined: deletes it), again from the beginning when somebody else was faster. `change` may throw;
   * it returns the value it was given to leave the key alone. It is never given what it may not write over.
   */
  async change(key: string, change: (value: Uint8Array | undefined) => Uint8Array | undefined): Promise<void> {
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const entry = await this.get(key);
      assertKnown(key, entry);
      const next = change(entry?.value);
      if (next === entry?.value || (await this.write(key, entry, next))) return;
    }
    throw busy(key);
  }

  /** Writes a key, or deletes it (undefined), that is as `entry` says (undefined: there is none). False: it is not, so nothing was written. */
  async write(key: string, entry: StoreEntry | undefined, next: Uint8Array | undefined): Promise<boolean> {
    assertKnown(key, entry);
    return this.put(key, entry, next);
  }

  /** Deletes a key, whichever software has written it; false: there was none. */
  async remove(key: string): Promise<boolean> {
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const entry = await this.get(key);
      if (entry === undefined) return false;
      if (await this.put(key, entry, undefined)) return true;
    }
    throw busy(key);
  }

  private async put(key: string, entry: StoreEntry | undefined, next: Uint8Array | undefined): Promise<boolean> {
    const result = await new Promise<StoreResult<unknown>>((resolve) => {
      if (next === undefined) this.store.delete(key, entry?.revision ?? 0, resolve);
      else if (entry === undefined) this.store.create(key, next, resolve);
      else this.store.update(key, next, entry.revision, resolve);
    });
    if (!result.ok && result.failure !== 'conflict') throw unavailable(result.detail);
    return result.ok;
  }

  private call<Value>(start: (done: (result: StoreResult<Value>) => void) => void): Promise<Value> {
    return new Promise((resolve, reject) => {
      start((result) => (result.ok ? resolve(result.value) : reject(unavailable(result.detail))));
    });
  }
}

/** Throws `ApiError` for what newer software has written. */
export function assertKnown(key: string, entry: StoreEntry | undefined): void {
  if (entry !== undefined && isNewer(entry.value))
    throw new ApiError('cluster.newer-record', `${key} was written by newer software, and this node leaves it as it is: update this node`);
}

const busy = (key: string): ApiError => unavailable(`${key} is written by others all the time`);
const unavailable = (detail: string): ApiError =>
  new ApiError('cluster.store-unavailable', `the cluster's store cannot do it now (${detail}): try again soon`);

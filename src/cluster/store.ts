/** A value as the store has it. */
export interface StoreEntry {
  readonly key: string;
  /** Shared: never write to it. */
  readonly value: Uint8Array;
  /** Of the write that made it. Grows with each write of the key, also over a deletion; not necessarily by one. */
  readonly revision: number;
}

/**
 * Why a call failed: `conflict`: the key is not as the caller said, so nothing was written; `unavailable`: the engine cannot be reached, or does not
 * answer in time: a write may or may not have happened; `refused`: the engine does not take it (a key or value that is too long, no permission).
 */
export type StoreFailure = 'conflict' | 'unavailable' | 'refused';

export type StoreResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: StoreFailure; readonly detail: string };

/**
 * Told about all keys under a prefix: of what was written shortly before something newer, maybe only the newer. No call comes synchronously from `watch`,
 * and none after the watch was ended.
 */
export interface StoreWatcher {
  /** In the order of the revisions of each key. The same entry may be told more than once. */
  changed(entry: StoreEntry): void;
  /** `revision` is the deletion's own: it says what came after what, and is not one to give to `update` or `delete`. May be told of keys that were not known. */
  deleted(key: string, revision: number): void;
  /**
   * All that is there has been told: once after the beginning, and again after each `lost`. What was known before and was told neither as changed
   * nor as deleted since the `lost` is gone.
   */
  current(): void;
  /** The engine is out of reach, perhaps from the beginning: what is known stays true as far as anybody knows. Told once until the next `current`. */
  lost(): void;
}

/** Keys are up to 8 parts of the characters of stream names (see {@link isName}), joined by `/`. */
export const STORE_KEY_LENGTH_MAX = 256;
export const STORE_VALUE_BYTES_MAX: number = 256 * 1024;

/**
 * A small, strongly consistent directory: what one caller wrote, every caller reads. Calls never throw for what the engine does; each `done` is called
 * exactly once, later, in the process's own event loop. A call that got no answer within five seconds fails as `unavailable`; calls may overtake each other.
 */
export interface Store {
  get(key: string, done: (result: StoreResult<StoreEntry | undefined>) => void): void;
  /** All entries whose key begins with `prefix`, which ends in `/`; an empty prefix is everything. */
  list(prefix: string, done: (result: StoreResult<readonly StoreEntry[]>) => void): void;
  /** Only if there is no such key: `conflict` otherwise. Tells the revision. */
  create(key: string, value: Uint8Array, done: (result: StoreResult<number>) => void): void;
  /** Only if the key has exactly `revision`: `conflict` otherwise. Tells the new one. */
  update(key: string, value: Uint8Array, revision: number, done: (result: StoreResult<number>) => void): void;
  /** Only if the key has exactly `revision`: `conflict` otherwise, also when there is no such key. */
  delete(key: string, revision: number, done: (result: StoreResult<undefined>) => void): void;
  /** Returns a function that ends the watch; it may be called more than once. A prefix that is none is a bug and throws. */
  watch(prefix: string, watcher: StoreWatcher): () => void;
}

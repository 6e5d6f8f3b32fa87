import type pino from 'pino';
import { CLUSTER_IDENTITY_KEY, isPutBackByItsNode, type Store, type StoreResult } from '../../cluster/mod.ts';

const WRITES_AT_ONCE = 32;
const RETRY_MS = 1_000;

/**
 * A manager's copy of all that is in the store alone: apps, keys, settings, revocations and the like. Into a store that has lost everything, which is one that
 * does not know any more whose it is, it puts that back; the cluster's identity last, so that its being there says that the store is whole.
 */
export class StoreKeeper {
  private readonly store: Store;
  private readonly log: pino.Logger;
  private readonly kept = new Map<string, Uint8Array>();
  /** Keys told since the store was away; undefined: it was not. */
  private told: Set<string> | undefined = new Set();
  private readonly endWatch: () => void;
  private retry: NodeJS.Timeout | undefined;
  /** Grows with each outage: what was begun before is for a store that may be another one by now. */
  private round = 0;

  constructor(store: Store, log: pino.Logger) {
    this.store = store;
    this.log = log;
    this.endWatch = store.watch('', {
      changed: ({ key, value }) => {
        if (isPutBackByItsNode(key)) return;
        this.kept.set(key, value);
        this.told?.add(key);
      },
      deleted: (key) => {
        this.kept.delete(key);
        this.told?.delete(key);
      },
      current: () => this.current(),
      lost: () => {
        this.told = new Set();
        this.leaveOff();
      },
    });
  }

  close(): void {
    this.leaveOff();
    this.endWatch();
  }

  private leaveOff(): void {
    this.round += 1;
    clearTimeout(this.retry);
  }

  private current(): void {
    const { kept, told } = this;
    this.told = undefined;
    if (told === undefined) return;
    const missing = [...kept.keys()].filter((key) => !told.has(key));
    if (missing.includes(CLUSTER_IDENTITY_KEY)) void this.putBack(missing);
    // They were deleted meanwhile.
    else for (const key of missing) kept.delete(key);
  }

  private async putBack(missing: readonly string[]): Promise<void> {
    const { log, round } = this;
    const rest = missing.filter((key) => key !== CLUSTER_IDENTITY_KEY);
    const write = async (): Promise<boolean> => {
      for (let key = rest.pop(); key !== undefined; key = rest.pop()) if (!(await this.create(key))) return false;
      return true;
    };
    const count = rest.length;
    const done = await Promise.all(Array.from({ length: WRITES_AT_ONCE }, write));
    if (round !== this.round) return;
    const isDone = !done.includes(false) && (await this.create(CLUSTER_IDENTITY_KEY));
    if (round !== this.round) return;
    if (!isDone) {
      // What is there by now is left alone.
      this.retry = setTimeout(() => void this.putBack(missing), RETRY_MS);
      return;
    }
    log.warn(
      { code: 'cluster.store-put-back', keys: count },
      'the store had lost everything: apps, keys and settings were put back as they were known here',
    );
  }

  /** True if it is there now, whoever put it there. */
  private async create(key: string): Promise<boolean> {
    const value = this.kept.get(key);
    // Deleted since.
    if (value === undefined) return true;
    const result = await new Promise<StoreResult<number>>((resolve) => this.store.create(key, value, resolve));
    return result.ok || result.failure === 'conflict' || result.failure === 'refused';
  }
}

import type { Store, StoreEntry, StoreFailure, StoreResult, StoreWatcher } from '../../cluster/mod.ts';
import { type HistogramValue, LatencyHistogram } from '../latency-histogram.ts';

const OPERATIONS = ['get', 'list', 'create', 'update', 'delete'] as const;
const FAILURES: readonly StoreFailure[] = ['conflict', 'unavailable', 'refused'];
/** Writes of this process whose own echo is waited for; of more than these the oldest are not measured. */
const ECHOES_MAX = 256;

type StoreOperation = (typeof OPERATIONS)[number];

/** How a store does, as this process sees it. */
export interface StoreHealth {
  /** Of each operation, from the call to its answer. */
  readonly calls: ReadonlyMap<string, HistogramValue>;
  /** Calls that failed, by {@link StoreFailure}. */
  readonly failedByCode: ReadonlyMap<string, number>;
  readonly watches: number;
  /** Watches that are not current. */
  readonly watchesLost: number;
  /** From the answer to a write of this process to when a watch told it of it. */
  readonly watchLag: HistogramValue;
}

/** A store that is measured: calls pass through as they are. */
export class MeteredStore implements Store {
  private readonly store: Store;
  private readonly now: () => number;
  private readonly calls: ReadonlyMap<StoreOperation, LatencyHistogram>;
  private readonly failed = new Map<string, number>(FAILURES.map((failure) => [failure, 0]));
  private readonly lag = new LatencyHistogram();
  private readonly watches = new Set<{ isCurrent: boolean }>();
  /** When a write of a key was answered, and with which revision. */
  private readonly written = new Map<string, { readonly revision: number; readonly atMs: number }>();

  /** `now` is monotonic, in milliseconds. */
  constructor(store: Store, now: () => number) {
    this.store = store;
    this.now = now;
    this.calls = new Map(OPERATIONS.map((operation) => [operation, new LatencyHistogram()]));
  }

  health(): StoreHealth {
    let watchesLost = 0;
    for (const { isCurrent } of this.watches) if (!isCurrent) watchesLost++;
    return {
      calls: new Map([...this.calls].map(([operation, histogram]) => [operation, histogram.value()])),
      failedByCode: this.failed,
      watches: this.watches.size,
      watchesLost,
      watchLag: this.lag.value(),
    };
  }

  get(key: string, done: (result: StoreResult<StoreEntry | undefined>) => void): void {
    this.store.get(key, this.measured('get', done));
  }

  list(prefix: string, done: (result: StoreResult<readonly StoreEntry[]>) => void): void {
    this.store.list(prefix, this.measured('list', done));
  }

  create(key: string, value: Uint8Array, done: (result: StoreResult<number>) => void): void {
    this.store.create(key, value, this.measured('create', this.noted(key, done)));
  }

  update(key: string, value: Uint8Array, revision: number, done: (result: StoreResult<number>) => void): void {
    this.store.update(key, value, revision, this.measured('update', this.noted(key, done)));
  }

  delete(key: string, revision: number, done: (result: StoreResult<undefined>) => void): void {
    this.store.delete(key, revision, this.measured('delete', done));
  }

  watch(prefix: string, watcher: StoreWatcher): () => void {
    const state = { isCurrent: false };
    this.watches.add(state);
    const end = this.store.watch(prefix, {
      changed: (entry) => {
        this.echo(entry);
        watcher.changed(entry);
      },
      deleted: (key, revision) => watcher.deleted(key, revision),
      current: () => {
        state.isCurrent = true;
        watcher.current();
      },
      lost: () => {
        state.isCurrent = false;
        watcher.lost();
      },
    });
    return () => {
      this.watches.delete(state);
      end();
    };
  }

  private measured<Value>(operation: StoreOperation, done: (result: StoreResult<Value>) => void): (result: StoreResult<Value>) => void {
    const beganMs = this.now();
    return (result) => {
      this.calls.get(operation)?.add(this.now() - beganMs);
      if (!result.ok) this.failed.set(result.failure, (this.failed.get(result.failure) ?? 0) + 1);
      done(result);
    };
  }

  private noted(key: string, done: (result: StoreResult<number>) => void): (result: StoreResult<number>) => void {
    return (result) => {
      if (result.ok && this.watches.size > 0) {
        this.written.delete(key);
        this.written.set(key, { revision: result.value, atMs: this.now() });
        for (const oldest of this.written.keys()) {
          if (this.written.size <= ECHOES_MAX) break;
          this.written.delete(oldest);
        }
      }
      done(result);
    };
  }

  /** A watch may be quicker than the answer; then there is nothing to measure. */
  private echo({ key, revision }: StoreEntry): void {
    const write = this.written.get(key);
    if (write === undefined || revision < write.revision) return;
    this.written.delete(key);
    this.lag.add(this.now() - write.atMs);
  }
}

import { type DurationMs, durationMs } from '../core/mod.ts';
import type { Store } from './store.ts';
import { decodeVersioned, encodeVersioned, readAmount } from './versioned-json.ts';

/** Without a sign of life for so long, a node is stale, unless the cluster says otherwise. */
export const STALE_MS: DurationMs = durationMs(6000);
/** Three heartbeats; less would be one that was late. */
const STALE_MS_MIN = 3000;
export const STALE_MS_MAX = 60_000;

const TERMS_PREFIX = 'cluster/terms/';
const STALE_KEY = `${TERMS_PREFIX}stale`;

/**
 * What all nodes of a cluster have to take alike: one node, the founding one, writes it to the store, all follow. Two nodes that hold to different periods for a
 * moment do no harm: each judges for itself, and the store decides who has what.
 */
export class ClusterTerms {
  private current = STALE_MS;
  private readonly end: () => void;

  constructor(store: Store) {
    this.end = store.watch(TERMS_PREFIX, {
      changed: ({ key, value }) => {
        if (key === STALE_KEY) this.current = decodeStale(value) ?? this.current;
      },
      deleted: () => undefined,
      current: () => undefined,
      lost: () => undefined,
    });
  }

  /** As last known; the default before the store was read. */
  get staleMs(): DurationMs {
    return this.current;
  }

  close(): void {
    this.end();
  }
}

/** Writes how long a node may be silent. `done` is told whether the store has it now. */
export function writeStaleMs(store: Store, staleMs: number, done: (isWritten: boolean) => void): void {
  store.get(STALE_KEY, (result) => {
    if (!result.ok) return done(false);
    const entry = result.value;
    if (entry !== undefined && decodeStale(entry.value) === staleMs) return done(true);
    const value = encodeVersioned({ v: 1, ms: staleMs });
    if (entry === undefined) store.create(STALE_KEY, value, ({ ok }) => done(ok));
    else store.update(STALE_KEY, value, entry.revision, ({ ok }) => done(ok));
  });
}

/** Reads borrowed bytes; undefined for what is no period. One out of bounds is the nearest within. */
function decodeStale(bytes: Uint8Array): DurationMs | undefined {
  const ms = readAmount(decodeVersioned(bytes)?.['ms']);
  return ms === undefined ? undefined : durationMs(Math.min(STALE_MS_MAX, Math.max(STALE_MS_MIN, ms)));
}

import { API_KEYS_PREFIX, APPS_PREFIX, REVOKED_TOKENS_PREFIX, STREAM_KEYS_PREFIX, WEBHOOKS_PREFIX } from '../access/mod.ts';
import type { ServerEvent } from '../api/mod.ts';
import { decodeVersioned, ForwardingStore, type Store, type StoreEntry, type StoreWatcher } from '../cluster/mod.ts';
import { LADDERS_PREFIX, ROUTING_SETTINGS, TRANSCODING_SETTINGS, VERSIONS_PREFIX } from '../settings/mod.ts';

interface Kind {
  /** A prefix of keys when it ends in `/`, otherwise one key. */
  readonly key: string;
  readonly type: ServerEvent['type'];
  /** What the rest of the key is called in the event; absent: it is not told. */
  readonly name?: 'app' | 'id';
}

/** What records are told of when they change. Only names and ids go into events, never what else stands in a record. */
const KINDS: readonly Kind[] = [
  { key: APPS_PREFIX, type: 'app.changed', name: 'app' },
  { key: LADDERS_PREFIX, type: 'ladder.changed', name: 'app' },
  { key: STREAM_KEYS_PREFIX, type: 'stream-key.changed', name: 'id' },
  { key: REVOKED_TOKENS_PREFIX, type: 'revoked-token.changed' },
  { key: WEBHOOKS_PREFIX, type: 'webhook.changed', name: 'id' },
  { key: API_KEYS_PREFIX, type: 'api-key.changed', name: 'id' },
  { key: ROUTING_SETTINGS, type: 'routing.changed' },
  { key: TRANSCODING_SETTINGS, type: 'weights.changed' },
  { key: VERSIONS_PREFIX, type: 'config.changed' },
];

const isOf = ({ key: own }: Kind, key: string): boolean => (own.endsWith('/') ? key.startsWith(own) : key === own);

/** The kinds of records that a watch of this prefix tells of. */
const kindsUnder = (prefix: string): readonly Kind[] => KINDS.filter((kind) => isOf(kind, prefix) || kind.key.startsWith(prefix));

/**
 * The store, telling of changes of what the API shows: after the watcher, so that whoever asks when told is answered by what is new. What is read at the
 * beginning is no change. After the store was out of reach, each kind is told once without a name: something may have changed.
 */
export class TellingStore extends ForwardingStore {
  private readonly told: (event: ServerEvent) => void;

  constructor(store: Store, told: (event: ServerEvent) => void) {
    super(store);
    this.told = told;
  }

  override watch(prefix: string, watcher: StoreWatcher): () => void {
    const kinds = kindsUnder(prefix);
    if (kinds.length === 0) return this.store.watch(prefix, watcher);
    let isCurrent = false;
    let wasCurrent = false;
    return this.store.watch(prefix, {
      changed: (entry) => {
        watcher.changed(entry);
        if (isCurrent) this.tell(entry.key, entry);
      },
      deleted: (key, revision) => {
        watcher.deleted(key, revision);
        if (isCurrent) this.tell(key, undefined);
      },
      current: () => {
        watcher.current();
        if (wasCurrent && !isCurrent) for (const { type } of kinds) this.told({ type, data: {} });
        isCurrent = true;
        wasCurrent = true;
      },
      lost: () => {
        watcher.lost();
        isCurrent = false;
      },
    });
  }

  private tell(key: string, entry: StoreEntry | undefined): void {
    const kind = KINDS.find((known) => isOf(known, key));
    if (kind === undefined) return;
    const app = entry === undefined ? undefined : decodeVersioned(entry.value)?.['app'];
    this.told({
      type: kind.type,
      data: {
        ...(kind.name === undefined ? {} : { [kind.name]: key.slice(kind.key.length) }),
        ...(typeof app === 'string' ? { app } : {}),
        ...(entry === undefined ? { state: 'gone' } : {}),
      },
    });
  }
}

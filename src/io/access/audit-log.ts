import { randomBytes } from 'node:crypto';
import type pino from 'pino';
import type { AuditEntryResource, AuditTrail, NotedChange } from '../../api/mod.ts';
import { decodeVersioned, encodeVersioned, STORE_VALUE_BYTES_MAX } from '../../cluster/mod.ts';
import type { StoreCalls } from '../cluster/mod.ts';
import { isoTime } from './hashed-key.ts';

export interface AuditLogOptions {
  readonly store: StoreCalls;
  readonly wall: () => number;
  readonly log: pino.Logger;
  /** Told of each entry when it can be read. */
  readonly written?: (id: string, action: string) => void;
}

const PREFIX = 'audit/';
const ENTRIES_MAX = 2000;
const PRUNE_EVERY = 64;
/** Ids grow backwards in time, so that the newest comes first: until the year 5138. */
const TIME_MAX = 99_999_999_999_999;
const RANDOM_BYTES = 6;

/** The log of changes, in the store: one value a change, the newest 2,000 kept. Each change is logged to standard output, too. */
export class AuditLog implements AuditTrail {
  private readonly options: AuditLogOptions;
  private written = 0;

  constructor(options: AuditLogOptions) {
    this.options = options;
  }

  async list(): Promise<readonly AuditEntryResource[]> {
    const entries = (await this.options.store.list(PREFIX)).map(({ value }) => readEntry(value)).filter((entry) => entry !== undefined);
    return entries.sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  /** Writes a change down, in the background: it was made already. */
  readonly note = (change: NotedChange): void => {
    const { log, wall } = this.options;
    const at = Math.round(wall());
    const id = `${String(TIME_MAX - at).padStart(14, '0')}-${randomBytes(RANDOM_BYTES).toString('hex')}`;
    const { who, address, action, target } = change;
    log.info({ code: 'api.changed', who, remote: address, action, target }, 'changed by the API');
    this.write({ ...change, id, at: isoTime(at) }).catch((error: unknown) => {
      log.error({ code: 'api.audit-lost', action, target, who, err: error }, 'a change was made, but the log of changes cannot be written');
    });
  };

  private async write(entry: AuditEntryResource): Promise<void> {
    const { store, written } = this.options;
    await store.change(`${PREFIX}${entry.id}`, () => encodeEntry(entry));
    written?.(entry.id, entry.action);
    if (this.written++ % PRUNE_EVERY === 0) await this.prune();
  }

  private async prune(): Promise<void> {
    const { store } = this.options;
    const keys = (await store.list(PREFIX)).map(({ key }) => key).sort();
    for (const key of keys.slice(ENTRIES_MAX)) await store.remove(key);
  }
}

function encodeEntry(entry: AuditEntryResource): Uint8Array {
  const encoded = encodeVersioned({ v: 1, ...entry });
  if (encoded.length <= STORE_VALUE_BYTES_MAX) return encoded;
  const { before: _, after: __, ...rest } = entry;
  return encodeVersioned({ v: 1, ...rest });
}

function readEntry(value: Uint8Array): AuditEntryResource | undefined {
  const fields = decodeVersioned(value);
  if (fields === undefined) return undefined;
  const { v: _, ...entry } = fields;
  const isWhole = ['id', 'at', 'who', 'address', 'action', 'target'].every((name) => typeof entry[name] === 'string');
  return isWhole ? (entry as unknown as AuditEntryResource) : undefined;
}

import type { DeliveryResource } from '../../api/mod.ts';
import { decodeVersioned, encodeVersioned } from '../../core/mod.ts';
import { atMost } from '../at-most.ts';
import type { StoreCalls } from '../cluster/mod.ts';

export interface DeliveryLogOptions {
  readonly store: StoreCalls;
  readonly nodeId: string;
  /** Nothing is written of hooks that are gone. */
  readonly isKnown: (hook: string) => boolean;
}

/** What a node says of one thing that it sent. */
export type LogEntry = Omit<DeliveryResource, 'node'>;

const ENTRIES_MAX = 100;
const WRITE_MS = 1_000;
/** A store that is away must not hold up the end of the process. */
const CLOSE_MS_MAX = 1_000;
const prefixOf = (hook: string): string => `webhook-log/${hook}/`;

/** What was sent to each hook, the newest 100: in the store one value for each hook and node, written at most once a second. */
export class DeliveryLog {
  private readonly options: DeliveryLogOptions;
  /** What was not written yet, by hook and by id. */
  private readonly unwritten = new Map<string, Map<string, DeliveryResource>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(options: DeliveryLogOptions) {
    this.options = options;
  }

  /** A further entry with the same id takes the place of the one before. */
  note(hook: string, entry: LogEntry): void {
    const entries = this.unwritten.get(hook) ?? new Map<string, DeliveryResource>();
    this.unwritten.set(hook, entries);
    entries.delete(entry.id);
    entries.set(entry.id, { ...entry, node: this.options.nodeId });
    if (entries.size > ENTRIES_MAX)
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    this.timer ??= setTimeout(() => void this.write(), WRITE_MS).unref();
  }

  /** Of all nodes, the newest first. */
  async list(hook: string): Promise<readonly DeliveryResource[]> {
    const written = (await this.options.store.list(prefixOf(hook))).flatMap(({ value }) => readEntries(value));
    return newest([...written, ...(this.unwritten.get(hook)?.values() ?? [])]);
  }

  async forget(hook: string): Promise<void> {
    const { store } = this.options;
    this.unwritten.delete(hook);
    for (const { key } of await store.list(prefixOf(hook))) await store.remove(key);
  }

  /** Writes what is left, as far as the store takes it soon. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await atMost(CLOSE_MS_MAX, this.write());
  }

  private async write(): Promise<void> {
    this.timer = undefined;
    const { store, nodeId, isKnown } = this.options;
    for (const [hook, entries] of [...this.unwritten]) {
      this.unwritten.delete(hook);
      if (!isKnown(hook)) continue;
      // A log that cannot be written is not worth more than that it is lost.
      await store
        .change(`${prefixOf(hook)}${nodeId}`, (value) =>
          encodeVersioned({ v: 1, items: newest([...(value === undefined ? [] : readEntries(value)), ...entries.values()]) }),
        )
        .catch(() => undefined);
    }
  }
}

/** Of entries with the same id the last one counts. */
function newest(entries: readonly DeliveryResource[]): readonly DeliveryResource[] {
  const byId = new Map(entries.map((entry) => [`${entry.node}/${entry.id}`, entry]));
  return [...byId.values()].sort((left, right) => (left.at > right.at ? -1 : left.at < right.at ? 1 : 0)).slice(0, ENTRIES_MAX);
}

function readEntries(value: Uint8Array): readonly DeliveryResource[] {
  const items = decodeVersioned(value)?.['items'];
  return Array.isArray(items) ? items.filter(isEntry) : [];
}

const STATUSES: readonly unknown[] = [
  'delivered',
  'retrying',
  'dead',
  'dropped',
  'allowed',
  'refused',
  'down',
] satisfies readonly DeliveryResource['status'][];
/** What each field is; the others may be absent. */
const FIELDS: readonly (readonly [name: keyof DeliveryResource, type: 'string' | 'number', isNeeded: boolean])[] = [
  ['id', 'string', true],
  ['type', 'string', true],
  ['node', 'string', true],
  ['at', 'string', true],
  ['attempts', 'number', true],
  ['durationMs', 'number', true],
  ['stream', 'string', false],
  ['httpStatus', 'number', false],
  ['detail', 'string', false],
];

/** Another build may write what this one cannot show. */
function isEntry(item: unknown): item is DeliveryResource {
  const entry = (typeof item === 'object' && item !== null ? item : {}) as Readonly<Record<string, unknown>>;
  return (
    STATUSES.includes(entry['status']) &&
    FIELDS.every(([name, type, isNeeded]) => typeof entry[name] === type || (entry[name] === undefined && !isNeeded))
  );
}

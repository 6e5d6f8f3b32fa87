import { SERVER_EVENT_TYPES, type ServerEvent } from '../api/mod.ts';
import { ALLOCATION_NEWS, type Bus, decodeAllocationNews, decodeVersioned, encodeVersioned, readText } from '../cluster/mod.ts';
import { EventBatch } from './event-batch.ts';

export interface ClusterEventsOptions {
  readonly ownId: string;
  readonly bus: Bus;
  /** What happened on other nodes, and what was decided for the cluster. */
  readonly heard: (event: ServerEvent) => void;
}

const SUBJECTS = 'events/*';
const subjectOf = (node: string): string => `events/${node}`;
const EVENTS_MAX = 1_000;
const TEXT_LENGTH_MAX = 512;
const FIELDS_MAX = 16;
const NODE_LENGTH_MAX = 64;

/** Carries what only one node knows to have happened to the lists of events of all others. What is lost on the way is seen when somebody looks. */
export class ClusterEvents {
  private readonly options: ClusterEventsOptions;
  private readonly batch: EventBatch;
  private readonly endings: readonly (() => void)[];

  constructor(options: ClusterEventsOptions) {
    this.options = options;
    const { bus, ownId, heard } = options;
    this.batch = new EventBatch((events) => bus.publish(subjectOf(ownId), encodeVersioned({ v: 1, node: ownId, events })));
    this.endings = [
      bus.subscribe(SUBJECTS, (_subject, message) => this.hear(message)),
      bus.subscribe(ALLOCATION_NEWS, (_subject, message) => {
        if ((decodeAllocationNews(message)?.decided.length ?? 0) > 0) heard({ type: 'transcoding.decided', data: {} });
      }),
    ];
  }

  /** Tells the other nodes. */
  tell(event: ServerEvent): void {
    this.batch.add(event);
  }

  close(): void {
    this.batch.close();
    for (const end of this.endings) end();
  }

  private hear(message: Uint8Array): void {
    const { ownId, heard } = this.options;
    const fields = decodeVersioned(message);
    const node = readText(fields?.['node'], NODE_LENGTH_MAX);
    const events = fields?.['events'];
    if (node === undefined || node === ownId || !Array.isArray(events)) return;
    for (const event of events.slice(0, EVENTS_MAX)) {
      const read = readEvent(event);
      if (read !== undefined) heard({ ...read, data: { ...read.data, node } });
    }
  }
}

/** Undefined for what is no event, or one that newer software knows. */
function readEvent(value: unknown): ServerEvent | undefined {
  const { type, data } = (value ?? {}) as { readonly type?: unknown; readonly data?: unknown };
  const known = SERVER_EVENT_TYPES.find((each) => each === type);
  if (known === undefined || typeof data !== 'object' || data === null) return undefined;
  const plain = Object.entries(data).filter(([name, field]) => isPlain(name) && isPlain(field));
  return { type: known, data: Object.fromEntries(plain.slice(0, FIELDS_MAX)) };
}

const isPlain = (field: unknown): boolean =>
  typeof field === 'string' ? field.length <= TEXT_LENGTH_MAX : typeof field === 'number' || typeof field === 'boolean';

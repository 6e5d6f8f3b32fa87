/** An event as it came. */
export interface HeardEvent {
  readonly number: number;
  readonly type: string;
  /** JSON, as the server wrote it. */
  readonly data: string;
  /** Unix milliseconds, by the clock of the browser. */
  readonly atMs: number;
}

/** What an event says, by name. */
export function dataOf({ data: text }: Pick<HeardEvent, 'data'>): Readonly<Record<string, unknown>> {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : { data };
  } catch {
    return { data: text };
  }
}

/** Whether an event is about a node or a stream of which it is the origin; what else the server tells is about itself: `isServer`. */
export function isOfNode(event: Pick<HeardEvent, 'type' | 'data'>, id: string, isServer: boolean): boolean {
  const { node, origin } = dataOf(event);
  return node === id || origin === id || (node === undefined && isServer && /^(source|target|transcoding|recording)\./.test(event.type));
}

const EVENTS_MAX = 500;

/** What the page has heard since it was opened, the newest first; the oldest are let go. */
export class EventLog {
  private readonly eventsMax: number;
  private readonly listeners = new Set<() => void>();
  private kept: readonly HeardEvent[] = [];
  private number = 0;

  constructor(eventsMax: number = EVENTS_MAX) {
    this.eventsMax = eventsMax;
  }

  add(event: Omit<HeardEvent, 'number'>): void {
    this.number += 1;
    this.kept = [{ ...event, number: this.number }, ...this.kept.slice(0, this.eventsMax - 1)];
    for (const listener of this.listeners) listener();
  }

  /** The same list until there is another event. */
  readonly events = (): readonly HeardEvent[] => this.kept;

  /** Calls `listener` with each event from now on; returns what ends that. */
  readonly listen = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

/** Of this page. Outlives the page's parts. */
export const eventLog = new EventLog();

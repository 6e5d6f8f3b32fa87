/** An event as it came. */
export interface HeardEvent {
  readonly number: number;
  readonly type: string;
  /** JSON, as the server wrote it. */
  readonly data: string;
  /** Unix milliseconds, by the clock of the browser. */
  readonly atMs: number;
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

import type { ServerEvent } from '../api/mod.ts';

const WAIT_MS = 50;
/** Of more than these at once one event tells, without names: whoever looks after a thousand changes looks at the whole list anyway. */
const ALIKE_MAX = 32;

/** Collects events for a moment, so that what changes a thousand things at once does not drive everything else out of the lists of those who listen. */
export class EventBatch {
  private readonly tell: (events: readonly ServerEvent[]) => void;
  private readonly waiting = new Map<ServerEvent['type'], Map<string, ServerEvent>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(tell: (events: readonly ServerEvent[]) => void) {
    this.tell = tell;
  }

  /** One that is waiting already is told once. */
  add(event: ServerEvent): void {
    const alike = this.waiting.get(event.type) ?? new Map<string, ServerEvent>();
    this.waiting.set(event.type, alike);
    if (alike.size <= ALIKE_MAX) alike.set(JSON.stringify(event.data), event);
    this.timer ??= setTimeout(() => this.flush(), WAIT_MS);
  }

  /** What is waiting is not told any more. */
  close(): void {
    clearTimeout(this.timer);
    this.waiting.clear();
  }

  private flush(): void {
    this.timer = undefined;
    const events = [...this.waiting].flatMap(([type, alike]) => (alike.size > ALIKE_MAX ? [{ type, data: {} }] : [...alike.values()]));
    this.waiting.clear();
    this.tell(events);
  }
}

/** One server-sent event. */
export interface ReceivedEvent {
  /** Given as `Last-Event-ID` to go on after it. */
  readonly id: string;
  readonly type: string;
  /** The JSON that it carries; the text where it is none. */
  readonly data: unknown;
}

/** A line or event that is longer is not from this server. */
const PENDING_LENGTH_MAX = 1 << 20;

/** Reads `text/event-stream`, in whatever pieces it comes; throws `Error` for what has no end. */
export class EventParser {
  private pending = '';
  private id = '';

  /** The events that are whole now. */
  push(text: string): readonly ReceivedEvent[] {
    const blocks = (this.pending + text).split(/\r?\n\r?\n/);
    this.pending = blocks.pop() ?? '';
    if (this.pending.length > PENDING_LENGTH_MAX) throw new Error(`an event is longer than ${PENDING_LENGTH_MAX} characters`);
    return blocks.flatMap((block) => this.eventOf(block) ?? []);
  }

  private eventOf(block: string): ReceivedEvent | undefined {
    let type = 'message';
    const data: string[] = [];
    for (const line of block.split(/\r?\n/)) {
      const [, field = '', value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
      if (field === 'id') this.id = value;
      else if (field === 'event') type = value;
      else if (field === 'data') data.push(value);
    }
    if (data.length === 0) return undefined;
    return { id: this.id, type, data: jsonOf(data.join('\n')) };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

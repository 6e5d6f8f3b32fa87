import type { ServerEvent } from '../api/mod.ts';

export interface StateWatchOptions {
  /** The state of each thing of a kind by its name, as short texts. */
  readonly states: ReadonlyMap<ServerEvent['type'], () => ReadonlyMap<string, string>>;
  readonly changed: (event: ServerEvent) => void;
}

const LOOK_MS = 1_000;

/** Looks each second at what tells nobody of its changes by itself, and tells of them. */
export class StateWatch {
  private readonly options: StateWatchOptions;
  private readonly known = new Map<ServerEvent['type'], ReadonlyMap<string, string>>();
  private readonly ticker: NodeJS.Timeout;

  constructor(options: StateWatchOptions) {
    this.options = options;
    this.ticker = setInterval(() => this.look(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.ticker);
  }

  private look(): void {
    for (const [type, read] of this.options.states) {
      const before = this.known.get(type) ?? new Map<string, string>();
      const now = read();
      this.known.set(type, now);
      for (const [name, state] of now) if (before.get(name) !== state) this.options.changed({ type, data: { name, state } });
      for (const name of before.keys()) if (!now.has(name)) this.options.changed({ type, data: { name, state: 'gone' } });
    }
  }
}

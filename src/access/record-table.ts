/** A record as a store tells it. */
export interface RecordEntry {
  readonly key: string;
  /** Shared: never write to it. */
  readonly value: Uint8Array;
}

/** Told about all records under a prefix; `current` comes when all have been told, again after each `lost`. */
export interface RecordWatcher {
  changed(entry: RecordEntry): void;
  deleted(key: string): void;
  current(): void;
  lost(): void;
}

/** Where records come from: the cluster's store, or that of a node on its own. */
export interface RecordSource {
  /** Returns a function that ends the watch. */
  watch(prefix: string, watcher: RecordWatcher): () => void;
}

export interface RecordTableOptions<Row> {
  /** Ends in `/`; what follows it in a key is the record's id. */
  readonly prefix: string;
  /** Reads borrowed bytes; undefined for what cannot be read. */
  readonly decode: (value: Uint8Array) => Row | undefined;
  /** Records past it are not taken. */
  readonly recordsMax: number;
  readonly changed?: (id: string) => void;
  readonly removed?: (id: string) => void;
}

/** The replica of all records under a prefix of the store: it answers at once, and with what it knew while the store is away. */
export class RecordTable<Row> {
  private readonly options: RecordTableOptions<Row>;
  private readonly rows = new Map<string, Row>();
  /** Ids told since the store was lost; undefined: nothing was missed. */
  private told: Set<string> | undefined;
  private hasBeenRead = false;
  private readonly end: () => void;

  constructor(source: RecordSource, options: RecordTableOptions<Row>) {
    this.options = options;
    const { prefix, decode } = options;
    this.end = source.watch(prefix, {
      changed: ({ key, value }) => this.take(key.slice(prefix.length), decode(value)),
      deleted: (key) => this.forget(key.slice(prefix.length)),
      current: () => this.current(),
      lost: () => {
        this.told = new Set();
      },
    });
  }

  /** Whether everything was read at least once. */
  get isRead(): boolean {
    return this.hasBeenRead;
  }

  get(id: string): Row | undefined {
    return this.rows.get(id);
  }

  values(): Iterable<Row> {
    return this.rows.values();
  }

  close(): void {
    this.end();
  }

  private take(id: string, record: Row | undefined): void {
    this.told?.add(id);
    if (record === undefined) {
      // Written for a newer reader, or by nobody of ours: what was known before holds no more.
      this.forget(id);
      return;
    }
    if (!this.rows.has(id) && this.rows.size >= this.options.recordsMax) return;
    this.rows.set(id, record);
    this.options.changed?.(id);
  }

  private forget(id: string): void {
    if (this.rows.delete(id)) this.options.removed?.(id);
  }

  private current(): void {
    const { told } = this;
    this.told = undefined;
    this.hasBeenRead = true;
    if (told === undefined) return;
    for (const id of [...this.rows.keys()]) if (!told.has(id)) this.forget(id);
  }
}

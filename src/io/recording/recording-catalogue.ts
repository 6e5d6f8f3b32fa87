import type pino from 'pino';
import { RecordTable } from '../../access/mod.ts';
import type { Store } from '../../cluster/mod.ts';
import {
  decodeRecording,
  encodeRecording,
  RECORDINGS_MAX,
  RECORDINGS_PREFIX,
  type RecordingRecord,
  recordingKey,
} from '../../recording/mod.ts';
import { StoreCalls } from '../cluster/mod.ts';

export interface RecordingCatalogueOptions {
  readonly store: Store;
  readonly nodeId: string;
  /** Somebody deleted one that this node has the file of. */
  readonly deleted: (record: RecordingRecord) => void;
  readonly log: pino.Logger;
}

/**
 * All recordings of all nodes, as this node's copy of the store has them, and its own as they are. What the store does not take now is written later: see
 * {@link RecordingCatalogue.writeLate}.
 */
export class RecordingCatalogue {
  private readonly options: RecordingCatalogueOptions;
  private readonly calls: StoreCalls;
  private readonly table: RecordTable<RecordingRecord>;
  /** This node's, newer than those in the store. */
  private readonly unwritten = new Map<string, RecordingRecord>();
  private readonly writing = new Map<string, Promise<void>>();
  /** Deleted here, which the copy of the store may not show yet. */
  private readonly gone = new Set<string>();
  private count = 0;

  constructor(options: RecordingCatalogueOptions) {
    this.options = options;
    this.calls = new StoreCalls(options.store);
    const known = new Set<string>();
    this.table = new RecordTable(options.store, {
      prefix: RECORDINGS_PREFIX,
      decode: decodeRecording,
      recordsMax: RECORDINGS_MAX,
      changed: (id) => {
        this.count = known.add(id).size;
        const record = this.table.get(id);
        if (record?.isDeleted === true && record.node === options.nodeId) options.deleted(record);
      },
      removed: (id) => {
        known.delete(id);
        this.gone.delete(id);
        this.count = known.size;
      },
    });
  }

  get isRead(): boolean {
    return this.table.isRead;
  }

  get isFull(): boolean {
    return this.count >= RECORDINGS_MAX;
  }

  /** Those that are not deleted. */
  *all(): Iterable<RecordingRecord> {
    for (const { id } of this.table.values()) {
      const record = this.get(id);
      if (record !== undefined) yield record;
    }
    for (const record of this.unwritten.values()) if (this.table.get(record.id) === undefined && !this.gone.has(record.id)) yield record;
  }

  get(id: string): RecordingRecord | undefined {
    const stored = this.table.get(id);
    return stored?.isDeleted === true || this.gone.has(id) ? undefined : (this.unwritten.get(id) ?? stored);
  }

  /** Whether there is one, deleted or not. */
  knows(id: string): boolean {
    return this.table.get(id) !== undefined || this.unwritten.has(id);
  }

  /** This node's, those too that are deleted and still have a file. */
  own(): readonly RecordingRecord[] {
    const { nodeId } = this.options;
    return [...this.table.values()].filter(({ node }) => node === nodeId);
  }

  /** Takes what one of this node's recordings is now, and writes it in the background; settles when that was tried. */
  put(record: RecordingRecord): Promise<void> {
    this.unwritten.set(record.id, record);
    return this.write(record.id);
  }

  /** Takes one in whose file was found, unless the store has something under its id. Rejects with `ApiError` when the store is away. */
  async adopt(record: RecordingRecord): Promise<void> {
    await this.calls.change(recordingKey(record.id), (value) => value ?? encodeRecording(record));
  }

  /** Tries again what the store did not take. */
  async writeLate(): Promise<void> {
    for (const id of [...this.unwritten.keys()]) await this.write(id);
  }

  /** Marks one as deleted, whichever node has the file. Rejects with `ApiError` when the store is away. */
  async markDeleted(id: string): Promise<void> {
    await this.calls.change(recordingKey(id), (value) => {
      const record = value === undefined ? this.unwritten.get(id) : decodeRecording(value);
      return record === undefined ? value : encodeRecording({ ...record, isDeleted: true });
    });
    if (this.get(id) !== undefined) this.gone.add(id);
  }

  /** Forgets one of this node's, whose file is gone. */
  async forget(id: string): Promise<void> {
    this.unwritten.delete(id);
    await this.writing.get(id);
    await this.calls.remove(recordingKey(id));
  }

  close(): void {
    this.table.close();
  }

  /** One after the other of each recording, so that the newest is there in the end. */
  private write(id: string): Promise<void> {
    const before = this.writing.get(id) ?? Promise.resolve();
    const written = before
      .then(() => this.writeNow(id))
      .finally(() => {
        if (this.writing.get(id) === written) this.writing.delete(id);
      });
    this.writing.set(id, written);
    return written;
  }

  private async writeNow(id: string): Promise<void> {
    const record = this.unwritten.get(id);
    if (record === undefined) return;
    try {
      await this.calls.change(recordingKey(id), (value) => {
        const isDeleted = value !== undefined && decodeRecording(value)?.isDeleted === true;
        return encodeRecording({ ...record, isDeleted });
      });
      if (this.unwritten.get(id) === record) this.unwritten.delete(id);
    } catch (error) {
      this.options.log.warn(
        { code: 'recording.uncatalogued', recording: id, detail: (error as Error).message },
        'a recording could not be put into the catalogue: it is kept for later',
      );
    }
  }
}

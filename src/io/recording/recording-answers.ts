import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { RecordingBytes, RecordingLinks, RecordingRegistry } from '../../api/mod.ts';
import type { RecordingRecord } from '../../recording/mod.ts';
import type { Recordings } from './recordings.ts';

/** The recordings of all nodes, for the API of this one. */
export class RecordingAnswers implements RecordingRegistry {
  readonly ownId: string;
  readonly urlOf: RecordingRegistry['urlOf'];
  readonly links: RecordingLinks;
  private readonly recordings: Recordings;

  constructor(recordings: Recordings, ownId: string, urlOf: RecordingRegistry['urlOf'], links: RecordingLinks) {
    this.links = links;
    this.recordings = recordings;
    this.ownId = ownId;
    this.urlOf = urlOf;
  }

  all(): Iterable<RecordingRecord> {
    return this.recordings.all();
  }

  find(id: string): RecordingRecord | undefined {
    return this.recordings.find(id);
  }

  /** Whichever node has the file takes it away when it hears of this. */
  remove(id: string): Promise<void> {
    return this.recordings.catalogue.markDeleted(id);
  }

  async open(record: RecordingRecord): Promise<RecordingBytes | undefined> {
    const handle = await open(this.recordings.pathOf(record), 'r').catch(() => undefined);
    if (handle === undefined) return undefined;
    const { size } = await handle.stat();
    if (size === 0) {
      await handle.close();
      return undefined;
    }
    return {
      // Behind it a fragment may be half written.
      sizeBytes: Math.min(size, record.sizeBytes),
      read: (first, last): Readable => handle.createReadStream({ start: first, end: last }),
      close: () => void handle.close(),
    };
  }
}

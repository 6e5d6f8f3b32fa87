import type { RecordSource, RecordWatcher } from './record-table.ts';
import { type AdmissionHook, type EventsHook, encodeWebhook, type WebhookRecord, webhookKey } from './webhook-record.ts';

const base = {
  v: 1,
  app: 'live',
  url: 'https://hooks.example.org/',
  note: '',
  isEnabled: true,
  secrets: [{ secret: 's', expiresAtMs: undefined }],
  createdAtMs: 1,
  changedAtMs: 1,
} as const;

export const admissionHook = (id: string, changes: Partial<AdmissionHook> = {}): AdmissionHook => ({
  ...base,
  id,
  kind: 'admission',
  acts: ['publish', 'play'],
  timeoutMs: 2_000,
  whenDown: 'refuse',
  cacheS: 60,
  ...changes,
});

export const eventsHook = (id: string, changes: Partial<EventsHook> = {}): EventsHook => ({
  ...base,
  id,
  kind: 'events',
  types: ['stream.started', 'stream.ended'],
  retryForS: 60,
  ...changes,
});

/** Records of one prefix, which the test writes; read from the beginning unless `isRead` is false. */
export class MemoryRecords implements RecordSource {
  private watcher: RecordWatcher | undefined;
  private readonly isRead: boolean;

  constructor(isRead = true) {
    this.isRead = isRead;
  }

  watch(_prefix: string, watcher: RecordWatcher): () => void {
    this.watcher = watcher;
    if (this.isRead) watcher.current();
    return () => undefined;
  }

  put(record: WebhookRecord): void {
    this.watcher?.changed({ key: webhookKey(record.id), value: encodeWebhook(record) });
  }

  remove(id: string): void {
    this.watcher?.deleted(webhookKey(id));
  }

  read(): void {
    this.watcher?.current();
  }
}

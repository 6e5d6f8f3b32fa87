import { type RecordSource, RecordTable } from './record-table.ts';
import type { AccessAct } from './token-claims.ts';
import { type AdmissionHook, decodeWebhook, type EventsHook, WEBHOOKS_MAX, WEBHOOKS_PREFIX, type WebhookRecord } from './webhook-record.ts';

const NONE: readonly WebhookRecord[] = [];

/** This node's copy of the webhooks, by app. */
export class WebhookReplica {
  private readonly table: RecordTable<WebhookRecord>;
  /** Undefined: to be made anew. */
  private byApp: Map<string, WebhookRecord[]> | undefined;

  /** `removed` is told of hooks that are gone. */
  constructor(source: RecordSource, removed: (id: string) => void = () => undefined) {
    this.table = new RecordTable(source, {
      prefix: WEBHOOKS_PREFIX,
      decode: decodeWebhook,
      recordsMax: WEBHOOKS_MAX,
      changed: () => this.forgetIndex(),
      removed: (id) => {
        this.forgetIndex();
        removed(id);
      },
    });
  }

  /** Whether everything was read from the store at least once. */
  get isRead(): boolean {
    return this.table.isRead;
  }

  get(id: string): WebhookRecord | undefined {
    return this.table.get(id);
  }

  values(): Iterable<WebhookRecord> {
    return this.table.values();
  }

  ofApp(app: string): readonly WebhookRecord[] {
    return this.index().get(app) ?? NONE;
  }

  /** Those that have to be asked. */
  admission(app: string, act: AccessAct): readonly AdmissionHook[] {
    return this.ofApp(app).filter((hook): hook is AdmissionHook => hook.kind === 'admission' && hook.isEnabled && hook.acts.includes(act));
  }

  /** Those that are to be told; without an app: of all. */
  *events(app: string | undefined): Iterable<EventsHook> {
    for (const hook of app === undefined ? this.values() : this.ofApp(app)) if (hook.kind === 'events' && hook.isEnabled) yield hook;
  }

  close(): void {
    this.table.close();
  }

  private forgetIndex(): void {
    this.byApp = undefined;
  }

  private index(): ReadonlyMap<string, readonly WebhookRecord[]> {
    if (this.byApp !== undefined) return this.byApp;
    const byApp = new Map<string, WebhookRecord[]>();
    for (const hook of this.table.values()) {
      const known = byApp.get(hook.app);
      if (known === undefined) byApp.set(hook.app, [hook]);
      else known.push(hook);
    }
    this.byApp = byApp;
    return byApp;
  }
}

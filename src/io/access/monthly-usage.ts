import type pino from 'pino';
import {
  decodeMonthRecord,
  type MonthCounters,
  type MonthRecord,
  monthPrefix,
  RecordTable,
  shardNumber,
  UsageLedger,
} from '../../access/mod.ts';
import type { Store } from '../../cluster/mod.ts';
import { type MonotonicMs, monotonicMs } from '../../core/mod.ts';
import { atMost } from '../at-most.ts';
import { StoreCalls } from '../cluster/mod.ts';

export interface MonthlyUsageOptions {
  readonly store: Store;
  readonly nodeId: string;
  /** Of this process and of no other. */
  readonly run: string;
  readonly log: pino.Logger;
}

const WRITE_MS = 60_000;
/** A store that is away must not hold up the end of the process. */
const CLOSE_MS_MAX = 1_000;
const OLD_MONTHS = [14, 15, 16];
/** A node has at most 32 records a month. */
const RECORDS_MAX = 320_000;

/** What apps have used this month on all nodes: this node's is written each minute and when it stops, the others' are read as they come. */
export class MonthlyUsage {
  private readonly options: MonthlyUsageOptions;
  private readonly calls: StoreCalls;
  private readonly ledger: UsageLedger;
  private month = '';
  private records: RecordTable<MonthRecord> | undefined;
  /** Of the records: in a large cluster, looking at all for each app would take too long. */
  private idsByShard = new Map<string, Set<string>>();
  private writeAt: MonotonicMs | undefined;
  private writing: Promise<void> | undefined;

  constructor(options: MonthlyUsageOptions) {
    this.options = options;
    this.calls = new StoreCalls(options.store);
    this.ledger = new UsageLedger(options.nodeId, options.run);
  }

  add(month: string, app: string, counters: MonthCounters): void {
    this.ledger.add(month, app, counters);
  }

  /** To be called each second. */
  tick(month: string, now: MonotonicMs): void {
    if (month !== this.month) this.begin(month);
    this.writeAt ??= monotonicMs(now + WRITE_MS);
    if (now < this.writeAt || this.writing !== undefined) return;
    this.writeAt = monotonicMs(now + WRITE_MS);
    void this.write();
  }

  totalOf(app: string): MonthCounters {
    const ids = [...(this.idsByShard.get(String(shardNumber(app))) ?? [])];
    const ofShard = ids.map((id) => this.records?.get(id)).filter((record) => record !== undefined);
    return this.ledger.totalOf(this.month, app, ofShard);
  }

  /** Writes what is not written yet, as far as the store takes it soon. */
  async close(): Promise<void> {
    await atMost(
      CLOSE_MS_MAX,
      (this.writing ?? Promise.resolve()).then(() => this.write()),
    );
    this.records?.close();
  }

  private begin(month: string): void {
    this.month = month;
    void this.forgetOld(month);
    this.records?.close();
    const ids = new Map<string, Set<string>>();
    this.idsByShard = ids;
    this.records = new RecordTable(this.options.store, {
      prefix: monthPrefix(month),
      decode: decodeMonthRecord,
      recordsMax: RECORDS_MAX,
      changed: (id) => void ids.set(shardOf(id), (ids.get(shardOf(id)) ?? new Set()).add(id)),
      removed: (id) => void ids.get(shardOf(id))?.delete(id),
    });
  }

  /** What a year ago was used is of interest; what was before that is taken away, by whichever node comes first. */
  private async forgetOld(month: string): Promise<void> {
    try {
      for (const age of OLD_MONTHS) {
        for (const { key } of await this.calls.list(monthPrefix(monthBefore(month, age)))) await this.calls.remove(key);
      }
    } catch {
      // The store is away: the next start or month does it.
    }
  }

  /** What cannot be written now is written with the next minute's. */
  private write(): Promise<void> {
    const { log } = this.options;
    this.writing = (async () => {
      for (const due of this.ledger.due(this.month)) {
        await this.calls.change(due.key, (stored) => due.next(stored));
        due.written();
      }
    })()
      .catch((error: unknown) => {
        log.warn(
          { code: 'access.usage-unwritten', detail: (error as Error).message },
          "the apps' usage could not be written: it is kept for later",
        );
      })
      .finally(() => {
        this.writing = undefined;
      });
    return this.writing;
  }
}

/** Of `NODE/SHARD`. */
const shardOf = (id: string): string => id.slice(id.lastIndexOf('/') + 1);

/** `2026-01` and 2 is `2025-11`. */
function monthBefore(month: string, age: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 - age, 1)).toISOString().slice(0, 7);
}

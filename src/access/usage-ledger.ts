import {
  addCounters,
  type CountersByApp,
  countersOf,
  decodeMonthRecord,
  encodeMonthRecord,
  type MonthCounters,
  type MonthRecord,
  NO_COUNTERS,
  NO_MONTH_RECORD,
  withRun,
} from './month-record.ts';

/** A month as `YYYY-MM`, by UTC. */
export const monthOf = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, 7);

export const USAGE_PREFIX = 'usage/';
export const monthPrefix = (month: string): string => `${USAGE_PREFIX}${month}/`;
/** At 10,000 apps, one shard's record takes less than half of what the store takes. */
const SHARDS = 32;
/** Twice what is expected of 10,000 apps. */
const APPS_A_SHARD_MAX = 625;
const MONTHS_MAX = 3;

/** A record that has to be written. */
export interface DueRecord {
  readonly key: string;
  /** What is to be written over what is there, which is borrowed. */
  next(stored: Uint8Array | undefined): Uint8Array;
  /** It was written as the last `next` made it. */
  written(): void;
}

interface Shard {
  readonly key: string;
  readonly apps: Map<string, MonthCounters>;
  /** Grows with each change. */
  version: number;
  writtenVersion: number;
}

/** What this run of this node's process has counted, by month: kept until it is written, for as long as the store is away. */
export class UsageLedger {
  private readonly node: string;
  private readonly run: string;
  private readonly months = new Map<string, Map<number, Shard>>();

  /** `run` is of this process and of no other. */
  constructor(node: string, run: string) {
    this.node = node;
    this.run = run;
  }

  add(month: string, app: string, counters: MonthCounters): void {
    if (Object.values(counters).every((amount) => amount === 0)) return;
    const shard = this.shardOf(month, app);
    const known = shard.apps.get(app);
    if (known === undefined && shard.apps.size >= APPS_A_SHARD_MAX) return;
    shard.apps.set(app, addCounters(known ?? NO_COUNTERS, counters));
    shard.version++;
  }

  /** What this run has counted of an app. */
  ownOf(month: string, app: string): MonthCounters {
    return this.months.get(month)?.get(shardNumber(app))?.apps.get(app) ?? NO_COUNTERS;
  }

  /** What all runs of all nodes have counted of an app: this one's as it is now, the others' by their records. */
  totalOf(month: string, app: string, records: Iterable<MonthRecord>): MonthCounters {
    let sum = this.ownOf(month, app);
    for (const record of records) sum = addCounters(sum, countersOf(record, app, this.run));
    return sum;
  }

  /** What is not written yet; a month that is over and written is forgotten. */
  due(month: string): readonly DueRecord[] {
    const due: DueRecord[] = [];
    for (const [name, shards] of this.months) {
      const unwritten = [...shards.values()].filter(({ version, writtenVersion }) => version !== writtenVersion);
      if (unwritten.length === 0 && name !== month) this.months.delete(name);
      due.push(...unwritten.map((shard) => this.dueOf(shard)));
    }
    return due;
  }

  private dueOf(shard: Shard): DueRecord {
    let version = shard.writtenVersion;
    return {
      key: shard.key,
      next: (stored) => {
        version = shard.version;
        const record = (stored === undefined ? undefined : decodeMonthRecord(stored)) ?? NO_MONTH_RECORD;
        const apps: CountersByApp = new Map(shard.apps);
        return encodeMonthRecord(withRun(record, this.run, apps));
      },
      written: () => {
        shard.writtenVersion = version;
      },
    };
  }

  private shardOf(month: string, app: string): Shard {
    let shards = this.months.get(month);
    if (shards === undefined) {
      shards = new Map();
      this.months.set(month, shards);
      // The clock jumps, or the store was away for months.
      for (const oldest of this.months.keys()) {
        if (this.months.size <= MONTHS_MAX) break;
        this.months.delete(oldest);
      }
    }
    const number = shardNumber(app);
    const known = shards.get(number);
    if (known !== undefined) return known;
    const made: Shard = { key: `${monthPrefix(month)}${this.node}/${number}`, apps: new Map(), version: 0, writtenVersion: 0 };
    shards.set(number, made);
    return made;
  }
}

/** The shard that an app's counters are in, of all nodes. */
export function shardNumber(app: string): number {
  // FNV-1a.
  let hash = 0x811c9dc5;
  for (let at = 0; at < app.length; at++) hash = Math.imul(hash ^ app.charCodeAt(at), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % SHARDS;
}

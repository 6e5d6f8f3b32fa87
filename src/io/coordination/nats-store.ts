import type { NatsConnection } from '@nats-io/transport-node';
import { STORE_VALUE_BYTES_MAX, type Store, type StoreEntry, type StoreResult, type StoreWatcher } from '../../cluster/mod.ts';
import { assert } from '../../core/mod.ts';
import { callOut } from './call-out.ts';
import { badKey, isKey, isPrefix } from './keys.ts';
import { type BucketRecord, NatsBucket } from './nats-bucket.ts';
import { natsFailure } from './nats-failure.ts';
import type { NatsLink } from './nats-link.ts';
import { purgeDeletions, readAll } from './nats-snapshot.ts';
import { NatsWatch } from './nats-watch.ts';

const CALL_MS_MAX = 4500;
const OPEN_RETRY_MS_MIN = 100;
const OPEN_RETRY_MS_MAX = 2000;
const WATCH_RETRY_MS = 250;
const PURGE_EACH_MS = 10 * 60_000;
/** Marks of deletions stay so long for those who look on. */
const DELETIONS_KEPT_MS = 10 * 60_000;
const CREATE_ATTEMPTS = 4;
const CALLS_WAITING_MAX = 4096;

export interface NatsStoreOptions {
  /** On how many servers of NATS each value is kept: 1, or 3 for a cluster of three. */
  readonly replicas: 1 | 3;
  /** Removes old marks of deletions now and then, which one node of a cluster has to do. */
  readonly purgesDeletions?: boolean;
}

interface Watched {
  readonly prefix: string;
  readonly watcher: StoreWatcher;
  watch: NatsWatch | undefined;
  isLost: boolean;
  isOver: boolean;
}

/** The store of many machines, in a JetStream KV bucket named after the cluster. Calls that come while NATS is away wait for it, {@link CALL_MS_MAX} at most. */
export class NatsStore implements Store {
  private readonly link: NatsLink;
  private readonly replicas: number;
  private readonly watched = new Set<Watched>();
  private readonly waiting = new Set<() => void>();
  private readonly unuse: () => void;
  private readonly purgeTimer: NodeJS.Timeout | undefined;
  private bucket: NatsBucket | undefined;
  private problem: string | undefined;
  private isClosed = false;

  constructor(link: NatsLink, options: NatsStoreOptions) {
    this.link = link;
    this.replicas = options.replicas;
    this.unuse = link.use({ connected: (connection) => void this.open(connection), disconnected: () => this.lose() });
    if (options.purgesDeletions === true)
      this.purgeTimer = setInterval(() => this.purgeDeletions(DELETIONS_KEPT_MS), PURGE_EACH_MS).unref();
  }

  get(key: string, done: (result: StoreResult<StoreEntry | undefined>) => void): void {
    if (!isKey(key)) {
      refuse(badKey(key), done);
      return;
    }
    this.call(done, async (bucket, deadlineMs) => {
      const record = await bucket.latest(key, deadlineMs);
      return { ok: true, value: record === undefined ? undefined : entryOf(record) };
    });
  }

  list(prefix: string, done: (result: StoreResult<readonly StoreEntry[]>) => void): void {
    if (!isPrefix(prefix)) {
      refuse(badKey(prefix), done);
      return;
    }
    this.call(done, async (bucket, deadlineMs) => {
      const records = await readAll(bucket, prefix, deadlineMs);
      return { ok: true, value: records.flatMap((record) => entryOf(record) ?? []) };
    });
  }

  create(key: string, value: Uint8Array, done: (result: StoreResult<number>) => void): void {
    const problem = writeProblem(key, value);
    if (problem !== undefined) {
      refuse(problem, done);
      return;
    }
    this.call(done, async (bucket, deadlineMs) => ({ ok: true, value: await created(bucket, key, value, deadlineMs) }));
  }

  update(key: string, value: Uint8Array, revision: number, done: (result: StoreResult<number>) => void): void {
    const problem = writeProblem(key, value);
    if (problem !== undefined) {
      refuse(problem, done);
      return;
    }
    if (!isRevision(revision)) {
      conflict(key, done);
      return;
    }
    this.call(done, async (bucket, deadlineMs) => ({ ok: true, value: await bucket.write(key, value, revision, deadlineMs) }));
  }

  delete(key: string, revision: number, done: (result: StoreResult<undefined>) => void): void {
    if (!isKey(key)) {
      refuse(badKey(key), done);
      return;
    }
    if (!isRevision(revision)) {
      conflict(key, done);
      return;
    }
    this.call(done, async (bucket, deadlineMs) => {
      await bucket.write(key, undefined, revision, deadlineMs);
      return { ok: true, value: undefined };
    });
  }

  watch(prefix: string, watcher: StoreWatcher): () => void {
    assert(isPrefix(prefix), `bad prefix ${JSON.stringify(prefix)}`);
    const watched: Watched = { prefix, watcher, watch: undefined, isLost: false, isOver: false };
    this.watched.add(watched);
    if (this.bucket !== undefined) this.begin(watched, this.bucket);
    else setImmediate(() => this.bucket === undefined && tellLost(watched));
    return () => {
      watched.isOver = true;
      watched.watch?.end();
      this.watched.delete(watched);
    };
  }

  /** Ends all watches; calls that wait fail as unavailable. The link is the caller's to close. */
  close(): void {
    this.isClosed = true;
    clearInterval(this.purgeTimer);
    this.unuse();
    for (const watched of this.watched) {
      watched.isOver = true;
      watched.watch?.end();
    }
    this.watched.clear();
    this.bucket = undefined;
    this.problem = 'closed';
    for (const wake of [...this.waiting]) wake();
  }

  /** Removes marks of deletions that are this much older than the newest write, so that keys that are never used again cost nothing. */
  purgeDeletions(keptMs: number): void {
    if (this.bucket !== undefined) purgeDeletions(this.bucket, keptMs).catch(() => undefined);
  }

  private async open(connection: NatsConnection): Promise<void> {
    for (
      let retryMs = OPEN_RETRY_MS_MIN;
      !this.isClosed && this.link.connection === connection;
      retryMs = Math.min(2 * retryMs, OPEN_RETRY_MS_MAX)
    ) {
      try {
        const bucket = await NatsBucket.open(connection, this.link.cluster, this.replicas);
        if (this.isClosed || this.link.connection !== connection) return;
        this.bucket = bucket;
        this.problem = undefined;
        for (const wake of [...this.waiting]) wake();
        for (const watched of [...this.watched]) this.begin(watched, bucket);
        return;
      } catch (error) {
        this.problem = natsFailure(error).detail;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  private lose(): void {
    this.bucket = undefined;
    for (const watched of [...this.watched]) {
      watched.watch?.end();
      watched.watch = undefined;
      tellLost(watched);
    }
  }

  private begin(watched: Watched, bucket: NatsBucket): void {
    if (watched.isOver || this.bucket !== bucket) return;
    watched.watch = new NatsWatch(bucket, watched.prefix, {
      record: ({ key, value, revision }) =>
        tell(watched, (watcher) => (value === undefined ? watcher.deleted(key, revision) : watcher.changed({ key, value, revision }))),
      current: () => {
        watched.isLost = false;
        tell(watched, (watcher) => watcher.current());
      },
      broken: () => {
        tellLost(watched);
        setTimeout(() => this.begin(watched, bucket), WATCH_RETRY_MS);
      },
    });
  }

  private call<Value>(
    done: (result: StoreResult<Value>) => void,
    work: (bucket: NatsBucket, deadlineMs: number) => Promise<StoreResult<Value>>,
  ): void {
    const deadlineMs = performance.now() + CALL_MS_MAX;
    this.ready()
      .then((bucket) => work(bucket, deadlineMs))
      .catch((error: unknown): StoreResult<Value> => ({ ok: false, ...natsFailure(error) }))
      .then((result) => callOut(() => done(result)))
      .catch(() => undefined);
  }

  private async ready(): Promise<NatsBucket> {
    if (this.bucket === undefined && !this.isClosed && this.waiting.size < CALLS_WAITING_MAX) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, CALL_MS_MAX / 2);
        this.waiting.add(wake);
      });
    }
    if (this.bucket === undefined) throw new Error(this.problem ?? this.link.detail);
    return this.bucket;
  }
}

function tellLost(watched: Watched): void {
  if (watched.isLost) return;
  watched.isLost = true;
  tell(watched, (watcher) => watcher.lost());
}

function tell({ watcher, isOver }: Watched, call: (watcher: StoreWatcher) => void): void {
  if (!isOver) callOut(() => call(watcher));
}

/** Creating over the mark of a deletion is an update of the mark. */
async function created(bucket: NatsBucket, key: string, value: Uint8Array, deadlineMs: number): Promise<number> {
  let expected = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bucket.write(key, value, expected, deadlineMs);
    } catch (error) {
      if (natsFailure(error).failure !== 'conflict' || attempt >= CREATE_ATTEMPTS) throw error;
      const there = await bucket.latest(key, deadlineMs);
      if (there?.value !== undefined) throw error;
      expected = there?.revision ?? 0;
    }
  }
}

const entryOf = ({ key, value, revision }: BucketRecord): StoreEntry | undefined =>
  value === undefined ? undefined : { key, value, revision };

const isRevision = (revision: number): boolean => Number.isSafeInteger(revision) && revision > 0;

function writeProblem(key: string, value: Uint8Array): string | undefined {
  if (!isKey(key)) return badKey(key);
  if (value.length <= STORE_VALUE_BYTES_MAX) return undefined;
  return `the value of ${key} has ${value.length} bytes; ${STORE_VALUE_BYTES_MAX} is the most`;
}

function refuse(detail: string, done: (result: StoreResult<never>) => void): void {
  setImmediate(() => done({ ok: false, failure: 'refused', detail }));
}

function conflict(key: string, done: (result: StoreResult<never>) => void): void {
  setImmediate(() => done({ ok: false, failure: 'conflict', detail: `${key} never has such a revision` }));
}

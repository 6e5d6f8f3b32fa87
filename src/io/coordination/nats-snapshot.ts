import type { BucketRecord, NatsBucket } from './nats-bucket.ts';
import { NatsWatch } from './nats-watch.ts';

const PURGE_MS_MAX = 30_000;
const PURGED_MAX = 1000;

type DatedRecord = BucketRecord & { readonly writtenMs: number };

/** The latest record of each key under a prefix, marks of deletions with them. */
export function readAll(
  bucket: NatsBucket,
  prefix: string,
  deadlineMs: number,
  content: 'all' | 'headers-only' = 'all',
): Promise<readonly DatedRecord[]> {
  return new Promise((resolve, reject) => {
    const records = new Map<string, DatedRecord>();
    const over = (error?: Error): void => {
      clearTimeout(timer);
      watch.end();
      if (error === undefined) resolve([...records.values()]);
      else reject(error);
    };
    const listener = {
      record: (record: BucketRecord, writtenMs: number) => void records.set(record.key, { ...record, writtenMs }),
      current: () => over(),
      broken: () => over(new Error('the list broke off')),
    };
    const watch = new NatsWatch(bucket, prefix, listener, content);
    const timer = setTimeout(() => over(new Error('the list was not complete in time')), Math.max(1, deadlineMs - performance.now()));
  });
}

/** Removes a bounded number of marks of deletions. Ages are by the servers' clock alone: a wrong one here must not remove what watchers are about to be told. */
export async function purgeDeletions(bucket: NatsBucket, keptMs: number): Promise<void> {
  const records = await readAll(bucket, '', performance.now() + PURGE_MS_MAX, 'headers-only');
  const newestMs = records.reduce((newest, { writtenMs }) => Math.max(newest, writtenMs), 0);
  const old = records.filter(({ value, writtenMs }) => value === undefined && writtenMs <= newestMs - keptMs);
  for (const { key, revision } of old.slice(0, PURGED_MAX)) await bucket.purge(key, revision);
}

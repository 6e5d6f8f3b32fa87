// The ports as promises, and what a watcher or subscriber was told.
import { randomUUID } from 'node:crypto';
import type { Bus, BusReply, Store, StoreEntry, StoreResult } from '../../cluster/mod.ts';
import { utf8Decode, utf8Encode } from '../../core/mod.ts';

export interface Client {
  readonly store: Store;
  readonly bus: Bus;
  readonly close: () => Promise<void> | void;
}

/** Makes clients of one engine; all see the same keys. */
export interface Engine {
  open(): Client;
  close(): Promise<void>;
}

export const bytes = (text: string): Uint8Array => utf8Encode(text);
export const text = (value: Uint8Array): string => utf8Decode(value);
export const uniqueName = (): string => `t-${randomUUID().slice(0, 13)}`;

export const get = (store: Store, key: string): Promise<StoreResult<StoreEntry | undefined>> =>
  new Promise((resolve) => store.get(key, resolve));
export const list = (store: Store, prefix: string): Promise<StoreResult<readonly StoreEntry[]>> =>
  new Promise((resolve) => store.list(prefix, resolve));
export const create = (store: Store, key: string, value: string | Uint8Array): Promise<StoreResult<number>> =>
  new Promise((resolve) => store.create(key, typeof value === 'string' ? bytes(value) : value, resolve));
export const update = (store: Store, key: string, value: string, revision: number): Promise<StoreResult<number>> =>
  new Promise((resolve) => store.update(key, bytes(value), revision, resolve));
export const remove = (store: Store, key: string, revision: number): Promise<StoreResult<undefined>> =>
  new Promise((resolve) => store.delete(key, revision, resolve));
export const request = (bus: Bus, subject: string, message: string, timeoutMs = 4000): Promise<BusReply> =>
  new Promise((resolve) => bus.request(subject, bytes(message), timeoutMs, resolve));

/** The value of a result that has to be good. */
export function good<Value>(result: StoreResult<Value>): Value {
  if (!result.ok) throw new Error(`${result.failure}: ${result.detail}`);
  return result.value;
}

/** How a result ended, for tables of results. */
export const how = (result: StoreResult<unknown> | BusReply): string => (result.ok ? 'ok' : result.failure);

/** What a watcher was told, in words, and what it knows by that. */
export class Seen {
  readonly told: string[] = [];
  readonly known = new Map<string, string>();
  readonly end: () => void;
  private readonly revisions = new Map<string, number>();
  private confirmed: Set<string> | undefined = new Set();
  isCurrent = false;

  constructor(store: Store, prefix: string) {
    let isWatching = false;
    const say = (what: string): void => {
      this.told.push(isWatching ? what : `synchronous ${what}`);
    };
    this.end = store.watch(prefix, {
      changed: ({ key, value, revision }) => {
        say(`${key}=${text(value)}`);
        this.order(key, revision);
        this.known.set(key, text(value));
        this.confirmed?.add(key);
      },
      deleted: (key, revision) => {
        say(`-${key}`);
        this.order(key, revision);
        this.known.delete(key);
      },
      current: () => {
        say('current');
        if (this.confirmed !== undefined) for (const key of this.known.keys()) if (!this.confirmed.has(key)) this.known.delete(key);
        this.confirmed = undefined;
        this.isCurrent = true;
      },
      lost: () => {
        say('lost');
        this.confirmed = new Set();
        this.isCurrent = false;
      },
    });
    isWatching = true;
  }

  get object(): Record<string, string> {
    return Object.fromEntries([...this.known].sort());
  }

  private order(key: string, revision: number): void {
    if (revision < (this.revisions.get(key) ?? 0)) this.told.push(`${key} went back to ${revision}`);
    this.revisions.set(key, revision);
  }
}

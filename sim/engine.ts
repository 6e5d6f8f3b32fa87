import type { StoreEntry, StoreWatcher } from '../src/cluster/mod.ts';
import type { Agenda } from './agenda.ts';
import type { EngineClient } from './engine-client.ts';
import type { Random } from './random.ts';

/** An entry with what the first node made of it, for all others. */
export interface SharedEntry extends StoreEntry {
  reading: object | string | undefined;
}

export interface Watch {
  readonly client: EngineClient;
  readonly prefix: string;
  readonly watcher: StoreWatcher;
  isOpen: boolean;
}

export interface Subscription {
  readonly client: EngineClient;
  readonly pattern: string;
  readonly handler: (subject: string, message: Uint8Array) => void;
  isOpen: boolean;
}

export type Serve = (message: Uint8Array, reply: (answer: Uint8Array) => void) => void;

/** Those who listen to one thing, by how long a message takes to them: a message is one event for all that are as far away. */
type Groups<Listener> = Map<number, Set<Listener>>;

export interface EngineFaults {
  /** Of a message to be delivered a second time, up to {@link lateMsMax} later. */
  twice: number;
  /** Of a message to be delivered late. */
  late: number;
  lateMsMax: number;
}

/** A store and a bus for thousands of clients in virtual time. */
export class Engine {
  readonly agenda: Agenda;
  readonly faults: EngineFaults = { twice: 0, late: 0, lateMsMax: 0 };
  private readonly random: Random;
  private readonly clients = new Set<EngineClient>();
  private readonly entries = new Map<string, StoreEntry>();
  private readonly watches = new Map<string, Groups<Watch>>();
  private readonly subscriptions = new Map<string, Groups<Subscription>>();
  private readonly servers = new Map<string, Set<EngineClient>>();
  /** Patterns that a subject matches, as far as that was looked up. */
  private readonly routes = new Map<string, Groups<Subscription>[]>();
  /** Lists of what is under a prefix, for all who ask before something is written. */
  private readonly listed = new Map<string, { readonly revision: number; readonly entries: readonly StoreEntry[] }>();
  private isDown = false;
  private stoppedAt = 0;
  /** When it went away that came back without what it knew, the last time. */
  lostAt: number | undefined = undefined;
  private revision = 0;

  constructor(agenda: Agenda, random: Random) {
    this.agenda = agenda;
    this.random = random;
  }

  get isRunning(): boolean {
    return !this.isDown;
  }

  stop(): void {
    this.isDown = true;
    this.stoppedAt = this.agenda.now;
    for (const client of this.clients) client.reachChanged();
  }

  start(): void {
    this.isDown = false;
    for (const client of this.clients) client.reachChanged();
  }

  /** As an engine whose disk was lost: while it is stopped. */
  wipe(): void {
    this.entries.clear();
    this.listed.clear();
    this.lostAt = this.stoppedAt;
    this.revision = 0;
  }

  add(client: EngineClient): void {
    this.clients.add(client);
  }

  remove(client: EngineClient): void {
    this.clients.delete(client);
  }

  read(key: string): StoreEntry | undefined {
    return this.entries.get(key);
  }

  under(prefix: string): readonly StoreEntry[] {
    const known = this.listed.get(prefix);
    if (known?.revision === this.revision) return known.entries;
    const entries: StoreEntry[] = [];
    for (const entry of this.entries.values()) if (entry.key.startsWith(prefix)) entries.push(entry);
    this.listed.set(prefix, { revision: this.revision, entries });
    return entries;
  }

  /** Writes if the key has `expected` as its revision (0: it is not there); undefined is a conflict. A missing value deletes. */
  write(key: string, value: Uint8Array | undefined, expected: number): number | undefined {
    const known = this.entries.get(key);
    if ((known?.revision ?? 0) !== expected || (value === undefined && known === undefined)) return undefined;
    const revision = ++this.revision;
    const entry: SharedEntry | undefined = value === undefined ? undefined : { key, value, revision, reading: undefined };
    if (entry === undefined) this.entries.delete(key);
    else this.entries.set(key, entry);
    for (const [prefix, groups] of this.watches) {
      if (!key.startsWith(prefix)) continue;
      for (const [latency, group] of groups) {
        this.agenda.after(latency, () => {
          for (const watch of group) watch.client.written(watch, key, revision, entry);
        });
      }
    }
    return revision;
  }

  publish(subject: string, message: Uint8Array): void {
    const { faults, random } = this;
    const delay = faults.late > 0 && random.chance(faults.late) ? random.between(1, faults.lateMsMax) : 0;
    this.deliver(subject, message, delay);
    if (faults.twice > 0 && random.chance(faults.twice)) this.deliver(subject, message, delay + random.between(0, faults.lateMsMax));
  }

  private deliver(subject: string, message: Uint8Array, delay: number): void {
    let routes = this.routes.get(subject);
    if (routes === undefined) {
      routes = [...this.subscriptions].filter(([pattern]) => matches(pattern, subject)).map(([, groups]) => groups);
      this.routes.set(subject, routes);
    }
    for (const groups of routes) {
      for (const [latency, group] of groups) {
        if (group.size === 0) continue;
        this.agenda.after(latency + delay, () => {
          for (const subscription of group) subscription.client.published(subscription, subject, message);
        });
      }
    }
  }

  watch(watch: Watch): void {
    join(this.watches, watch.prefix, watch.client.latencyMs, watch);
  }

  endWatch(watch: Watch): void {
    this.watches.get(watch.prefix)?.get(watch.client.latencyMs)?.delete(watch);
  }

  subscribe(subscription: Subscription): void {
    if (!this.subscriptions.has(subscription.pattern)) this.routes.clear();
    join(this.subscriptions, subscription.pattern, subscription.client.latencyMs, subscription);
  }

  unsubscribe(subscription: Subscription): void {
    this.subscriptions.get(subscription.pattern)?.get(subscription.client.latencyMs)?.delete(subscription);
  }

  serve(subject: string, client: EngineClient): void {
    const servers = this.servers.get(subject);
    if (servers === undefined) this.servers.set(subject, new Set([client]));
    else servers.add(client);
  }

  endServe(subject: string, client: EngineClient): void {
    const servers = this.servers.get(subject);
    servers?.delete(client);
    if (servers?.size === 0) this.servers.delete(subject);
  }

  serverOf(subject: string): EngineClient | undefined {
    for (const client of this.servers.get(subject) ?? []) return client;
    return undefined;
  }
}

function join<Listener>(all: Map<string, Groups<Listener>>, key: string, latency: number, listener: Listener): void {
  let groups = all.get(key);
  if (groups === undefined) {
    groups = new Map();
    all.set(key, groups);
  }
  const group = groups.get(latency);
  if (group === undefined) groups.set(latency, new Set([listener]));
  else group.add(listener);
}

/** `*` stands for one part, `**` at the end for one or more. */
function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('/');
  const parts = subject.split('/');
  const isOpen = wanted.at(-1) === '**';
  const fixed = isOpen ? wanted.slice(0, -1) : wanted;
  if (isOpen ? parts.length < wanted.length : parts.length !== wanted.length) return false;
  return fixed.every((part, at) => part === '*' || part === parts[at]);
}

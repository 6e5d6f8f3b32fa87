import type { StoreEntry, StoreWatcher } from '../src/cluster/mod.ts';
import { type Agenda, Due } from './agenda.ts';
import type { EngineClient } from './engine-client.ts';
import type { Random } from './random.ts';

/** An entry with what the first node made of it, for all others. */
export interface SharedEntry extends StoreEntry {
  reading: object | string | undefined;
}

/** One client that listens to one thing. */
interface Listener<One extends Listener<One>> {
  readonly client: EngineClient;
  isOpen: boolean;
  /** Grows with each that begins to listen: it gets nothing that was on its way before. */
  since: number;
  /** Undefined while the engine does not know it. */
  joined: Joined<One> | undefined;
}

/** In which group it is, and what had come to that before. */
interface Joined<One extends Listener<One>> {
  readonly group: Group<One>;
  readonly messages: number;
  readonly bytes: number;
}

/** A watcher that may be told together with others. */
export interface CrowdWatcher extends StoreWatcher {
  /** All that there is, at once; false: it is to be told of each, and that it is current. */
  replayed?(entries: readonly StoreEntry[]): boolean;
  /** Its process goes on after it stood still, and has done what was left to do. */
  awake?(): void;
  /** From now on it is not told when the others are; `hasLeft`: and not of what is written now, either, until it has seen all anew. */
  parted?(hasLeft: boolean): void;
}

export interface Watch extends Listener<Watch> {
  readonly prefix: string;
  readonly watcher: CrowdWatcher;
}

export interface Subscription extends Listener<Subscription> {
  readonly pattern: string;
  readonly handler: Hear;
  /** For who may be told together with others: from now on it is to be told by itself again. */
  readonly parted: (() => void) | undefined;
  /** The handler itself while the process runs: messages are many, and what is not touched for them need not be fetched from memory. */
  hear: Hear;
}

/** Those that are told of writes as one. */
export interface WatchCrowd {
  told(key: string, entry: StoreEntry | undefined): void;
}

/** Those that hear messages as one. */
export interface HearingCrowd {
  /** `upTo`: for those that began to listen before. Who left it for this message is a listener again, and hears it as these do. */
  heard(message: Uint8Array, upTo: number): void;
}

type CrowdOf<One> = One extends Watch ? WatchCrowd : HearingCrowd;

export type Hear = (subject: string, message: Uint8Array) => void;

export type Serve = (message: Uint8Array, reply: (answer: Uint8Array) => void) => void;

/** Those who listen to one thing and are as far away: a message is one event for all of them. */
export class Group<One extends Listener<One>> {
  readonly latencyMs: number;
  readonly listeners: Set<One> = new Set();
  /** Those that are told as one, beside the listeners. */
  crowd: CrowdOf<One> | undefined = undefined;
  /** What came to it: to each one from when it began to listen. */
  messages = 0;
  bytes = 0;

  constructor(latencyMs: number) {
    this.latencyMs = latencyMs;
  }

  get isEmpty(): boolean {
    return this.listeners.size === 0 && this.crowd === undefined;
  }

  came(bytes: number): void {
    this.messages += 1;
    this.bytes += bytes;
  }
}

/** Of one thing, by how long a message takes. */
type Groups<One extends Listener<One>> = Group<One>[];

/** A message, on its way to those who subscribed. */
class Sent extends Due {
  private readonly group: Group<Subscription>;
  private readonly subject: string;
  private readonly message: Uint8Array;
  private readonly upTo: number;

  constructor(group: Group<Subscription>, subject: string, message: Uint8Array, upTo: number) {
    super();
    this.group = group;
    this.subject = subject;
    this.message = message;
    this.upTo = upTo;
  }

  override run(): void {
    const { group, subject, message, upTo } = this;
    group.came(subject.length + message.length);
    group.crowd?.heard(message, upTo);
    for (const subscription of group.listeners) if (subscription.since <= upTo) subscription.hear(subject, message);
  }
}

/** All under a prefix. */
export interface Listing {
  readonly entries: readonly StoreEntry[];
  /** Of keys and values. */
  readonly bytes: number;
}

/** What is under one prefix, in the order in which it was created. */
interface Listed {
  readonly entries: Map<string, StoreEntry>;
  /** Undefined: something was written since somebody asked. */
  listing: Listing | undefined;
}

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
  /** Who gets what is published under a subject, as far as that was looked up since somebody was the first to listen, or the last. */
  private readonly routes = new Map<string, readonly Group<Subscription>[]>();
  /** Which patterns a subject matches: those that were ever subscribed to. */
  private readonly matching = new Map<string, readonly Groups<Subscription>[]>();
  /** What is under each prefix that anybody asked for. */
  private readonly listed = new Map<string, Listed>();
  private isDown = false;
  private stoppedAt = 0;
  /** Called at each write, at once. */
  onWrite: (key: string) => unknown = () => undefined;
  /** When it went away that came back without what it knew, the last time. */
  lostAt: number | undefined = undefined;
  private revision = 0;
  private joins = 0;

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
    return this.list(prefix).entries;
  }

  /** The same one for all who ask before something under it is written. */
  list(prefix: string): Listing {
    let listed = this.listed.get(prefix);
    if (listed === undefined) {
      const entries = [...this.entries].filter(([key]) => key.startsWith(prefix));
      listed = { entries: new Map(entries), listing: undefined };
      this.listed.set(prefix, listed);
    }
    if (listed.listing === undefined) {
      const entries = [...listed.entries.values()];
      const bytes = entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
      listed.listing = { entries, bytes };
    }
    return listed.listing;
  }

  /** Writes if the key has `expected` as its revision (0: it is not there); undefined is a conflict. A missing value deletes. */
  write(key: string, value: Uint8Array | undefined, expected: number): number | undefined {
    const known = this.entries.get(key);
    if ((known?.revision ?? 0) !== expected || (value === undefined && known === undefined)) return undefined;
    const revision = ++this.revision;
    const entry: SharedEntry | undefined = value === undefined ? undefined : { key, value, revision, reading: undefined };
    if (entry === undefined) this.entries.delete(key);
    else this.entries.set(key, entry);
    this.onWrite(key);
    for (const [prefix, listed] of this.listed) if (key.startsWith(prefix)) relist(listed, key, entry);
    for (const [prefix, groups] of this.watches) {
      if (!key.startsWith(prefix)) continue;
      for (const group of groups) if (!group.isEmpty) this.tell(group, key, revision, entry);
    }
    return revision;
  }

  private tell(group: Group<Watch>, key: string, revision: number, entry: StoreEntry | undefined): void {
    const upTo = this.joins;
    this.agenda.after(group.latencyMs, () => {
      group.came(key.length + (entry?.value.length ?? 0));
      group.crowd?.told(key, entry);
      for (const watch of group.listeners) if (watch.since <= upTo) watch.client.written(watch, key, revision, entry);
    });
  }

  publish(subject: string, message: Uint8Array): void {
    const { faults, random } = this;
    const delay = faults.late > 0 && random.chance(faults.late) ? random.between(1, faults.lateMsMax) : 0;
    this.deliver(subject, message, delay);
    if (faults.twice > 0 && random.chance(faults.twice)) this.deliver(subject, message, delay + random.between(0, faults.lateMsMax));
  }

  private deliver(subject: string, message: Uint8Array, delay: number): void {
    const groups = this.routes.get(subject) ?? this.routeOf(subject);
    for (let at = 0; at < groups.length; at++) {
      const group = groups[at] as Group<Subscription>;
      this.agenda.add(group.latencyMs + delay, new Sent(group, subject, message, this.joins));
    }
  }

  private routeOf(subject: string): readonly Group<Subscription>[] {
    let matching = this.matching.get(subject);
    if (matching === undefined) {
      matching = [...this.subscriptions].filter(([pattern]) => matches(pattern, subject)).map(([, groups]) => groups);
      this.matching.set(subject, matching);
    }
    const groups = matching.flat().filter(({ isEmpty }) => !isEmpty);
    this.routes.set(subject, groups);
    return groups;
  }

  watch(watch: Watch): void {
    watch.since = ++this.joins;
    join(this.watches, watch.prefix, watch);
  }

  subscribe(subscription: Subscription): void {
    if (!this.subscriptions.has(subscription.pattern)) this.matching.clear();
    subscription.since = ++this.joins;
    const group = join(this.subscriptions, subscription.pattern, subscription);
    if (group.listeners.size === 1) this.routes.clear();
  }

  endSubscription(subscription: Subscription): void {
    const group = subscription.joined?.group;
    group?.listeners.delete(subscription);
    if (group?.isEmpty === true) this.routes.clear();
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

function relist(listed: Listed, key: string, entry: StoreEntry | undefined): void {
  if (entry === undefined) listed.entries.delete(key);
  else listed.entries.set(key, entry);
  listed.listing = undefined;
}

function join<One extends Listener<One>>(all: Map<string, Groups<One>>, key: string, listener: One): Group<One> {
  let groups = all.get(key);
  if (groups === undefined) {
    groups = [];
    all.set(key, groups);
  }
  const { latencyMs } = listener.client;
  let group = groups.find((each) => each.latencyMs === latencyMs);
  if (group === undefined) {
    group = new Group(latencyMs);
    groups.push(group);
  }
  const { messages, bytes, listeners } = group;
  listeners.add(listener);
  listener.joined = { group, messages, bytes };
  return group;
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

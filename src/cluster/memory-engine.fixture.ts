import { type MonotonicMs, monotonicMs, type WallMs, wallMs } from '../core/mod.ts';
import type { Bus, BusReply } from './bus.ts';
import { BUS_MESSAGE_BYTES_MAX } from './bus.ts';
import { STORE_VALUE_BYTES_MAX, type Store, type StoreEntry, type StoreFailure, type StoreResult, type StoreWatcher } from './store.ts';

/** How long a call that gets no answer takes to fail. */
const CALL_TIMEOUT_MS = 2000;
const WALL_START_MS = Date.UTC(2026, 0, 1);

/**
 * A store and a bus in memory with a time of its own, for tests: nothing happens but in {@link advance}, and the same calls give the same course each
 * time. Each {@link client} is one node's way to it, and can be cut off alone; {@link stop} takes the engine away from all.
 */
export class MemoryEngine {
  /** What a message takes from a client to the engine, and back. */
  latencyMs = 1;
  private nowMs = 0;
  private isDown = false;
  private readonly events: { readonly at: number; readonly run: () => void }[] = [];
  private readonly clients = new Set<MemoryClient>();
  private readonly entries = new Map<string, StoreEntry>();
  private revision = 0;
  private nextServer = 0;

  /** Runs everything that is due in the next `ms`, in order. */
  advance(ms: number): void {
    const end = this.nowMs + ms;
    for (let next = this.events[0]; next !== undefined && next.at <= end; next = this.events[0]) {
      this.events.shift();
      this.nowMs = Math.max(this.nowMs, next.at);
      next.run();
    }
    this.nowMs = end;
  }

  now(): MonotonicMs {
    return monotonicMs(this.nowMs);
  }

  /** Runs `action` in `ms` of the engine's time. */
  after(ms: number, action: () => void): void {
    const at = this.nowMs + ms;
    // Sorted by time; those of the same time stay in the order in which they came.
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.events[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    this.events.splice(low, 0, { at, run: action });
  }

  /** Runs `action` each `ms`, beginning in `ms`. Returns a function that ends it. */
  every(ms: number, action: () => void): () => void {
    let isEnded = false;
    const again = (): void => {
      if (isEnded) return;
      action();
      this.after(ms, again);
    };
    this.after(ms, again);
    return () => {
      isEnded = true;
    };
  }

  client(): MemoryClient {
    const client = new MemoryClient(this);
    this.clients.add(client);
    return client;
  }

  /** Out of reach for everybody; what is stored stays. */
  stop(): void {
    this.isDown = true;
    for (const client of this.clients) client.reachChanged();
  }

  start(): void {
    this.isDown = false;
    for (const client of this.clients) client.reachChanged();
  }

  /** Forgets all that is stored without telling anybody, as an engine whose disk was lost does; between {@link stop} and {@link start}. */
  wipe(): void {
    this.entries.clear();
    this.revision = 0;
  }

  get isRunning(): boolean {
    return !this.isDown;
  }

  /** What is stored now, for a test to look at. */
  read(key: string): StoreEntry | undefined {
    return this.entries.get(key);
  }

  under(prefix: string): readonly StoreEntry[] {
    return [...this.entries.values()].filter(({ key }) => key.startsWith(prefix)).sort((left, right) => (left.key < right.key ? -1 : 1));
  }

  /** Writes if the key has `expected` as its revision (0: it is not there); undefined is a conflict. A missing value deletes. */
  write(key: string, value: Uint8Array | undefined, expected: number): number | undefined {
    const known = this.entries.get(key);
    if ((known?.revision ?? 0) !== expected || (value === undefined && known === undefined)) return undefined;
    const revision = ++this.revision;
    if (value === undefined) this.entries.delete(key);
    else this.entries.set(key, { key, value: value.slice(), revision });
    for (const client of this.clients) client.written(key, revision, this.entries.get(key));
    return revision;
  }

  deliver(subject: string, message: Uint8Array): void {
    for (const client of this.clients) client.delivered(subject, message.slice());
  }

  /** One of the connected clients that serve the subject, in turn. */
  serverOf(subject: string): MemoryClient | undefined {
    const serving = [...this.clients].filter((client) => client.isConnected && client.serves(subject));
    return serving[this.nextServer++ % Math.max(1, serving.length)];
  }
}

type Serve = (message: Uint8Array, reply: (answer: Uint8Array) => void) => void;
interface Watch {
  readonly prefix: string;
  readonly watcher: StoreWatcher;
  isEnded: boolean;
}

/** One node's way to the engine. */
export class MemoryClient {
  readonly store: Store;
  readonly bus: Bus;
  /** The node's clocks; `wallOffsetMs` puts the wall clock wrong. */
  readonly clock: { monotonic(): MonotonicMs; wall(): WallMs };
  wallOffsetMs = 0;
  private readonly engine: MemoryEngine;
  private isCut = false;
  private wasConnected = true;
  private readonly watches = new Set<Watch>();
  private readonly subscriptions = new Set<{
    readonly pattern: string;
    readonly handler: (subject: string, message: Uint8Array) => void;
  }>();
  private readonly servers = new Map<string, Serve>();
  private readonly connectedHandlers = new Set<(isConnected: boolean) => void>();

  constructor(engine: MemoryEngine) {
    this.engine = engine;
    this.store = this.makeStore();
    this.bus = this.makeBus();
    this.clock = { monotonic: () => engine.now(), wall: () => wallMs(WALL_START_MS + engine.now() + this.wallOffsetMs) };
  }

  get isConnected(): boolean {
    return !this.isCut && this.engine.isRunning;
  }

  /** Cuts this client alone off the engine. */
  cut(): void {
    this.isCut = true;
    this.reachChanged();
  }

  heal(): void {
    this.isCut = false;
    this.reachChanged();
  }

  /** The engine's: its reach, or this client's, may have changed. */
  reachChanged(): void {
    if (this.isConnected === this.wasConnected) return;
    this.wasConnected = this.isConnected;
    const { isConnected } = this;
    for (const handler of this.connectedHandlers) this.later(() => this.connectedHandlers.has(handler) && handler(isConnected));
    for (const watch of this.watches) {
      if (isConnected) this.replay(watch);
      else this.later(() => watch.isEnded || watch.watcher.lost());
    }
  }

  /** The engine's: a key was written or deleted. */
  written(key: string, revision: number, entry: StoreEntry | undefined): void {
    if (!this.isConnected) return;
    for (const watch of this.watches) {
      if (!key.startsWith(watch.prefix)) continue;
      this.later(() => {
        if (watch.isEnded || !this.isConnected) return;
        if (entry === undefined) watch.watcher.deleted(key, revision);
        else watch.watcher.changed(entry);
      });
    }
  }

  /** The engine's: a message for whoever subscribed. */
  delivered(subject: string, message: Uint8Array): void {
    if (!this.isConnected) return;
    for (const subscription of this.subscriptions) {
      if (!matches(subscription.pattern, subject)) continue;
      this.later(() => {
        if (this.subscriptions.has(subscription) && this.isConnected) subscription.handler(subject, message);
      });
    }
  }

  serves(subject: string): boolean {
    return this.servers.has(subject);
  }

  /** The engine's: a request for this client to answer. */
  asked(subject: string, message: Uint8Array, reply: (answer: Uint8Array) => void): void {
    this.later(() => this.isConnected && this.servers.get(subject)?.(message.slice(), (answer) => this.later(() => reply(answer.slice()))));
  }

  private later(action: () => void): void {
    this.engine.after(this.engine.latencyMs, action);
  }

  private replay(watch: Watch): void {
    this.later(() => {
      if (watch.isEnded || !this.isConnected) return;
      for (const entry of this.engine.under(watch.prefix)) watch.watcher.changed(entry);
      watch.watcher.current();
    });
  }

  /** There and back; what is cut on the way there is not done, what is cut on the way back was done all the same. */
  private call<Value>(run: () => StoreResult<Value>, done: (result: StoreResult<Value>) => void): void {
    const unavailable = (): void => done({ ok: false, failure: 'unavailable', detail: 'the engine is out of reach' });
    const sentAt = this.engine.now();
    const fail = (): void => this.engine.after(Math.max(0, sentAt + CALL_TIMEOUT_MS - this.engine.now()), unavailable);
    if (!this.isConnected) {
      fail();
      return;
    }
    this.later(() => {
      if (!this.isConnected) {
        fail();
        return;
      }
      const result = run();
      this.later(() => (this.isConnected ? done(result) : fail()));
    });
  }

  private makeStore(): Store {
    const write = (key: string, value: Uint8Array | undefined, expected: number): StoreResult<number> => {
      if (value !== undefined && value.length > STORE_VALUE_BYTES_MAX) return failed('refused', 'the value is too long');
      const revision = this.engine.write(key, value, expected);
      return revision === undefined ? failed('conflict', `${key} is not at revision ${expected}`) : { ok: true, value: revision };
    };
    return {
      get: (key, done) => this.call(() => ({ ok: true, value: this.engine.read(key) }), done),
      list: (prefix, done) => this.call(() => ({ ok: true, value: this.engine.under(prefix) }), done),
      create: (key, value, done) => this.call(() => write(key, value, 0), done),
      update: (key, value, revision, done) => this.call(() => write(key, value, revision), done),
      delete: (key, revision, done) =>
        this.call(() => {
          const result = write(key, undefined, revision);
          return result.ok ? { ok: true, value: undefined } : result;
        }, done),
      watch: (prefix, watcher) => {
        const watch: Watch = { prefix, watcher, isEnded: false };
        this.watches.add(watch);
        if (this.isConnected) this.replay(watch);
        else this.later(() => watch.isEnded || watcher.lost());
        return () => {
          watch.isEnded = true;
          this.watches.delete(watch);
        };
      },
    };
  }

  private makeBus(): Bus {
    const { engine } = this;
    return {
      publish: (subject, message) => {
        if (!this.isConnected || message.length > BUS_MESSAGE_BYTES_MAX) return;
        this.later(() => this.isConnected && engine.deliver(subject, message));
      },
      subscribe: (pattern, handler) => {
        const subscription = { pattern, handler };
        this.subscriptions.add(subscription);
        return () => this.subscriptions.delete(subscription);
      },
      request: (subject, message, timeoutMs, done) => this.request(subject, message, timeoutMs, done),
      serve: (subject, handler) => {
        this.servers.set(subject, handler);
        return () => this.servers.delete(subject);
      },
      onConnected: (handler) => {
        this.connectedHandlers.add(handler);
        this.later(() => this.connectedHandlers.has(handler) && handler(this.isConnected));
        return () => this.connectedHandlers.delete(handler);
      },
    };
  }

  private request(subject: string, message: Uint8Array, timeoutMs: number, done: (reply: BusReply) => void): void {
    let isDone = false;
    const once = (reply: BusReply): void => {
      if (isDone) return;
      isDone = true;
      done(reply);
    };
    if (!this.isConnected) {
      this.later(() => once({ ok: false, failure: 'unavailable' }));
      return;
    }
    this.engine.after(timeoutMs, () => once({ ok: false, failure: 'timeout' }));
    this.later(() => {
      const server = this.engine.serverOf(subject);
      if (server === undefined) return this.later(() => once({ ok: false, failure: 'nobody' }));
      server.asked(subject, message, (answer) => this.later(() => this.isConnected && once({ ok: true, value: answer })));
    });
  }
}

const failed = (failure: StoreFailure, detail: string): { ok: false; failure: StoreFailure; detail: string } => ({
  ok: false,
  failure,
  detail,
});

/** Whether a subject is one of a pattern's: `*` stands for one part, `**` at the end for one or more. */
function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('/');
  const parts = subject.split('/');
  if (wanted.at(-1) === '**')
    return parts.length >= wanted.length && wanted.slice(0, -1).every((part, at) => part === '*' || part === parts[at]);
  return parts.length === wanted.length && wanted.every((part, at) => part === '*' || part === parts[at]);
}

import type { Bus, BusReply, Store, StoreEntry, StoreFailure, StoreResult } from '../src/cluster/mod.ts';
import { type MonotonicMs, monotonicMs } from '../src/core/mod.ts';
import { Due } from './agenda.ts';
import type { CrowdWatcher, Engine, Hear, Serve, Subscription, Watch } from './engine.ts';

/** A call without an answer fails after so long, as {@link Store} says. */
const CALL_TIMEOUT_MS = 5_000;
/** What a message is longer on the wire than its subject and value, roughly. */
const FRAMING_BYTES = 64;

/** A process's event loop. */
export interface EventLoop {
  /** Runs it at once, or when the process goes on; it is lost with the process. */
  hand(run: () => void): void;
  /** A watch was told something. */
  stirred(): void;
}

/** A message on its way to the engine. */
class Publishing extends Due {
  private readonly client: EngineClient;
  private readonly engine: Engine;
  private readonly subject: string;
  private readonly message: Uint8Array;

  constructor(client: EngineClient, engine: Engine, subject: string, message: Uint8Array) {
    super();
    this.client = client;
    this.engine = engine;
    this.subject = subject;
    this.message = message;
  }

  override run(): void {
    if (this.client.isConnected) this.engine.publish(this.subject, this.message);
  }
}

/** One process's way to the engine. */
export class EngineClient {
  readonly store: Store;
  readonly bus: Bus;
  private isRunning = true;
  /** What went between it and the engine, but for what came to those that listen now. */
  private messages = 0;
  private bytes = 0;
  /** One way. */
  latencyMs: number;
  private readonly engine: Engine;
  private readonly loop: EventLoop;
  private isCut: boolean;
  private isClosed = false;
  private wasConnected: boolean;
  private readonly watches = new Set<Watch>();
  private readonly subscriptions = new Set<Subscription>();
  private readonly servers = new Map<string, Serve>();
  private readonly connectedHandlers = new Set<(isConnected: boolean) => void>();

  constructor(engine: Engine, options: { readonly latencyMs: number; readonly isCut: boolean; readonly loop: EventLoop }) {
    this.engine = engine;
    this.latencyMs = options.latencyMs;
    this.loop = options.loop;
    this.isCut = options.isCut;
    this.wasConnected = this.isConnected;
    this.store = this.makeStore();
    this.bus = this.makeBus();
    engine.add(this);
  }

  /** What went between it and the engine, in both directions. */
  get traffic(): { readonly messages: number; readonly bytes: number } {
    let { messages, bytes } = this;
    for (const { joined } of [...this.watches, ...this.subscriptions]) {
      if (joined === undefined) continue;
      const came = joined.group.messages - joined.messages;
      messages += came;
      bytes += joined.group.bytes - joined.bytes + came * FRAMING_BYTES;
    }
    return { messages, bytes };
  }

  get now(): MonotonicMs {
    return monotonicMs(this.engine.agenda.now);
  }

  /** The process lives and does not stand still, so that what comes for it runs at once. */
  get isAwake(): boolean {
    return this.isRunning;
  }

  /** The process stands still. */
  sleep(): void {
    for (const { watcher } of this.watches) watcher.parted?.(false);
    for (const subscription of this.subscriptions) {
      subscription.parted?.();
      subscription.hear = this.hearLater(subscription);
    }
    this.isRunning = false;
  }

  /** The process goes on; `catchUp` does what waits. */
  wake(catchUp: () => void): void {
    catchUp();
    this.isRunning = true;
    for (const subscription of this.subscriptions) subscription.hear = subscription.handler;
    for (const { watcher } of this.watches) watcher.awake?.();
  }

  /** A watch was told something. */
  stirred(): void {
    this.loop.stirred();
  }

  get isConnected(): boolean {
    return !this.isCut && !this.isClosed && this.engine.isRunning;
  }

  setCut(isCut: boolean): void {
    this.isCut = isCut;
    this.reachChanged();
  }

  /** Another way to the engine is a new connection, made when nothing is under way on the old one any more. */
  setLatency(latencyMs: number, isCutStill: () => boolean): void {
    const before = this.latencyMs;
    this.setCut(true);
    this.engine.agenda.after(before + 1, () => {
      if (this.isClosed) return;
      // It came back meanwhile, by the way that it had before: it leaves that first.
      if (!this.isCut) return this.setLatency(latencyMs, isCutStill);
      this.latencyMs = latencyMs;
      this.setCut(isCutStill());
    });
  }

  /** As the process died: the engine forgets it at once. */
  close(): void {
    if (this.wasConnected) this.leave();
    this.isClosed = true;
    this.isRunning = false;
    this.engine.remove(this);
  }

  /** The engine's: its reach, or this client's, may have changed. */
  reachChanged(): void {
    const { isConnected } = this;
    if (isConnected === this.wasConnected) return;
    this.wasConnected = isConnected;
    if (isConnected) this.arrive();
    else this.leave();
    for (const handler of this.connectedHandlers) this.later(() => this.connectedHandlers.has(handler) && handler(isConnected));
    for (const watch of this.watches) {
      if (isConnected) this.replay(watch);
      else this.later(() => watch.isOpen && watch.watcher.lost());
    }
  }

  /** The engine's: a request for this client to answer. */
  asked(subject: string, message: Uint8Array, reply: (answer: Uint8Array) => void): void {
    this.count(subject.length + message.length);
    this.later(() => {
      if (!this.isConnected) return;
      this.servers.get(subject)?.(message, (answer) => {
        this.count(answer.length);
        this.afterLatency(() => reply(answer));
      });
    });
  }

  /** The engine's: a key under the watch's prefix was written, or deleted. */
  written(watch: Watch, key: string, revision: number, entry: StoreEntry | undefined): void {
    const { loop } = this;
    if (this.isRunning) {
      tell(watch, key, revision, entry);
      loop.stirred();
    } else {
      loop.hand(() => tell(watch, key, revision, entry));
    }
  }

  /** For a process that stands still. */
  private hearLater(subscription: Subscription): Hear {
    return (subject, message) => this.loop.hand(() => subscription.isOpen && subscription.handler(subject, message));
  }

  private arrive(): void {
    for (const watch of this.watches) this.engine.watch(watch);
    for (const subscription of this.subscriptions) this.engine.subscribe(subscription);
    for (const subject of this.servers.keys()) this.engine.serve(subject, this);
  }

  private leave(): void {
    for (const watch of this.watches) this.leavesWatch(watch);
    for (const subscription of this.subscriptions) this.leavesSubscription(subscription);
    for (const subject of this.servers.keys()) this.engine.endServe(subject, this);
  }

  private leavesWatch(watch: Watch): void {
    watch.watcher.parted?.(true);
    watch.joined?.group.listeners.delete(watch);
    this.leaves(watch);
  }

  private leavesSubscription(subscription: Subscription): void {
    subscription.parted?.();
    this.engine.endSubscription(subscription);
    this.leaves(subscription);
  }

  private leaves(listener: Watch | Subscription): void {
    const { joined } = listener;
    if (joined === undefined) return;
    listener.joined = undefined;
    const came = joined.group.messages - joined.messages;
    this.messages += came;
    this.bytes += joined.group.bytes - joined.bytes + came * FRAMING_BYTES;
  }

  private count(bytes: number): void {
    this.messages += 1;
    this.bytes += bytes + FRAMING_BYTES;
  }

  private afterLatency(run: () => void): void {
    this.engine.agenda.after(this.latencyMs, run);
  }

  /** In the process's own event loop, behind what is on its way already. */
  private later(run: () => void): void {
    this.afterLatency(() => {
      if (!this.isClosed) this.loop.hand(run);
    });
  }

  private replay(watch: Watch): void {
    const { entries, bytes } = this.engine.list(watch.prefix);
    const { since, watcher } = watch;
    this.later(() => {
      // What was on its way on an earlier connection is lost with it.
      if (!watch.isOpen || !this.isConnected || watch.since !== since) return;
      this.messages += entries.length;
      this.bytes += bytes + entries.length * FRAMING_BYTES;
      if (watcher.replayed?.(entries) === true) return;
      for (const entry of entries) watcher.changed(entry);
      watcher.current();
    });
  }

  private call<Value>(bytes: number, run: () => StoreResult<Value>, done: (result: StoreResult<Value>) => void): void {
    const { engine } = this;
    const sentAt = engine.agenda.now;
    const fail = (): void =>
      engine.agenda.after(sentAt + CALL_TIMEOUT_MS - engine.agenda.now, () => {
        if (!this.isClosed) this.loop.hand(() => done({ ok: false, failure: 'unavailable', detail: 'the engine is out of reach' }));
      });
    if (!this.isConnected) {
      fail();
      return;
    }
    this.count(bytes);
    this.afterLatency(() => {
      // What is cut on the way there is not done, what is cut on the way back was done all the same.
      if (!this.isConnected) return fail();
      const result = run();
      this.afterLatency(() => {
        if (!this.isConnected) return fail();
        this.count(0);
        this.loop.hand(() => done(result));
      });
    });
  }

  private makeStore(): Store {
    const { engine } = this;
    const write = (key: string, value: Uint8Array | undefined, expected: number): StoreResult<number> => {
      const revision = engine.write(key, value, expected);
      return revision === undefined ? failed('conflict', `${key} is not at revision ${expected}`) : { ok: true, value: revision };
    };
    return {
      get: (key, done) => this.call<StoreEntry | undefined>(key.length, () => ({ ok: true, value: engine.read(key) }), done),
      list: (prefix, done) => this.call<readonly StoreEntry[]>(prefix.length, () => ({ ok: true, value: engine.under(prefix) }), done),
      create: (key, value, done) => this.call(key.length + value.length, () => write(key, value, 0), done),
      update: (key, value, revision, done) => this.call(key.length + value.length, () => write(key, value, revision), done),
      delete: (key, revision, done) => {
        const remove = (): StoreResult<undefined> => {
          const result = write(key, undefined, revision);
          return result.ok ? { ok: true, value: undefined } : result;
        };
        this.call(key.length, remove, done);
      },
      watch: (prefix, watcher) => {
        const watch = this.watch(prefix, watcher);
        return () => this.endWatch(watch);
      },
    };
  }

  watch(prefix: string, watcher: CrowdWatcher): Watch {
    const watch: Watch = { client: this, prefix, watcher, isOpen: true, since: 0, joined: undefined };
    this.watches.add(watch);
    if (this.isConnected) {
      this.engine.watch(watch);
      this.replay(watch);
    } else {
      this.later(() => watch.isOpen && watcher.lost());
    }
    return watch;
  }

  endWatch(watch: Watch): void {
    watch.isOpen = false;
    if (this.watches.delete(watch)) this.leavesWatch(watch);
  }

  private makeBus(): Bus {
    const { engine } = this;
    return {
      publish: (subject, message) => {
        if (!this.isConnected) return;
        this.count(subject.length + message.length);
        engine.agenda.add(this.latencyMs, new Publishing(this, engine, subject, message));
      },
      subscribe: (pattern, handler) => {
        const subscription = this.subscribe(pattern, handler);
        return () => this.endSubscription(subscription);
      },
      request: (subject, message, timeoutMs, done) => this.request(subject, message, timeoutMs, done),
      serve: (subject, handler) => {
        this.servers.set(subject, handler);
        if (this.isConnected) engine.serve(subject, this);
        return () => {
          this.servers.delete(subject);
          engine.endServe(subject, this);
        };
      },
      onConnected: (handler) => {
        this.connectedHandlers.add(handler);
        this.later(() => this.connectedHandlers.has(handler) && handler(this.isConnected));
        return () => this.connectedHandlers.delete(handler);
      },
    };
  }

  /** `parted`: for who may be told together with others. */
  subscribe(pattern: string, handler: Hear, parted?: () => void): Subscription {
    const subscription: Subscription = { client: this, pattern, handler, parted, hear: handler, isOpen: true, since: 0, joined: undefined };
    this.subscriptions.add(subscription);
    if (this.isConnected) this.engine.subscribe(subscription);
    return subscription;
  }

  endSubscription(subscription: Subscription): void {
    subscription.isOpen = false;
    this.subscriptions.delete(subscription);
    this.leavesSubscription(subscription);
  }

  private request(subject: string, message: Uint8Array, timeoutMs: number, done: (reply: BusReply) => void): void {
    let isDone = false;
    const once = (reply: BusReply): void => {
      if (isDone || this.isClosed) return;
      isDone = true;
      this.loop.hand(() => done(reply));
    };
    if (!this.isConnected) {
      this.afterLatency(() => once({ ok: false, failure: 'unavailable' }));
      return;
    }
    this.count(subject.length + message.length);
    this.engine.agenda.after(timeoutMs, () => once({ ok: false, failure: 'timeout' }));
    this.afterLatency(() => {
      if (!this.isConnected) return;
      const server = this.engine.serverOf(subject);
      if (server === undefined) return this.afterLatency(() => once({ ok: false, failure: 'nobody' }));
      server.asked(subject, message, (answer) => this.afterLatency(() => this.isConnected && once({ ok: true, value: answer })));
    });
  }
}

function tell({ isOpen, watcher }: Watch, key: string, revision: number, entry: StoreEntry | undefined): void {
  if (!isOpen) return;
  if (entry === undefined) watcher.deleted(key, revision);
  else watcher.changed(entry);
}

const failed = (failure: StoreFailure, detail: string): { ok: false; failure: StoreFailure; detail: string } => ({
  ok: false,
  failure,
  detail,
});

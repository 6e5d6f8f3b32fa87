import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { createInbox, type Msg, nanos, type Subscription } from '@nats-io/transport-node';
import { type BucketRecord, isDeletion, type NatsBucket } from './nats-bucket.ts';

const HEARTBEAT_MS = 1000;
/** So many checks of {@link HEARTBEAT_MS} without a sign: the consumer is gone, with its server or without. */
const SILENT_CHECKS_MAX = 3;
const SNAPSHOT_MS_MAX = 10_000;
const START_MS_MAX = 4000;
/** JetStream removes the consumer of a watcher that is gone after this. */
const ABANDONED_MS = 10_000;
const STATUS_CONTROL = 100;

export interface NatsWatchListener {
  record(record: BucketRecord, writtenMs: number): void;
  current(): void;
  /** It has ended by itself: something was missed, or the server is silent. */
  broken(): void;
}

/**
 * One pass over the keys under a prefix: what is there, `current`, then what changes, in the order of the stream, until a gap. It is a push consumer that
 * begins with the last message of each subject. JetStream may run it on a replica that is behind; so the leader is asked for the prefix's latest
 * revision at the beginning, and what is there is told when that has come: whoever had a newer value from an earlier pass never gets an older one.
 */
export class NatsWatch {
  private readonly bucket: NatsBucket;
  private readonly prefix: string;
  private readonly listener: NatsWatchListener;
  private readonly content: 'all' | 'headers-only';
  private subscription: Subscription | undefined;
  private timer: NodeJS.Timeout | undefined;
  private consumer: string | undefined;
  /** The revision that has to come before all is told; undefined: not known yet. */
  private target: number | undefined;
  private hasReachedEnd = false;
  private isCurrent = false;
  private lastRevision = 0;
  private lastSequence = 0;
  /** What is there as far as it has come, the latest of each key, in the order of the stream; told with `current`. */
  private readonly found = new Map<string, { readonly record: BucketRecord; readonly writtenMs: number }>();
  private silentChecks = 0;
  private isOver = false;

  /** `headers-only`: all values are empty. */
  constructor(bucket: NatsBucket, prefix: string, listener: NatsWatchListener, content: 'all' | 'headers-only' = 'all') {
    this.bucket = bucket;
    this.prefix = prefix;
    this.listener = listener;
    this.content = content;
    this.start().catch(() => this.break());
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.timer);
    const { connection, manager, stream } = this.bucket;
    if (connection.isClosed()) return;
    this.subscription?.unsubscribe();
    if (this.consumer !== undefined) manager.consumers.delete(stream, this.consumer).catch(() => undefined);
  }

  private async start(): Promise<void> {
    const { connection, manager, stream } = this.bucket;
    const inbox = createInbox(this.bucket.inboxPrefix);
    this.subscription = connection.subscribe(inbox, {
      callback: (error, message) => (error === null ? this.receive(message) : this.break()),
    });
    const [latest, consumer] = await Promise.all([
      this.bucket.latest(this.prefix, performance.now() + START_MS_MAX),
      manager.consumers.add(stream, {
        deliver_subject: inbox,
        deliver_policy: DeliverPolicy.LastPerSubject,
        ack_policy: AckPolicy.None,
        filter_subject: this.bucket.subject(this.prefix),
        headers_only: this.content === 'headers-only',
        flow_control: true,
        idle_heartbeat: nanos(HEARTBEAT_MS),
        inactive_threshold: nanos(ABANDONED_MS),
        mem_storage: true,
        num_replicas: 1,
      }),
    ]);
    this.consumer = consumer.name;
    if (this.isOver) {
      manager.consumers.delete(stream, consumer.name).catch(() => undefined);
      return;
    }
    this.target = latest?.revision ?? 0;
    if (consumer.num_pending === 0) this.hasReachedEnd = true;
    this.checkCurrent();
    this.watchSilence();
  }

  private watchSilence(): void {
    const snapshotUntil = performance.now() + SNAPSHOT_MS_MAX;
    this.timer = setInterval(() => {
      this.silentChecks += 1;
      if (this.silentChecks >= SILENT_CHECKS_MAX || (!this.isCurrent && performance.now() > snapshotUntil)) this.break();
    }, HEARTBEAT_MS).unref();
  }

  private receive(message: Msg): void {
    if (this.isOver) return;
    this.silentChecks = 0;
    if (message.headers?.code === STATUS_CONTROL) {
      this.control(message);
      return;
    }
    const place = parsePlace(message.reply ?? '');
    if (place === undefined || place.sequence !== this.lastSequence + 1) {
      this.break();
      return;
    }
    this.lastSequence = place.sequence;
    this.lastRevision = place.revision;
    // A copy, for the message is a view into whatever else came with it.
    const value = isDeletion(message.headers) ? undefined : new Uint8Array(message.data);
    this.take({ key: this.bucket.key(message.subject), value, revision: place.revision }, place.writtenMs);
    if (place.pending === 0) this.hasReachedEnd = true;
    this.checkCurrent();
  }

  private take(record: BucketRecord, writtenMs: number): void {
    if (this.isCurrent) {
      this.listener.record(record, writtenMs);
      return;
    }
    // At the end, behind all that came before.
    this.found.delete(record.key);
    this.found.set(record.key, { record, writtenMs });
  }

  private control(message: Msg): void {
    if (message.reply !== undefined && message.reply !== '') {
      message.respond();
      return;
    }
    const stalled = message.headers?.get('Nats-Consumer-Stalled') ?? '';
    if (stalled !== '') this.bucket.connection.publish(stalled);
    const sent = Number(message.headers?.get('Nats-Last-Consumer') ?? Number.NaN);
    if (sent > this.lastSequence) this.break();
    else if (sent === this.lastSequence && stalled === '') this.idle(Number(message.headers?.get('Nats-Last-Stream') ?? 0));
  }

  /** It has nothing more to send of what there is up to `revision`: what is pending is counted wrong where keys are written while they are looked through. */
  private idle(revision: number): void {
    this.hasReachedEnd = true;
    if (revision > this.lastRevision) this.lastRevision = revision;
    this.checkCurrent();
  }

  private checkCurrent(): void {
    if (this.isOver || this.isCurrent || !this.hasReachedEnd || this.target === undefined || this.lastRevision < this.target) return;
    this.isCurrent = true;
    const found = [...this.found.values()];
    this.found.clear();
    for (const { record, writtenMs } of found) {
      if (!this.isOver) this.listener.record(record, writtenMs);
    }
    if (!this.isOver) this.listener.current();
  }

  private break(): void {
    if (this.isOver) return;
    this.end();
    this.listener.broken();
  }
}

interface Place {
  readonly revision: number;
  /** Of the consumer's deliveries; grows by one. */
  readonly sequence: number;
  readonly pending: number;
  /** By the servers' wall clock. */
  readonly writtenMs: number;
}

const PLACE_TOKENS = 9;

/** Reads `$JS.ACK.STREAM.CONSUMER.DELIVERIES.REVISION.SEQUENCE.TIME.PENDING`; newer servers put a domain and an account after `ACK`. */
function parsePlace(reply: string): Place | undefined {
  const tokens = reply.split('.');
  if (tokens.length < PLACE_TOKENS) return undefined;
  const at = tokens.length === PLACE_TOKENS ? 5 : 7;
  const [revision = Number.NaN, sequence = Number.NaN, writtenNs = Number.NaN, pending = Number.NaN] = tokens.slice(at).map(Number);
  const writtenMs = writtenNs / 1e6;
  return Number.isSafeInteger(revision + sequence + pending) ? { revision, sequence, pending, writtenMs } : undefined;
}

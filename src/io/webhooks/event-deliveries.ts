import type pino from 'pino';
import {
  type Delivery,
  DeliveryQueue,
  type DeliveryQueueOutput,
  type EventsHook,
  isClusterEvent,
  type WebhookEventType,
  type WebhookReplica,
} from '../../access/mod.ts';
import { isoTime, newId } from '../access/hashed-key.ts';
import type { Clock } from '../clock.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { HookCounts } from './hook-counts.ts';
import type { HookSender, Sent } from './hook-sender.ts';
import type { Outbox } from './outbox.ts';

/** Something that happened. */
export interface HookEvent {
  readonly type: WebhookEventType;
  /** Absent: it concerns the whole cluster. */
  readonly app?: string;
  /** `app/name`. */
  readonly stream?: string;
  /** Events of one lane come in their order. */
  readonly lane: string;
  /** The same of several nodes that tell of the same; absent: one of its own. */
  readonly id?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventDeliveriesOptions {
  readonly hooks: WebhookReplica;
  readonly sender: HookSender;
  readonly outbox: Outbox;
  readonly deliveryLog: DeliveryLog;
  readonly deadLetters: DeadLetters;
  readonly counts: HookCounts;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: pino.Logger;
}

const PER_HOOK_MAX = 10_000;
const WAITING_MAX = 100_000;
const IN_FLIGHT_MAX = 4;
const ATTEMPT_MS_MAX = 10_000;
const TICK_MS = 250;
/** Events that happen before the outbox of the process before was read, and before the hooks were. */
const EARLY_MAX = 10_000;
const DEAD_AGAIN_MS = 30_000;
const DROPPED_LOG_EVERY = 100;

const isDelivered = (sent: Sent): boolean => 'status' in sent && sent.status >= 200 && sent.status < 300;

/** Tells hooks what happened: kept in the outbox first, sent until it arrives, a dead letter in the end. */
export class EventDeliveries implements DeliveryQueueOutput {
  private readonly options: EventDeliveriesOptions;
  private readonly queue: DeliveryQueue;
  private readonly lastSent = new Map<string, Sent>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly ticker: NodeJS.Timeout;
  private left: readonly Delivery[] | undefined;
  private early: Delivery[] | undefined = [];
  /** What happened before it was known which hooks there are. */
  private readonly unread: { readonly event: HookEvent; readonly at: number }[] = [];
  private dropped = 0;
  private isClosed = false;

  constructor(options: EventDeliveriesOptions) {
    this.options = options;
    this.queue = new DeliveryQueue(this, {
      perHookMax: PER_HOOK_MAX,
      waitingMax: WAITING_MAX,
      inFlightMax: IN_FLIGHT_MAX,
      random: options.random,
    });
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    void options.outbox.load().then((left) => {
      this.left = left;
      this.begin();
    });
  }

  /** Deliveries that wait or are being sent. */
  get waiting(): number {
    return this.queue.size + (this.early?.length ?? 0);
  }

  publish(event: HookEvent): void {
    const at = Math.round(this.options.clock.wall());
    if (this.options.hooks.isRead && this.unread.length === 0) this.tell(event, at);
    else if (this.unread.length < EARLY_MAX) this.unread.push({ event, at });
  }

  private tell(event: HookEvent, now: number): void {
    const { hooks, nodeId } = this.options;
    const id = event.id ?? newId();
    const { type, app, stream, lane, data } = event;
    const fields = { ...(app === undefined ? {} : { app }), ...(stream === undefined ? {} : { stream }) };
    const body = JSON.stringify({ v: 1, id, type, ...fields, node: nodeId, time: isoTime(now), data });
    for (const hook of hooks.events(app)) {
      if (!hook.types.includes(type) || (app === undefined) !== isClusterEvent(type)) continue;
      this.accept({ id, hook: hook.id, type, lane, body, createdAtMs: now, deadlineMs: deadlineOf(hook, now), attempts: 0 });
    }
  }

  /** Sends a dead letter like a new event; false when too many wait for its hook. */
  async again(hook: EventsHook, letter: Omit<Delivery, 'deadlineMs' | 'attempts'>): Promise<boolean> {
    const now = Math.round(this.options.clock.wall());
    const { id, type, lane, body, createdAtMs } = letter;
    const isTaken = this.accept({ id, hook: hook.id, type, lane, body, createdAtMs, deadlineMs: deadlineOf(hook, now), attempts: 0 });
    await this.options.outbox.flushed();
    return isTaken;
  }

  /** A hook is gone, and what was to be told to it. */
  forget(hook: string): void {
    for (const { id } of this.queue.forget(hook)) this.lastSent.delete(keyOf({ hook, id }));
    this.options.outbox.forget(hook);
  }

  /** What was not delivered yet is, by the next process. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.ticker);
    for (const timer of this.timers) clearTimeout(timer);
    for (const delivery of this.early ?? []) this.options.outbox.add(delivery);
    await this.options.outbox.flushed();
    this.options.outbox.close();
  }

  // What the queue wants.

  send(delivery: Delivery): void {
    const hook = this.options.hooks.get(delivery.hook);
    if (this.isClosed) return;
    if (hook?.isEnabled === true) {
      const { id, type, body } = delivery;
      void this.options.sender.post(hook, { id, type, body, timeoutMs: ATTEMPT_MS_MAX }).then((sent) => this.settled(delivery, sent));
    } else {
      const sent = { failed: 'busy', detail: 'the webhook is not enabled', durationMs: 0 } as const;
      setImmediate(() => this.settled(delivery, sent));
    }
  }

  postponed(delivery: Delivery): void {
    this.options.outbox.attempted(delivery);
    this.note(delivery, 'retrying');
  }

  died(delivery: Delivery): void {
    const { log } = this.options;
    this.options.outbox.attempted(delivery);
    this.note(delivery, 'dead');
    log.warn(
      { code: 'webhook.dead-letter', hook: delivery.hook, event: delivery.id, type: delivery.type },
      'an event could not be delivered to a webhook',
    );
    const sent = this.lastSent.get(keyOf(delivery));
    this.lastSent.delete(keyOf(delivery));
    void this.bury(delivery, sent);
  }

  private settled(delivery: Delivery, sent: Sent): void {
    if (this.isClosed) return;
    const { clock, outbox } = this.options;
    const key = keyOf(delivery);
    this.lastSent.set(key, sent);
    if (isDelivered(sent)) {
      outbox.remove(delivery);
      this.note({ ...delivery, attempts: delivery.attempts + 1 }, 'delivered');
    }
    this.queue.settled(delivery, isDelivered(sent), clock.monotonic(), clock.wall());
    this.lastSent.delete(key);
  }

  /** Into the store; again later while that cannot be reached. The outbox keeps it until then. */
  private async bury(delivery: Delivery, sent: Sent | undefined): Promise<void> {
    const { deadLetters, outbox, hooks, clock } = this.options;
    if (this.isClosed || hooks.get(delivery.hook) === undefined) return;
    const { deadlineMs: _, ...rest } = delivery;
    try {
      await deadLetters.add({ ...rest, diedAtMs: Math.round(clock.wall()), ...endOf(sent) });
      outbox.remove(delivery);
    } catch {
      this.later(DEAD_AGAIN_MS, () => void this.bury(delivery, sent));
    }
  }

  private accept(delivery: Delivery): boolean {
    if (this.early !== undefined) {
      if (this.early.length >= EARLY_MAX) return this.drop(delivery);
      this.early.push(delivery);
      return true;
    }
    // In the outbox before anything is sent: the queue may do that at once.
    this.options.outbox.add(delivery);
    if (this.queue.add(delivery)) return true;
    this.options.outbox.remove(delivery);
    return this.drop(delivery);
  }

  private drop(delivery: Delivery): false {
    const { log } = this.options;
    this.note(delivery, 'dropped');
    if (this.dropped++ % DROPPED_LOG_EVERY === 0)
      log.warn(
        { code: 'webhook.queue-full', hook: delivery.hook, dropped: this.dropped },
        'too many events wait for a webhook: new ones are dropped',
      );
    return false;
  }

  /** What the process before left goes first, as soon as it is known which hooks there are. */
  private begin(): void {
    const { hooks, outbox } = this.options;
    const { left, early } = this;
    if (left === undefined || early === undefined || !hooks.isRead) return;
    this.early = undefined;
    for (const delivery of left) {
      if (hooks.get(delivery.hook) === undefined) outbox.remove(delivery);
      else this.queue.add(delivery);
    }
    for (const delivery of early) this.accept(delivery);
    for (const { event, at } of this.unread.splice(0)) this.tell(event, at);
  }

  private tick(): void {
    this.begin();
    const now = this.options.clock.monotonic();
    const { wakeAt } = this.queue;
    if (wakeAt !== undefined && now >= wakeAt) this.queue.tick(now);
  }

  private note(delivery: Delivery, status: Parameters<HookCounts['delivery']>[0]): void {
    const { deliveryLog, counts, clock } = this.options;
    counts.delivery(status);
    const { id, type, lane, attempts } = delivery;
    const sent = this.lastSent.get(keyOf(delivery));
    const { httpStatus, detail } = endOf(sent);
    deliveryLog.note(delivery.hook, {
      id,
      type,
      ...(lane.includes('/') ? { stream: lane } : {}),
      at: isoTime(Math.round(clock.wall())),
      status,
      attempts,
      durationMs: sent?.durationMs ?? 0,
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  private later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, ms);
    this.timers.add(timer);
  }
}

const keyOf = ({ hook, id }: { readonly hook: string; readonly id: string }): string => `${hook}/${id}`;
const deadlineOf = ({ retryForS }: EventsHook, now: number): number => now + retryForS * 1000;

const endOf = (sent: Sent | undefined): { httpStatus: number | undefined; detail: string | undefined } =>
  sent === undefined || 'status' in sent ? { httpStatus: sent?.status, detail: undefined } : { httpStatus: undefined, detail: sent.detail };

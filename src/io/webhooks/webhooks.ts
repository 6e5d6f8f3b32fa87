import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type pino from 'pino';
import {
  type AccessGate,
  type AccessRefused,
  type AccessRequest,
  HookedGate,
  type UrlPolicy,
  WebhookReplica,
  webhookKey,
} from '../../access/mod.ts';
import type { WebhookRegistry } from '../../api/mod.ts';
import type { Store } from '../../cluster/mod.ts';
import type { Clock } from '../clock.ts';
import { StoreCalls } from '../cluster/mod.ts';
import type { MetricSource } from '../metrics.ts';
import type { Resolve } from '../sources/judged-lookup.ts';
import { AdmissionCalls } from './admission-calls.ts';
import { DeadLetters } from './dead-letters.ts';
import { DeliveryLog } from './delivery-log.ts';
import { EventDeliveries, type HookEvent } from './event-deliveries.ts';
import { HookCounts } from './hook-counts.ts';
import { HookSender } from './hook-sender.ts';
import { Outbox } from './outbox.ts';
import { RefusedPublishers } from './refused-publishers.ts';
import { WebhookStore } from './webhook-store.ts';

export interface WebhooksOptions {
  readonly store: Store;
  readonly dataFolder: string;
  readonly nodeId: string;
  readonly policy: UrlPolicy;
  readonly hasApp: (name: string) => boolean;
  readonly clock: Clock;
  readonly log: pino.Logger;
  /** For tests; the system's otherwise. */
  readonly resolve?: Resolve;
  readonly random?: () => number;
}

const FILE = 'webhooks.sqlite';

/** The webhooks of a node: their resources, the gate that asks them, and what tells them of events. */
export class Webhooks {
  readonly registry: WebhookRegistry;
  private readonly clock: Clock;
  private readonly hooks: WebhookReplica;
  private readonly sender: HookSender;
  private readonly deliveryLog: DeliveryLog;
  private readonly deliveries: EventDeliveries;
  private readonly calls: AdmissionCalls;
  private readonly storeCalls: StoreCalls;
  private readonly deadLetters: DeadLetters;
  private readonly refused: RefusedPublishers;
  private readonly counts = new HookCounts();

  constructor(options: WebhooksOptions) {
    const { store, nodeId, policy, hasApp, clock, log, resolve, random = Math.random } = options;
    const wall = (): number => clock.wall();
    this.clock = clock;
    this.hooks = new WebhookReplica(store, (id) => {
      this.deliveries.forget(id);
      this.calls.forget(id);
      void this.cleanUp(id);
    });
    const calls = new StoreCalls(store);
    const hooks = this.hooks;
    this.sender = new HookSender({ policy, wall, ...(resolve === undefined ? {} : { resolve }) });
    const { sender, counts } = this;
    const deliveryLog = new DeliveryLog({ store: calls, nodeId, isKnown: (id) => hooks.get(id) !== undefined });
    const deadLetters = new DeadLetters(calls);
    const outbox = openOutbox(options);
    this.deliveryLog = deliveryLog;
    this.storeCalls = calls;
    this.deadLetters = deadLetters;
    this.deliveries = new EventDeliveries({ hooks, sender, outbox, deliveryLog, deadLetters, counts, nodeId, clock, random, log });
    this.calls = new AdmissionCalls({ sender, deliveryLog, counts, nodeId, wall, log });
    const { deliveries } = this;
    this.registry = new WebhookStore({
      store: calls,
      hooks,
      hasApp,
      policy,
      sender,
      deliveries,
      deliveryLog,
      deadLetters,
      nodeId,
      wall,
    });
    this.refused = new RefusedPublishers((event) => this.publish(event));
  }

  /** Whether the hooks were read from the store at least once. */
  get isRead(): boolean {
    return this.hooks.isRead;
  }

  /** Events that are on their way. */
  get waiting(): number {
    return this.deliveries.waiting;
  }

  get metrics(): readonly MetricSource[] {
    return this.counts.metrics(() => this.waiting);
  }

  /** Lets in whom `inner` and the hooks let in. */
  behind(inner: AccessGate): AccessGate {
    const { ask, tooMany } = this.calls;
    return new HookedGate(inner, this.hooks, {
      now: () => this.clock.monotonic(),
      ask,
      tooMany,
      publisherRefused: (request: AccessRequest, code: AccessRefused) => this.refused.note(request, code, this.clock.monotonic()),
    });
  }

  publish(event: HookEvent): void {
    this.deliveries.publish(event);
  }

  /** The keys in the store of an app's hooks. */
  keysOf(app: string): readonly string[] {
    return this.hooks.ofApp(app).map(({ id }) => webhookKey(id));
  }

  /** What was not sent yet is by the next process. */
  async close(): Promise<void> {
    await this.deliveries.close();
    this.sender.close();
    await this.deliveryLog.close();
    this.hooks.close();
  }

  /** What is kept of a hook that is gone, unless it is just one that this node cannot read. */
  private async cleanUp(hook: string): Promise<void> {
    try {
      if ((await this.storeCalls.get(webhookKey(hook))) !== undefined) return;
      await this.deadLetters.forget(hook);
      await this.deliveryLog.forget(hook);
    } catch {
      // Other nodes do the same, and nobody finds what is left.
    }
  }
}

function openOutbox({ dataFolder, log }: WebhooksOptions): Outbox {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  return new Outbox({
    file: join(dataFolder, FILE),
    onReachable: (isReachable, detail) => {
      if (!isReachable)
        log.warn(
          { code: 'webhook.outbox-lost', detail },
          'events for webhooks cannot be written down: those that wait would be lost with the process',
        );
    },
  });
}

import {
  cleanText,
  decodeWebhook,
  encodeWebhook,
  type HookOutcome,
  isClusterEvent,
  type UrlPolicy,
  verdictOf,
  WEBHOOKS_MAX,
  WEBHOOKS_PER_APP_MAX,
  type WebhookRecord,
  type WebhookReplica,
  webhookKey,
} from '../../access/mod.ts';
import {
  ApiError,
  type DeadLetterResource,
  type DeliveryResource,
  type NewWebhookResource,
  type WebhookPatch,
  type WebhookRegistry,
  type WebhookResource,
  type WebhookTestResource,
  type WebhookWish,
} from '../../api/mod.ts';
import { isoTime, newId, newSecret, untilShown } from '../access/hashed-key.ts';
import type { StoreCalls } from '../cluster/mod.ts';
import { detailOf, questionBody } from './admission-calls.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { EventDeliveries } from './event-deliveries.ts';
import type { HookSender, Sent } from './hook-sender.ts';
import { assertAllowed, assertUnderstood, hookOf, hookResource, patchedHook } from './webhook-settings.ts';

export interface WebhookStoreOptions {
  readonly store: StoreCalls;
  readonly hooks: WebhookReplica;
  readonly hasApp: (name: string) => boolean;
  readonly policy: UrlPolicy;
  readonly sender: HookSender;
  readonly deliveries: EventDeliveries;
  readonly deliveryLog: DeliveryLog;
  readonly deadLetters: DeadLetters;
  readonly nodeId: string;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

const TEST_MS_MAX = 10_000;
const TESTS_MAX = 8;
const TEST_BODY_LENGTH_MAX = 1_000;
/** RFC 5737 3: an address that nobody has. */
const TEST_ADDRESS = '192.0.2.1';

/** Webhooks in the store: read from this node's replica, written by compare-and-swap. A hook of another app is none. */
export class WebhookStore implements WebhookRegistry {
  private readonly options: WebhookStoreOptions;
  private testing = 0;

  constructor(options: WebhookStoreOptions) {
    this.options = options;
  }

  hasApp(name: string): boolean {
    return this.options.hasApp(name);
  }

  list(app: string): readonly WebhookResource[] {
    return this.options.hooks.ofApp(app).map(hookResource);
  }

  find(app: string, id: string): WebhookResource | undefined {
    const record = this.of(app, id);
    return record === undefined ? undefined : hookResource(record);
  }

  async create(app: string, wish: WebhookWish, seesAll: boolean): Promise<NewWebhookResource> {
    const { hooks, policy } = this.options;
    if (hooks.ofApp(app).length >= WEBHOOKS_PER_APP_MAX || [...hooks.values()].length >= WEBHOOKS_MAX)
      throw new ApiError('webhooks.too-many', `an app has at most ${WEBHOOKS_PER_APP_MAX} webhooks, and all together ${WEBHOOKS_MAX}`);
    const secret = newSigningSecret();
    const record = hookOf({ id: newId(), app, secret, now: this.now() }, wish);
    assertAllowed(record, policy, seesAll);
    await this.write(record.id, () => record);
    return { ...hookResource(record), secret };
  }

  async change(app: string, id: string, patch: WebhookPatch, seesAll: boolean): Promise<WebhookResource | undefined> {
    assertUnderstood(this.of(app, id));
    const written = await this.write(id, (record) => {
      if (record?.app !== app) return record;
      const next = patchedHook(record, patch, this.now());
      assertAllowed(next, this.options.policy, seesAll);
      return next;
    });
    return written?.app === app ? hookResource(written) : undefined;
  }

  async rotate(app: string, id: string, graceS: number): Promise<NewWebhookResource | undefined> {
    const secret = newSigningSecret();
    const now = this.now();
    assertUnderstood(this.of(app, id));
    const written = await this.write(id, (record) => {
      if (record?.app !== app) return record;
      const [old] = record.secrets;
      const kept = old === undefined || graceS === 0 ? [] : [{ ...old, expiresAtMs: now + graceS * 1000 }];
      return { ...record, secrets: [{ secret, expiresAtMs: undefined }, ...kept] };
    });
    return written?.app === app ? { ...hookResource(written), secret } : undefined;
  }

  async remove(app: string, id: string): Promise<WebhookResource | undefined> {
    const record = this.of(app, id);
    if (record === undefined) return undefined;
    const { store, hooks } = this.options;
    await store.remove(webhookKey(id));
    await untilShown(() => hooks.get(id) === undefined);
    return hookResource(record);
  }

  async test(app: string, id: string): Promise<WebhookTestResource | undefined> {
    const record = this.of(app, id);
    if (record === undefined) return undefined;
    if (this.testing >= TESTS_MAX) throw new ApiError('webhooks.busy', `${TESTS_MAX} webhooks are being tested now: try again soon`);
    this.testing += 1;
    try {
      return await this.sendTest(record);
    } finally {
      this.testing -= 1;
    }
  }

  deliveries(_app: string, id: string): Promise<readonly DeliveryResource[]> {
    return this.options.deliveryLog.list(id);
  }

  async deadLetters(_app: string, id: string, seesAll: boolean): Promise<readonly DeadLetterResource[]> {
    const letters = await this.options.deadLetters.list(id);
    return letters.filter(({ type }) => seesAll || !isClusterEvent(type)).map(letterResource);
  }

  async retry(app: string, id: string, delivery: string): Promise<boolean> {
    const { deadLetters, deliveries } = this.options;
    const record = this.of(app, id);
    const letter = await deadLetters.find(id, delivery);
    if (record?.kind !== 'events' || letter === undefined) return false;
    // Whoever takes it away sends it: two who ask at once do not send it twice.
    if (!(await deadLetters.remove(id, delivery))) return false;
    if (await deliveries.again(record, letter)) return true;
    await deadLetters.add(letter);
    throw new ApiError('webhooks.busy', 'as many events wait for the webhook as may: try again later');
  }

  removeDeadLetter(_app: string, id: string, delivery: string): Promise<boolean> {
    return this.options.deadLetters.remove(id, delivery);
  }

  private async sendTest(record: WebhookRecord): Promise<WebhookTestResource> {
    const { sender, nodeId } = this.options;
    const id = newId();
    const now = this.now();
    if (record.kind === 'admission') {
      const [type = 'publish'] = record.acts;
      const { app } = record;
      const body = questionBody(id, { type, app, stream: `${app}/test`, protocol: 'rtmp', address: TEST_ADDRESS }, nodeId, now, true);
      return questionTest(await sender.post(record, { id, type, body, timeoutMs: record.timeoutMs }));
    }
    const type = 'webhook.test';
    const body = JSON.stringify({ v: 1, id, type, app: record.app, node: nodeId, time: isoTime(now), data: {} });
    return eventTest(await sender.post(record, { id, type, body, timeoutMs: TEST_MS_MAX }));
  }

  private of(app: string, id: string): WebhookRecord | undefined {
    const record = this.options.hooks.get(id);
    return record?.app === app ? record : undefined;
  }

  private async write(
    id: string,
    change: (record: WebhookRecord | undefined) => WebhookRecord | undefined,
  ): Promise<WebhookRecord | undefined> {
    const { store, hooks } = this.options;
    let written: WebhookRecord | undefined;
    await store.change(webhookKey(id), (value) => {
      const record = value === undefined ? undefined : decodeWebhook(value);
      written = change(record);
      if (written === record) return value;
      return written === undefined ? undefined : encodeWebhook(written);
    });
    // As it is read again: in the order of the reader.
    const text = written === undefined ? undefined : JSON.stringify(decodeWebhook(encodeWebhook(written)));
    await untilShown(() => JSON.stringify(hooks.get(id)) === text);
    return written;
  }

  private now(): number {
    return Math.round(this.options.wall());
  }
}

const newSigningSecret = (): string => `whsec_${newSecret()}`;

function answerOf(sent: Sent): Pick<WebhookTestResource, 'durationMs' | 'httpStatus' | 'body'> {
  const { durationMs } = sent;
  if (!('status' in sent)) return { durationMs };
  return { durationMs, httpStatus: sent.status, body: cleanText(sent.body, TEST_BODY_LENGTH_MAX) };
}

function questionTest(sent: Sent): WebhookTestResource {
  const verdict = verdictOf(sent);
  const detail = detailOf(verdict);
  return { ok: verdict.kind !== 'down', ...answerOf(sent), verdict: verdict.kind, ...(detail === undefined ? {} : { detail }) };
}

function eventTest(sent: Sent): WebhookTestResource {
  const ok = 'status' in sent && sent.status >= 200 && sent.status < 300;
  const detail = ok ? undefined : whatFailed(sent);
  return { ok, ...answerOf(sent), ...(detail === undefined ? {} : { detail }) };
}

const whatFailed = (outcome: HookOutcome): string =>
  'status' in outcome ? `it answers with status ${outcome.status}: an event is delivered with 2xx` : outcome.detail;

function letterResource({ id, type, createdAtMs, diedAtMs, attempts, httpStatus, detail, body }: DeadLetter): DeadLetterResource {
  return {
    id,
    type,
    createdAt: isoTime(createdAtMs),
    diedAt: isoTime(diedAtMs),
    attempts,
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(detail === undefined ? {} : { detail }),
    event: parsed(body),
  };
}

/** Null for what another program has written. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

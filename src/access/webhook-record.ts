import { areNewer, decodeVersioned, encodeVersioned, isName, readAmount, readText, type UnknownFields } from '../core/mod.ts';
import { NOTE_LENGTH_MAX } from './app-record.ts';
import type { AccessAct } from './token-claims.ts';

/** What a webhook may be told of. Never renamed. */
export const WEBHOOK_EVENT_TYPES = [
  'stream.started',
  'stream.held',
  'stream.resumed',
  'stream.ended',
  'publisher.refused',
  'source.changed',
  'target.changed',
  'recording.started',
  'recording.ended',
  'recording.failed',
  'node.changed',
  'node.gone',
] as const;
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];

/** Whether an event tells of the whole cluster, and not of one app. */
export const isClusterEvent = (type: string): boolean => type.startsWith('node.');

/** What counts while an admission hook gives no answer that can be used. */
export type WhenDown = 'allow' | 'refuse';

/** One secret that requests are signed with. */
export interface SigningSecret {
  readonly secret: string;
  /** Until when requests are signed with it, too: the old secret of a hook that was given a new one. */
  readonly expiresAtMs: number | undefined;
}

interface WebhookBase {
  readonly v: 1;
  readonly id: string;
  readonly app: string;
  readonly url: string;
  readonly note: string;
  readonly isEnabled: boolean;
  /** The newest first. They are kept as they are, since requests are signed with them. */
  readonly secrets: readonly SigningSecret[];
  readonly createdAtMs: number;
  readonly changedAtMs: number;
  /** Of newer software: this node knows that there is such a hook, but neither changes nor reaches it. */
  readonly isNewer?: true;
}

/** Is asked whether somebody may publish or play. */
export interface AdmissionHook extends WebhookBase {
  readonly kind: 'admission';
  readonly acts: readonly AccessAct[];
  readonly timeoutMs: number;
  readonly whenDown: WhenDown;
  /** For how long a viewer's answer counts. */
  readonly cacheS: number;
}

/** Is told what happened. */
export interface EventsHook extends WebhookBase {
  readonly kind: 'events';
  readonly types: readonly WebhookEventType[];
  /** For how long an event is tried again. */
  readonly retryForS: number;
}

/** What the store keeps of a webhook, under `webhooks/ID`. */
export type WebhookRecord = AdmissionHook | EventsHook;

export const WEBHOOKS_PREFIX = 'webhooks/';
export const webhookKey = (id: string): string => `${WEBHOOKS_PREFIX}${id}`;
export const WEBHOOKS_MAX = 20_000;
export const WEBHOOKS_PER_APP_MAX = 16;
const WEBHOOK_URL_LENGTH_MAX = 2048;
const HOOK_TIMEOUT_MS_MAX = 10_000;
const HOOK_TIMEOUT_MS = 2_000;
const HOOK_CACHE_S_MIN = 5;
const HOOK_CACHE_S_MAX = 3_600;
const HOOK_CACHE_S = 60;
const RETRY_FOR_S_MAX = 86_400;
const SECRETS_MAX = 2;
const SECRET_LENGTH_MAX = 256;

/** Of a hook that this software understands. */
export const encodeWebhook = (record: WebhookRecord): Uint8Array => encodeVersioned(record);

/** Reads borrowed bytes; undefined for what is no webhook. What cannot be read of an admission hook, also of one that needs a newer reader, counts as its strictest. */
export function decodeWebhook(bytes: Uint8Array): WebhookRecord | undefined {
  const fields = decodeVersioned(bytes, Number.POSITIVE_INFINITY);
  const id = readText(fields?.['id'], 64);
  const app = readText(fields?.['app'], 64);
  const url = readText(fields?.['url'], WEBHOOK_URL_LENGTH_MAX);
  if (fields === undefined || id === undefined || app === undefined || !isName(app) || url === undefined) return undefined;
  const base: WebhookBase = {
    v: 1,
    id,
    app,
    url,
    note: readText(fields['note'], NOTE_LENGTH_MAX) ?? '',
    isEnabled: fields['isEnabled'] !== false,
    secrets: list(fields['secrets'])
      .map(readSecret)
      .filter((secret) => secret !== undefined)
      .slice(0, SECRETS_MAX),
    createdAtMs: readAmount(fields['createdAtMs']) ?? 0,
    changedAtMs: readAmount(fields['changedAtMs']) ?? 0,
    ...(areNewer(fields) ? { isNewer: true } : {}),
  };
  if (fields['kind'] === 'admission') return readAdmission(base, fields);
  return fields['kind'] === 'events' ? readEvents(base, fields) : undefined;
}

const ACTS: readonly AccessAct[] = ['publish', 'play'];

function readAdmission(base: WebhookBase, fields: UnknownFields): AdmissionHook {
  const acts = ACTS.filter((act) => list(fields['acts']).includes(act));
  return {
    ...base,
    kind: 'admission',
    acts: base.isNewer === true && acts.length === 0 ? ACTS : acts,
    timeoutMs: Math.min(readAmount(fields['timeoutMs']) ?? HOOK_TIMEOUT_MS, HOOK_TIMEOUT_MS_MAX),
    whenDown: fields['whenDown'] === 'allow' ? 'allow' : 'refuse',
    cacheS: Math.min(Math.max(readAmount(fields['cacheS']) ?? HOOK_CACHE_S, HOOK_CACHE_S_MIN), HOOK_CACHE_S_MAX),
  };
}

function readEvents(base: WebhookBase, fields: UnknownFields): EventsHook {
  return {
    ...base,
    kind: 'events',
    types: WEBHOOK_EVENT_TYPES.filter((type) => list(fields['types']).includes(type)),
    retryForS: Math.min(readAmount(fields['retryForS']) ?? RETRY_FOR_S_MAX, RETRY_FOR_S_MAX),
  };
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function readSecret(value: unknown): SigningSecret | undefined {
  const fields = (value ?? {}) as UnknownFields;
  const secret = readText(fields['secret'], SECRET_LENGTH_MAX);
  const until = fields['expiresAtMs'];
  // An end that cannot be read has come.
  return secret === undefined ? undefined : { secret, expiresAtMs: until === undefined ? undefined : (readAmount(until) ?? 0) };
}

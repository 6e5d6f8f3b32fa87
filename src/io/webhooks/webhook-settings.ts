import { isClusterEvent, type UrlPolicy, type WebhookRecord } from '../../access/mod.ts';
import { ApiError, type WebhookPatch, type WebhookResource, type WebhookWish } from '../../api/mod.ts';
import { isoTime } from '../access/hashed-key.ts';
import { hookUrlRefusal, NEWER_HOOK } from './hook-sender.ts';

export interface NewHook {
  readonly id: string;
  readonly app: string;
  readonly secret: string;
  readonly now: number;
}

/** The record of a new hook; throws `ApiError` for what cannot be. */
export function hookOf({ id, app, secret, now }: NewHook, wish: WebhookWish): WebhookRecord {
  const { kind, url, note, enabled, admission, events } = wish;
  const secrets = [{ secret, expiresAtMs: undefined }];
  const base = { v: 1, id, app, url, note, isEnabled: enabled, secrets, createdAtMs: now, changedAtMs: now } as const;
  if (kind === 'admission') {
    if (admission === undefined || events !== undefined) throw wrongSettings(kind, 'admission');
    const { for: acts, ...rest } = admission;
    return { ...base, kind, acts, ...rest };
  }
  if (events === undefined || admission !== undefined) throw wrongSettings(kind, 'events');
  return { ...base, kind, ...events };
}

/** Throws `ApiError` for a hook that would lose what newer software has written. */
export function assertUnderstood(record: WebhookRecord | undefined): void {
  if (record?.isNewer === true) throw new ApiError('webhooks.newer', `webhook ${record.id} cannot be changed here: ${NEWER_HOOK}`);
}

/** The record with the patch's changes; throws `ApiError` for what cannot be. */
export function patchedHook(record: WebhookRecord, patch: WebhookPatch, now: number): WebhookRecord {
  const { url = record.url, note = record.note, enabled: isEnabled = record.isEnabled, admission, events } = patch;
  const changed = { url, note, isEnabled, changedAtMs: Math.max(now, record.changedAtMs + 1) };
  if (record.kind === 'admission') {
    if (events !== undefined) throw wrongSettings(record.kind, 'admission');
    const { for: acts = record.acts, ...rest } = admission ?? {};
    return { ...record, ...changed, acts, ...rest };
  }
  if (admission !== undefined) throw wrongSettings(record.kind, 'events');
  return { ...record, ...changed, ...events };
}

/** Throws `ApiError` for a hook at a URL that is not reached, or that is to be told of more than the caller may know. */
export function assertAllowed(record: WebhookRecord, policy: UrlPolicy, seesAll: boolean): void {
  const refusal = hookUrlRefusal(record.url, policy);
  if (refusal !== undefined) throw new ApiError('webhooks.url', refusal);
  const foreign = record.kind === 'events' && !seesAll ? record.types.find(isClusterEvent) : undefined;
  if (foreign !== undefined) throw new ApiError('webhooks.events', `${foreign} tells of the whole cluster: this needs an admin key`);
}

export function hookResource(record: WebhookRecord): WebhookResource {
  const { id, app, kind, url, note, isEnabled, isNewer, secrets, createdAtMs, changedAtMs } = record;
  const oldSecretUntil = secrets[1]?.expiresAtMs;
  return {
    id,
    app,
    kind,
    // What follows is often a secret.
    url: url.replace(/\?.+$/, '?…'),
    note,
    enabled: isEnabled,
    ...(record.kind === 'admission'
      ? { admission: { for: [...record.acts], timeoutMs: record.timeoutMs, whenDown: record.whenDown, cacheS: record.cacheS } }
      : { events: { types: [...record.types], retryForS: record.retryForS } }),
    createdAt: isoTime(createdAtMs),
    changedAt: isoTime(changedAtMs),
    ...(oldSecretUntil === undefined ? {} : { oldSecretUntil: isoTime(oldSecretUntil) }),
    ...(isNewer === true ? { problem: NEWER_HOOK } : {}),
  };
}

const wrongSettings = (kind: string, needed: string): ApiError =>
  new ApiError('webhooks.settings', `a webhook of the kind "${kind}" has its settings in "${needed}", and no others`);

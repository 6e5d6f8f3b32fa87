import { type AppLimits, type AppRecord, decodeAppRecord, encodeAppRecord, newAppRecord, type UrlPolicy } from '../../access/mod.ts';
import type { AppPatch } from '../../api/mod.ts';
import { isJsonObject, isSameJson, type Json, type JsonObject } from '../../settings/mod.ts';
import { patched } from '../access/mod.ts';

/** What of an app is a setting: all but its name, its keys, when and by what software it was made. null: what the configuration says counts. */
export function settingsOfApp({ v: _, name: __, createdAtMs: ___, isNewer: ____, tokens, ...settings }: AppRecord): JsonObject {
  const { issuer, audience, jwksUrl } = tokens;
  const text = JSON.stringify({ ...settings, tokens: { issuer, audience, jwksUrl } }, (_key, value: unknown) => value ?? null);
  return JSON.parse(text) as JsonObject;
}

/** The app with these settings and its own keys. */
export function withAppSettings(record: AppRecord, settings: Json): AppRecord {
  const { tokens, ...fields } = isJsonObject(settings) ? settings : {};
  const known = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value ?? undefined]));
  const next = { ...record, ...known, tokens: { ...record.tokens, ...(isJsonObject(tokens) ? tokens : {}), keys: record.tokens.keys } };
  // What null stands for is what a record without the field has.
  return decodeAppRecord(encodeAppRecord(next as AppRecord)) ?? record;
}

export interface MergeNeeds {
  /** What key sets may be fetched from. */
  readonly policy: UrlPolicy;
  /** The limits that count before any are set. */
  readonly limitsOf: (app: string) => AppLimits;
}

/** An app's settings with what is given put over them. Fields that are left out stay; null makes one what it is in a new app. Throws `ApiError`. */
export function mergedAppSettings(name: string, before: Json | undefined, given: JsonObject, { policy, limitsOf }: MergeNeeds): Json {
  const fresh = newAppRecord(name, 0);
  const record = before === undefined ? fresh : withAppSettings(fresh, before);
  const known = settingsOfApp(record);
  const asNew = settingsOfApp(fresh);
  const unset = Object.keys(given).filter((field) => given[field] === null && Object.hasOwn(asNew, field));
  const patch = Object.entries(given).filter(([field, value]) => value !== null && !isSameJson(value, known[field]));
  const next = patched(
    record,
    Object.fromEntries(patch.map(([field, value]) => [field, patchOf(field, value)])) as AppPatch,
    policy,
    limitsOf(name),
  );
  return { ...settingsOfApp(next), ...Object.fromEntries(unset.map((field) => [field, asNew[field] ?? null])) };
}

/** In a patch, an empty text unsets what a token has to say. */
function patchOf(field: string, value: Json): Json {
  if (field !== 'tokens' || !isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, text ?? '']));
}

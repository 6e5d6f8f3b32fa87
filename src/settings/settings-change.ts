import { isSameJson, type Json } from './json.ts';

/** What is set, by the key of the store that it is kept under. What is not set has no entry. */
export type SettingsState = ReadonlyMap<string, Json>;

/** What one key is to become; null: it is not set. */
export interface SettingsChange {
  readonly key: string;
  readonly before: Json;
  readonly after: Json;
}

/** What makes one state of another, by key. */
export function changesBetween(before: SettingsState, after: SettingsState): SettingsChange[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys
    .filter((key) => !isSameJson(before.get(key), after.get(key)))
    .map((key) => ({ key, before: before.get(key) ?? null, after: after.get(key) ?? null }));
}

/** The state with changes made to it, whatever was there before. */
export function withChanges(state: SettingsState, changes: readonly SettingsChange[]): SettingsState {
  const next = new Map(state);
  for (const { key, after } of changes) {
    if (after === null) next.delete(key);
    else next.set(key, after);
  }
  return next;
}

/**
 * The state before some changes were made; the newest first. What none of them touched stays as it is, also where it was changed by nobody who wrote it
 * down.
 */
export function withoutChanges(state: SettingsState, newestFirst: readonly (readonly SettingsChange[])[]): SettingsState {
  return newestFirst.reduce(
    (now, changes) =>
      withChanges(
        now,
        changes.map(({ key, before }) => ({ key, before: null, after: before })),
      ),
    state,
  );
}

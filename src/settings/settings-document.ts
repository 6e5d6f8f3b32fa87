import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { SettingsState } from './settings-change.ts';

export const APP_SETTINGS_PREFIX = 'apps/';
export const LADDERS_PREFIX = 'ladders/';
export const TRANSCODING_SETTINGS = 'settings/transcoding';
export const ROUTING_SETTINGS = 'settings/routing';

/** All settings of a cluster as one document. null: not set, so that what the configuration of each node says counts. */
export interface SettingsDocument {
  readonly apps: Readonly<Record<string, JsonObject>>;
  readonly transcoding: Json;
  readonly routing: Json;
}

/** A document as somebody gives it, checked: what is left out stays as it is. */
export interface GivenSettings {
  readonly apps?: Readonly<Record<string, JsonObject>>;
  readonly transcoding?: Json;
  readonly routing?: Json;
}

/** The document of a state. Apps are in the order of their names. */
export function documentOf(state: SettingsState): SettingsDocument {
  const names = [...state.keys()].filter((key) => key.startsWith(APP_SETTINGS_PREFIX)).map((key) => key.slice(APP_SETTINGS_PREFIX.length));
  const ladders = [...state.keys()].filter((key) => key.startsWith(LADDERS_PREFIX)).map((key) => key.slice(LADDERS_PREFIX.length));
  const apps = [...new Set([...names, ...ladders])].sort().map((name): [string, JsonObject] => {
    const settings = state.get(`${APP_SETTINGS_PREFIX}${name}`);
    return [name, { ...(isJsonObject(settings) ? settings : {}), ladder: state.get(`${LADDERS_PREFIX}${name}`) ?? null }];
  });
  return {
    // Also for names that every object has by birth.
    apps: Object.fromEntries(apps),
    transcoding: state.get(TRANSCODING_SETTINGS) ?? null,
    routing: state.get(ROUTING_SETTINGS) ?? null,
  };
}

export interface WishOptions {
  /** What an app becomes: what it is (undefined: it is not there), with what is given put over it. May throw. */
  readonly merged: (name: string, before: Json | undefined, given: JsonObject) => Json;
  /** Whether apps that are not named go. */
  readonly prune: boolean;
  /** Apps that never go. */
  readonly kept: (name: string) => boolean;
}

/** The state that a document asks for. An app that is named is made if it is not there. */
export function wishedState(state: SettingsState, given: GivenSettings, { merged, prune, kept }: WishOptions): SettingsState {
  const next = new Map(state);
  for (const [name, { ladder, ...settings }] of Object.entries(given.apps ?? {})) {
    const key = `${APP_SETTINGS_PREFIX}${name}`;
    next.set(key, merged(name, state.get(key), settings as JsonObject));
    put(next, `${LADDERS_PREFIX}${name}`, ladder);
  }
  if (prune && given.apps !== undefined) {
    for (const name of Object.keys(documentOf(state).apps)) {
      if (Object.hasOwn(given.apps, name) || kept(name)) continue;
      next.delete(`${APP_SETTINGS_PREFIX}${name}`);
      next.delete(`${LADDERS_PREFIX}${name}`);
    }
  }
  put(next, TRANSCODING_SETTINGS, given.transcoding);
  put(next, ROUTING_SETTINGS, given.routing);
  return next;
}

/** undefined: it stays as it is; null: it is set no more. */
function put(state: Map<string, Json>, key: string, value: Json | undefined): void {
  if (value === null) state.delete(key);
  else if (value !== undefined) state.set(key, value);
}

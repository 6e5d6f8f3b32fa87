import type { Secrets } from '../io/mod.ts';
import type { Config } from './config/mod.ts';

/** Name under which the first admin key is kept. */
export const ADMIN_KEY_NAME = 'admin';

export interface StreamKeys {
  /** The keys that may publish, by app. */
  readonly streamKeys: ReadonlyMap<string, readonly string[]>;
  /** Those of them that were made just now. */
  readonly newStreamKeys: Readonly<Record<string, string>>;
}

/** The keys of each app; one is made and kept for an app that has none in the configuration. */
export function ensureStreamKeys(config: Config, secrets: Secrets, now: Date): StreamKeys {
  const newStreamKeys: Record<string, string> = {};
  const streamKeys = new Map<string, readonly string[]>();
  for (const [app, { keys }] of Object.entries(config.apps)) {
    if (keys.length > 0) {
      streamKeys.set(app, keys);
      continue;
    }
    const { key, isNew } = secrets.ensureStreamKey(app, now);
    if (isNew) newStreamKeys[app] = key;
    streamKeys.set(app, [key]);
  }
  return { streamKeys, newStreamKeys };
}

/** Makes the first admin API key. To be called when it can be shown, for it can only be shown now; undefined when there is one already. */
export const ensureAdminKey = (secrets: Secrets, now: Date): string | undefined =>
  secrets.hasAdminKey ? undefined : secrets.createApiKey(ADMIN_KEY_NAME, 'admin', now);

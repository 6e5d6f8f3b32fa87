import type pino from 'pino';
import { ADMIN_KEY_NAME, type ClusterAdminKey, type Secrets } from '../io/mod.ts';
import type { Config } from './config/mod.ts';

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

/** The first admin API key of a node on its own; `made` is told it unless there is one already. */
export function ensureAdminKey(secrets: Secrets, now: Date, made: (key: string) => void): void {
  if (!secrets.hasAdminKey) made(secrets.createApiKey(ADMIN_KEY_NAME, 'admin', now));
}

const SHARE_RETRY_MS = 2_000;

/** Makes the admin key of a manager known in its cluster, if need be as soon as the store is there. Settles after the first attempt; returns what ends it. */
export async function shareAdminKey(key: ClusterAdminKey, log: pino.Logger): Promise<() => void> {
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;
  const attempt = async (): Promise<void> => {
    try {
      await key.share(new Date());
    } catch (error) {
      log.warn({ code: 'access.admin-key-not-shared', detail: (error as Error).message }, 'other nodes do not know the admin key yet');
      if (!isEnded) timer = setTimeout(() => void attempt(), SHARE_RETRY_MS);
    }
  };
  await attempt();
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}

import type { FastifyInstance } from 'fastify';
import { monotonicMs } from '../core/mod.ts';
import { type ApiOptions, registerApi } from './api.ts';
import { createApiServer } from './api-server.ts';
import type { KnownKey } from './grant.ts';
import { type ApiKeys, GuardedKeys } from './guarded-keys.ts';

/** What each key may do: everything, see everything, or all with some apps. */
type TestKeys = Readonly<Record<string, 'admin' | 'read' | readonly string[]>>;

/** API keys by their texts; the id of `sk_one` is `one`. */
export function testKeys(keys: TestKeys): ApiKeys {
  const byText = new Map(
    Object.entries(keys).map(([text, what]): [string, KnownKey] => {
      const isOfApps = typeof what !== 'string';
      return [text, { id: text.replace(/^sk_/, ''), name: '', held: isOfApps ? undefined : what, apps: isOfApps ? what : [] }];
    }),
  );
  return { find: (text) => byText.get(text), byId: (id) => [...byText.values()].find((key) => key.id === id) };
}

export interface TestApiOptions extends Partial<Omit<ApiOptions, 'operations' | 'keys'>>, Pick<ApiOptions, 'operations'> {
  /** Absent: `sk_admin` and `sk_read`. */
  readonly keys?: ApiKeys | GuardedKeys;
  readonly bodyLimit?: number;
  /** Told about faults of our own; absent: they are thrown. */
  readonly report?: (error: Error) => void;
}

/** The API as the server has it, with some operations. */
export async function testApi({
  bodyLimit,
  report,
  keys = testKeys({ sk_admin: 'admin', sk_read: 'read' }),
  ...options
}: TestApiOptions): Promise<FastifyInstance> {
  const fastify = createApiServer({
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    report: (error) => {
      if (report === undefined) throw error;
      report(error);
    },
  });
  await registerApi(fastify, {
    keys: keys instanceof GuardedKeys ? keys : new GuardedKeys(keys, () => monotonicMs(0)),
    publicReads: true,
    isLocal: () => false,
    version: '0.0.0',
    ...options,
  });
  return fastify;
}

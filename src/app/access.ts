import { hash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type pino from 'pino';
import { AccessControl, AccessReplica, type ConfiguredApp, UrlPolicy } from '../access/mod.ts';
import { type ApiKeys, apiKeyOperations, appOperations, type NotedChange, type Operation } from '../api/mod.ts';
import type { Store } from '../cluster/mod.ts';
import { ApiKeyStore, AppStore, AuditLog, type Clock, EmbeddedStore, StoreCalls, TokenVerifier } from '../io/mod.ts';
import type { Config } from './config/mod.ts';

export interface AccessNeeds {
  readonly config: Config;
  /** The keys that may publish by the configuration, by app. */
  readonly streamKeys: ReadonlyMap<string, readonly string[]>;
  /** The cluster's; undefined: a node on its own has one in its data folder. */
  readonly store: Store | undefined;
  /** The API keys in the data folder. */
  readonly ownKeys: Pick<ApiKeys, 'scopeOf'>;
  /** Ends what is published into an app that was deleted. */
  readonly appDeleted: (app: string) => void;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** Who may publish and play on this node. */
export interface Access {
  readonly control: AccessControl;
  readonly keys: ApiKeys;
  readonly operations: readonly Operation[];
  /** Writes a change by the API down. */
  readonly changed: (change: NotedChange) => void;
  /** Settles when the store was read, or after `forMs`. */
  ready(forMs: number): Promise<void>;
  close(): void;
}

const READY_POLL_MS = 10;

export function createAccess({ config, streamKeys, store: shared, ownKeys, appDeleted, clock, log }: AccessNeeds): Access {
  const own = shared === undefined ? openOwnStore(config.dataFolder, log) : undefined;
  const store = shared ?? own;
  if (store === undefined) throw new Error('there is a store always');
  const replica = new AccessReplica(store, { appDeleted });
  const policy = new UrlPolicy({ allowedNetworks: config.access.allowedNetworks, allowedFolders: [] });
  const verifier = new TokenVerifier({ policy, wall: () => clock.wall() });
  const control = new AccessControl(configuredApps(config, streamKeys), replica, {
    sha256: (text) => hash('sha256', text, 'buffer'),
    now: () => clock.monotonic(),
    wall: () => clock.wall(),
    verify: verifier.verify,
  });
  const calls = new StoreCalls(store);
  const wall = (): number => clock.wall();
  const apps = new AppStore({ store: calls, replica, control, policy, wall });
  const keys = new ApiKeyStore({ store: calls, replica, own: ownKeys, wall });
  const audit = new AuditLog({ store: calls, wall, log });
  return {
    control,
    keys,
    operations: [...appOperations(apps), ...apiKeyOperations(keys, audit)],
    changed: audit.note,
    ready: (forMs) => untilRead(replica, clock, forMs),
    close: () => {
      replica.close();
      own?.close();
    },
  };
}

/** The store of a node on its own: apps and keys are kept there as they are in a cluster's. */
function openOwnStore(dataFolder: string, log: pino.Logger): EmbeddedStore {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  return new EmbeddedStore({
    file: join(dataFolder, 'store.sqlite'),
    onReachable: (isReachable, detail) => {
      if (!isReachable)
        log.warn({ code: 'access.store-lost', detail }, 'apps and keys cannot be read or changed: what is known stays in use');
    },
  });
}

function configuredApps({ apps }: Config, streamKeys: ReadonlyMap<string, readonly string[]>): ConfiguredApp[] {
  return Object.entries(apps).map(([name, { publishFromLoopback, secondPublisher }]) => ({
    name,
    keys: streamKeys.get(name) ?? [],
    publishFromLoopback,
    secondPublisher,
  }));
}

function untilRead(replica: AccessReplica, clock: Clock, forMs: number): Promise<void> {
  const deadline = clock.monotonic() + forMs;
  return new Promise((resolve) => {
    const look = (): void => {
      if (replica.isRead || clock.monotonic() >= deadline) resolve();
      else setTimeout(look, READY_POLL_MS);
    };
    look();
  });
}

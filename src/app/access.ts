import { hash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type pino from 'pino';
import {
  AccessControl,
  AccessReplica,
  AdmittedSessions,
  type AppLimits,
  type ConfiguredApp,
  type LimitName,
  UrlPolicy,
} from '../access/mod.ts';
import {
  type AnswerKeeper,
  type ApiKeys,
  apiKeyOperations,
  appOperations,
  type EndedSessionList,
  type NotedChange,
  type Operation,
  type ServerEvent,
  webhookOperations,
} from '../api/mod.ts';
import type { Store } from '../cluster/mod.ts';
import {
  ApiKeyStore,
  AppStore,
  AuditLog,
  type Clock,
  ClusterAdminKey,
  EmbeddedStore,
  EndedSessions,
  KeptAnswers,
  keysOfApp,
  MeteredStore,
  type Secrets,
  StoreCalls,
  TokenVerifier,
  Webhooks,
} from '../io/mod.ts';
import { type AppUsage, type AppUsageParts, createAppUsage } from './app-usage.ts';
import type { Config } from './config/mod.ts';
import { Settings } from './settings.ts';
import { TellingStore } from './store-events.ts';

export interface AccessNeeds {
  readonly config: Config;
  /** The keys that may publish by the configuration, by app. */
  readonly streamKeys: ReadonlyMap<string, readonly string[]>;
  /** The cluster's; undefined: a node on its own has one in its data folder. */
  readonly store: Store | undefined;
  /** Whether this node finishes changes of the settings whose author died. */
  readonly isKeeper: boolean;
  readonly nodeId: string;
  /** The API keys in the data folder. */
  readonly secrets: Secrets;
  /** Undefined: a node on its own. */
  readonly membership: ClusterMembership | undefined;
  /** Told the first admin key when it is made in a cluster. */
  /** Told when a record changes that the API shows, on whichever node that was done. */
  readonly recordChanged: (event: ServerEvent) => void;
  /** Told when a change by this node's API was written down. */
  readonly auditAdded: (event: ServerEvent) => void;
  readonly adminKeyMade: (key: string) => void;
  /** Ends what is published into an app that was deleted. */
  readonly appDeleted: (app: string) => void;
  /** What measures what apps use. */
  readonly usage: AppUsageParts;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** What a node is to its cluster, as far as keys go. */
export interface ClusterMembership {
  readonly clusterId: string;
  readonly isManager: boolean;
  readonly isFounder: boolean;
  readonly joinedAtMs: number;
}

/** Who may publish and play on this node. */
export interface Access {
  /** The cluster's, or that of a node on its own. */
  readonly store: Store;
  /** Of a node on its own: how the store in its data folder does. */
  readonly ownStore: MeteredStore | undefined;
  readonly control: AccessControl;
  readonly usage: AppUsage;
  /** Sessions that end when what let them in is taken away. */
  readonly admitted: AdmittedSessions;
  readonly webhooks: Webhooks;
  readonly keys: ApiKeys;
  /** What makes the admin key of a manager known in its cluster; undefined on all other nodes. */
  readonly adminKey: ClusterAdminKey | undefined;
  /** Ladders, routing rules, and all settings as one document. */
  readonly settings: Settings;
  readonly operations: readonly Operation[];
  /** The sessions that were ended before their time. */
  readonly endedSessions: EndedSessionList;
  /** Answers for those who ask again. */
  readonly keeper: AnswerKeeper;
  /** Writes a change by the API down. */
  readonly changed: (change: NotedChange) => void;
  /** Settles when the store was read, or after `forMs`. */
  ready(forMs: number): Promise<void>;
  close(): Promise<void>;
}

const READY_POLL_MS = 10;

export function createAccess({
  config,
  streamKeys,
  store: shared,
  isKeeper,
  nodeId,
  secrets,
  membership,
  adminKeyMade,
  recordChanged,
  auditAdded,
  appDeleted,
  usage: parts,
  clock,
  log,
}: AccessNeeds): Access {
  const own = shared === undefined ? openOwnStore(config.dataFolder, log) : undefined;
  const ownStore = own === undefined ? undefined : new MeteredStore(own, () => clock.monotonic());
  const silent = shared ?? ownStore;
  if (silent === undefined) throw new Error('there is a store always');
  const store = new TellingStore(silent, recordChanged);
  const admitted = new AdmittedSessions((credential) => replica.withdrawals.get(credential) !== undefined);
  const withdrawn = (credential: string): void => {
    const sessions = admitted.end(credential);
    if (sessions > 0) log.info({ code: 'access.withdrawn', sessions }, 'ended the sessions of a key or token that was taken away');
  };
  const replica: AccessReplica = new AccessReplica(store, { appDeleted, withdrawn });
  const policy = new UrlPolicy({ allowedNetworks: config.access.allowedNetworks, allowedFolders: [] });
  const verifier = new TokenVerifier({ policy, wall: () => clock.wall() });
  const control = new AccessControl(configuredApps(config, streamKeys), replica, {
    sha256: (text) => hash('sha256', text, 'buffer'),
    now: () => clock.monotonic(),
    wall: () => clock.wall(),
    verify: verifier.verify,
  });
  const usage = createAppUsage({ ...parts, control, store, nodeId, clock, log });
  const calls = new StoreCalls(store);
  const wall = (): number => clock.wall();
  const hasApp = (name: string): boolean => control.app(name) !== undefined;
  const webhooks = new Webhooks({ store, dataFolder: config.dataFolder, nodeId, policy, hasApp, clock, log });
  const belongings = (app: string): readonly string[] => [...keysOfApp(replica, app), ...webhooks.keysOf(app)];
  const settings = new Settings({ config, store, calls, replica, control, policy, keysOfApp: belongings, isKeeper, wall, log });
  const apps = new AppStore({
    store: calls,
    replica,
    control,
    policy,
    settings: settings.store,
    wall,
    usageOf: (app) => usage.meter.usageOf(app),
  });
  const adminKey =
    membership?.isManager === true
      ? new ClusterAdminKey({ ...membership, secrets, store: calls, replica, nodeId, wall, made: adminKeyMade })
      : undefined;
  // API keys are the cluster's: one of a single node's would change everything without being known to anybody else.
  const countsHere = membership === undefined ? secrets : (adminKey ?? { apiKeys: [] });
  const keys = new ApiKeyStore({ store: calls, replica, own: countsHere, wall });
  const endedSessions = new EndedSessions({ store, wall, log });
  const audit = new AuditLog({
    store: calls,
    wall,
    log,
    written: (id, action) => auditAdded({ type: 'audit.added', data: { id, action } }),
  });
  return {
    store,
    ownStore,
    usage,
    admitted,
    control,
    webhooks,
    keys,
    adminKey,
    settings,
    operations: [
      ...appOperations(apps),
      ...usage.operations,
      ...webhookOperations(webhooks.registry),
      ...apiKeyOperations(keys, audit),
      ...settings.operations,
    ],
    endedSessions,
    keeper: new KeptAnswers({ store: calls, wall }),
    changed: audit.note,
    ready: (forMs) => untilRead(() => replica.isRead && settings.isRead && webhooks.isRead, clock, forMs),
    close: async () => {
      await usage.close();
      await webhooks.close();
      endedSessions.close();
      settings.close();
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
  return Object.entries(apps).map(([name, { publishFromLoopback, secondPublisher, limits, recording }]) => ({
    name,
    keys: streamKeys.get(name) ?? [],
    publishFromLoopback,
    secondPublisher,
    limits: configuredLimits(limits),
    recording,
  }));
}

/** -1 is none. */
function configuredLimits(limits: Config['apps'][string]['limits']): AppLimits {
  const of = (name: LimitName): number | undefined => (limits[name] < 0 ? undefined : limits[name]);
  return {
    streams: of('streams'),
    viewers: of('viewers'),
    bitrateInBps: of('bitrateInBps'),
    bitrateOutBps: of('bitrateOutBps'),
    transcodeMinutes: of('transcodeMinutes'),
    recordingMinutes: of('recordingMinutes'),
  };
}

function untilRead(isRead: () => boolean, clock: Clock, forMs: number): Promise<void> {
  const deadline = clock.monotonic() + forMs;
  return new Promise((resolve) => {
    const look = (): void => {
      if (isRead() || clock.monotonic() >= deadline) resolve();
      else setTimeout(look, READY_POLL_MS);
    };
    look();
  });
}

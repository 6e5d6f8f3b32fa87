import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pino from 'pino';
import type { Store } from '../cluster/mod.ts';
import { SluiceError } from '../core/mod.ts';
import {
  checkSharedFile,
  checkStoreOwner,
  EmbeddedBus,
  EmbeddedStore,
  isRevoked,
  keptNatsMembers,
  LastingStore,
  MeteredBus,
  MeteredStore,
  NatsBus,
  NatsLink,
  NatsServerProcess,
  type NatsServerTls,
  NatsStore,
  type NodeIdentity,
  nodeRemoved,
  noteRemoval,
  StoreKeeper,
  systemClock,
} from '../io/mod.ts';
import type { Config } from './config/mod.ts';

/** The cluster's store and bus as this node reaches them. */
export interface Coordination {
  readonly store: MeteredStore;
  readonly bus: MeteredBus;
  /** For how long the store has refused this node; 0: it does not. Only the cluster's own engine is told who is in. */
  refusedForMs(): number;
  /** Shows the certificate of this identity from the next connection on. */
  showCertificate(identity: NodeIdentity): void;
  close(): Promise<void>;
}

const now = (): number => systemClock.monotonic();

type Resource = NodeIdentity['coordination'];

/** So many servers keep three copies of everything. */
const NATS_REPLICATED_FROM = 3;

/** The folder of everything that a node keeps of its cluster. */
export const clusterFolder = (dataFolder: string): string => join(dataFolder, 'cluster');
const natsFolder = (dataFolder: string): string => join(clusterFolder(dataFolder), 'nats');

/** The members that the NATS server lets in, kept for its next start. */
export const natsMembersFile = (dataFolder: string): string => join(clusterFolder(dataFolder), 'nats-members.json');

/** Runs the NATS server of a manager that has one of its own, whose certificate is the node's; undefined on all others. */
export async function startNatsServer(config: Config, identity: NodeIdentity, log: pino.Logger): Promise<NatsServerProcess | undefined> {
  const { cluster, dataFolder } = config;
  if (!cluster.found || cluster.coordination !== 'nats-server') return undefined;
  if (identity.coordination.kind === 'embedded') {
    // Where a cluster keeps its state is decided when it is founded: another engine would begin empty.
    log.warn(
      { code: 'cluster.coordination-kept' },
      'this cluster was founded with cluster.coordination embedded, and keeps its state in that file: say so in the configuration, or found it anew',
    );
    return undefined;
  }
  const folder = natsFolder(dataFolder);
  const users = keptNatsMembers(natsMembersFile(dataFolder), identity.nodeId);
  const tls = { ...writeCertificates(folder, identity), users };
  // Nodes come back to the place that they were told of: a port that was free once stays the cluster's.
  const port = cluster.nats.port || portOf(identity.coordination.servers[0]);
  return NatsServerProcess.start({ folder, host: '0.0.0.0', port, tls, log });
}

const portOf = (server: string | undefined): number => (server === undefined ? 0 : Number(new URL(server).port));

/** The files that the manager's own NATS server reads its certificate from. */
function writeCertificates(folder: string, { certificate, privateKey, ca }: NodeIdentity): NatsServerTls {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return { certFile: write('certificate.pem', certificate), keyFile: write('key.pem', privateKey), caFile: write('ca.pem', ca) };
}

/** Gives the manager's own NATS server the certificate of this identity. */
export function renewNatsServer(server: NatsServerProcess, dataFolder: string, identity: NodeIdentity): void {
  writeCertificates(natsFolder(dataFolder), identity);
  server.reloadTls();
}

/** What nodes that join are told of the founding node's configuration. */
export function coordinationOf({ cluster, dataFolder }: Config): Resource {
  const { coordination, nats, advertise } = cluster;
  if (coordination === 'embedded') return { kind: 'embedded', folder: clusterFolder(dataFolder) };
  if (coordination === 'nats-server') {
    const place = advertise.includes(':') ? `[${advertise}]` : advertise;
    return { kind: 'nats', servers: [`tls://${place}:${nats.port}`], user: '', password: '', ca: '' };
  }
  if (nats.servers.length === 0) {
    throw new SluiceError('config.nats-servers', 'cluster.coordination is nats, but cluster.nats.servers names none: nats://HOST:PORT');
  }
  const ca = nats.caFile === '' ? '' : readCa(nats.caFile);
  return { kind: 'nats', servers: nats.servers, user: nats.user, password: nats.password, ca };
}

/** Connects in the background: what cannot be reached yet is reached later. Throws `SluiceError` when the store is found to be another cluster's, or on another machine. */
export async function openCoordination(
  { identity, nats, isNew }: { readonly identity: NodeIdentity; readonly nats: NatsServerProcess | undefined; readonly isNew: boolean },
  dataFolder: string,
  log: pino.Logger,
): Promise<Coordination> {
  const resource = identity.coordination;
  // The founding node makes the file.
  if (resource.kind === 'embedded' && resource.folder !== clusterFolder(dataFolder)) await checkSharedFile(resource.folder, identity);
  const coordination = connect(identity, log);
  try {
    await checkStoreOwner(coordination.store, identity, isNew);
    const isOnList = await isRevoked(coordination.store, identity.nodeId);
    if (isOnList) noteRemoval(dataFolder, identity);
    if (isOnList || (await isRefused(coordination))) throw nodeRemoved(dataFolder, identity);
    return coordination;
  } catch (error) {
    await coordination.close();
    await nats?.stop();
    throw error;
  }
}

/** A server that was just started may not know all members yet. */
export const REFUSED_MS_MAX = 10_000;
const REFUSED_POLL_MS = 100;

/** Whether the store goes on to refuse this node: who was removed while it was away is told nothing else. It is asked again at each start. */
async function isRefused(coordination: Coordination): Promise<boolean> {
  while (coordination.refusedForMs() > 0) {
    if (coordination.refusedForMs() > REFUSED_MS_MAX) return true;
    await new Promise((resolve) => setTimeout(resolve, REFUSED_POLL_MS));
  }
  return false;
}

/** Makes sure that a node which does not run now is still in its cluster, as far as can be told. Throws `SluiceError` as {@link openCoordination} does. */
export async function checkStanding(identity: NodeIdentity, dataFolder: string, log: pino.Logger): Promise<void> {
  await (await openCoordination({ identity, nats: undefined, isNew: false }, dataFolder, log)).close();
}

function connect(identity: NodeIdentity, log: pino.Logger): Coordination {
  const { coordination } = identity;
  const onReachable = (isReachable: boolean, detail: string): void => {
    if (isReachable) log.info({ code: 'cluster.coordination-reached' }, detail);
    else log.warn({ code: 'cluster.coordination-lost', detail }, 'the cluster cannot be reached: what is known of it stays in use');
  };
  return coordination.kind === 'embedded'
    ? openEmbedded(coordination.folder, identity, { onReachable, log })
    : openNats(identity, coordination, { onReachable, log });
}

interface Listening {
  readonly onReachable: (isReachable: boolean, detail: string) => void;
  readonly log: pino.Logger;
}

/** An engine's store, as it is used: what is in it alone outlasts it, as long as there is a manager. */
function lasting(engine: Store, { caPrivateKey }: NodeIdentity, log: pino.Logger): { readonly store: MeteredStore; close(): void } {
  const keeper = caPrivateKey === undefined ? undefined : new StoreKeeper(engine, log);
  const store = new LastingStore(engine);
  return {
    store: new MeteredStore(store, now),
    close: () => {
      keeper?.close();
      store.close();
    },
  };
}

function openEmbedded(folder: string, identity: NodeIdentity, { onReachable, log }: Listening): Coordination {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const store = new EmbeddedStore({ file: join(folder, 'store.sqlite'), onReachable });
  const bus = new EmbeddedBus({ file: join(folder, 'bus.sqlite'), id: `${identity.nodeId}-${process.pid}` });
  const measured = new MeteredBus(bus, now);
  const kept = lasting(store, identity, log);
  return {
    store: kept.store,
    bus: measured,
    refusedForMs: () => 0,
    showCertificate: () => undefined,
    close: async () => {
      measured.close();
      kept.close();
      store.close();
      bus.close();
    },
  };
}

function openNats(
  identity: NodeIdentity,
  { servers, user, password, ca }: Extract<Resource, { kind: 'nats' }>,
  { onReachable, log }: Listening,
): Coordination {
  const { clusterName, ca: ownCa, caPrivateKey } = identity;
  const isManager = caPrivateKey !== undefined;
  let shown = identity;
  const isTls = servers.some((server) => server.startsWith('tls:'));
  const link = new NatsLink({
    servers,
    cluster: clusterName,
    ...(user === '' ? {} : { user, password }),
    // The cluster's own server has a certificate of its authority, and wants one.
    ...(isTls ? { tls: () => ({ ca: ca === '' ? ownCa : ca, cert: shown.certificate, key: shown.privateKey }) } : {}),
    onReachable,
  });
  const store = new NatsStore(link, { replicas: servers.length >= NATS_REPLICATED_FROM ? 3 : 1, purgesDeletions: isManager });
  const bus = new NatsBus(link);
  const measured = new MeteredBus(bus, now);
  const kept = lasting(store, identity, log);
  return {
    store: kept.store,
    bus: measured,
    // A server of somebody else's refuses whom it likes, for reasons of its own.
    refusedForMs: () => (ca === ownCa ? link.refusedForMs : 0),
    showCertificate: (renewed) => {
      shown = renewed;
    },
    close: async () => {
      measured.close();
      kept.close();
      store.close();
      bus.close();
      await link.close();
    },
  };
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SluiceError('config.nats-ca', `cluster.nats.caFile: ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

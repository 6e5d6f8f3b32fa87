import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pino from 'pino';
import { SluiceError } from '../core/mod.ts';
import {
  checkStoreOwner,
  EmbeddedBus,
  EmbeddedStore,
  MeteredBus,
  MeteredStore,
  NatsBus,
  NatsLink,
  NatsServerProcess,
  type NatsServerTls,
  NatsStore,
  type NodeIdentity,
  systemClock,
} from '../io/mod.ts';
import type { Config } from './config/mod.ts';

/** The cluster's store and bus as this node reaches them. */
export interface Coordination {
  readonly store: MeteredStore;
  readonly bus: MeteredBus;
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

/** Runs the NATS server of a manager that has one of its own, whose certificate is the node's; undefined on all others. */
export async function startNatsServer(config: Config, identity: NodeIdentity, log: pino.Logger): Promise<NatsServerProcess | undefined> {
  const { cluster, dataFolder } = config;
  if (!cluster.found || cluster.coordination !== 'nats-server') return undefined;
  const folder = natsFolder(dataFolder);
  return NatsServerProcess.start({ folder, host: '0.0.0.0', port: cluster.nats.port, tls: writeCertificates(folder, identity), log });
}

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

/** Connects in the background: what cannot be reached yet is reached later. Throws `SluiceError` when the store is found to be another cluster's. */
export async function openCoordination(
  { identity, nats }: { readonly identity: NodeIdentity; readonly nats: NatsServerProcess | undefined },
  log: pino.Logger,
): Promise<Coordination> {
  const coordination = connect(identity, log);
  try {
    await checkStoreOwner(coordination.store, identity);
    return coordination;
  } catch (error) {
    await coordination.close();
    await nats?.stop();
    throw error;
  }
}

function connect(identity: NodeIdentity, log: pino.Logger): Coordination {
  const { coordination, nodeId } = identity;
  const onReachable = (isReachable: boolean, detail: string): void => {
    if (isReachable) log.info({ code: 'cluster.coordination-reached' }, detail);
    else log.warn({ code: 'cluster.coordination-lost', detail }, 'the cluster cannot be reached: what is known of it stays in use');
  };
  return coordination.kind === 'embedded'
    ? openEmbedded(coordination.folder, nodeId, onReachable)
    : openNats(identity, coordination, onReachable);
}

function openEmbedded(folder: string, id: string, onReachable: (isReachable: boolean, detail: string) => void): Coordination {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const store = new EmbeddedStore({ file: join(folder, 'store.sqlite'), onReachable });
  const bus = new EmbeddedBus({ file: join(folder, 'bus.sqlite'), id: `${id}-${process.pid}` });
  const measured = new MeteredBus(bus, now);
  return {
    store: new MeteredStore(store, now),
    bus: measured,
    showCertificate: () => undefined,
    close: async () => {
      measured.close();
      store.close();
      bus.close();
    },
  };
}

function openNats(
  identity: NodeIdentity,
  { servers, user, password, ca }: Extract<Resource, { kind: 'nats' }>,
  onReachable: (isReachable: boolean, detail: string) => void,
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
  return {
    store: new MeteredStore(store, now),
    bus: measured,
    showCertificate: (renewed) => {
      shown = renewed;
    },
    close: async () => {
      measured.close();
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

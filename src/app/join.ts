import { readFileSync } from 'node:fs';
import type { NodeRole } from '../cluster/mod.ts';
import { SluiceError } from '../core/mod.ts';
import { joinCluster, type NodeIdentity, ownAddressTowards } from '../io/mod.ts';
import { advertisedEndpoints, configuredPorts } from './advertised-endpoints.ts';
import type { Config } from './config/mod.ts';
import { version } from './package-root.ts';

/** How a node is to join; what is left out is as the configuration says. */
export interface JoinWish {
  readonly url: string;
  readonly token?: string | undefined;
  readonly roles?: readonly NodeRole[] | undefined;
  readonly region?: string | undefined;
  readonly advertise?: string | undefined;
  /** PEM of whom to trust for the manager's certificate. */
  readonly ca?: string | undefined;
  readonly isInsecure: boolean;
}

/** An address that other machines cannot reach this one at: nobody has said one. */
const NAMELESS = '127.0.0.1';

/** Makes this machine a node of a cluster, and keeps its identity. Throws `SluiceError`. */
export async function join(config: Config, wish: JoinWish): Promise<NodeIdentity> {
  const { cluster, dataFolder } = config;
  const token = wish.token ?? tokenOf(config);
  if (token === '')
    throw new SluiceError(
      'cluster.token-missing',
      'a join token is needed: --token or SLUICE_JOIN_TOKEN for "sluice join", cluster.join.token or .tokenFile in the configuration; "sluice tokens create" on a manager makes one',
    );
  const said = wish.advertise ?? (cluster.advertise === NAMELESS ? undefined : cluster.advertise);
  const host = said ?? (await ownAddressTowards(wish.url));
  const configured = cluster.roles.length === 0 ? (['edge'] as const) : cluster.roles;
  return joinCluster({
    url: wish.url,
    token,
    dataFolder,
    roles: wish.roles ?? configured,
    region: wish.region ?? cluster.region,
    endpoints: advertisedEndpoints(config, host, configuredPorts(config)),
    version,
    ca: wish.ca ?? read('cluster.join.caFile', cluster.join.caFile),
    allowInsecure: wish.isInsecure,
    now: new Date(),
  });
}

/** Joins as the configuration says; undefined when it says nothing of that. */
export async function joinAsConfigured(config: Config): Promise<NodeIdentity | undefined> {
  const { url, insecure } = config.cluster.join;
  return url === '' ? undefined : join(config, { url, isInsecure: insecure });
}

function tokenOf({ cluster: { join: options } }: Config): string {
  return options.token !== '' ? options.token : (read('cluster.join.tokenFile', options.tokenFile)?.trim() ?? '');
}

/** What is in a file that a key names; undefined when it names none. */
function read(key: string, file: string): string | undefined {
  if (file === '') return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SluiceError('config.file-unreadable', `${key}: ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

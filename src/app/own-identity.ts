import type pino from 'pino';
import { foundCluster, loadIdentity, type NatsServerProcess, type NodeIdentity, saveIdentity } from '../io/mod.ts';
import type { ClusterMembership } from './access.ts';
import { advertisedEndpoints, configuredPorts } from './advertised-endpoints.ts';
import type { Config } from './config/mod.ts';
import { coordinationOf, startNatsServer } from './coordination.ts';
import { joinAsConfigured } from './join.ts';

/** Who this node is in its cluster, and the NATS server that it runs for it. */
export interface OwnIdentity {
  readonly identity: NodeIdentity;
  readonly nats: NatsServerProcess | undefined;
  /** It has founded or joined the cluster just now. */
  readonly isNew: boolean;
}

/** Of the cluster that this node has joined, or founds or joins now as its configuration says; undefined when it does none of that. */
export async function openIdentity(config: Config, log: pino.Logger): Promise<OwnIdentity | undefined> {
  const kept = loadIdentity(config.dataFolder);
  const known = kept ?? (config.cluster.found ? await found(config) : await joinAsConfigured(config));
  if (known === undefined) return undefined;
  const nats = await startNatsServer(config, known, log);
  return { identity: nats === undefined ? known : withNats(config, known, nats), nats, isNew: kept === undefined };
}

async function found(config: Config): Promise<NodeIdentity> {
  const { cluster } = config;
  const identity = await foundCluster(
    {
      clusterName: cluster.name,
      roles: cluster.roles.length === 0 ? ['mono'] : cluster.roles,
      region: cluster.region,
      endpoints: advertisedEndpoints(config, cluster.advertise, configuredPorts(config)),
      coordination: coordinationOf(config),
    },
    new Date(),
  );
  saveIdentity(config.dataFolder, identity);
  return identity;
}

function withNats(config: Config, identity: NodeIdentity, { user, password, url }: NatsServerProcess): NodeIdentity {
  const port = new URL(url).port;
  const { advertise } = config.cluster;
  const place = advertise.includes(':') ? `[${advertise}]` : advertise;
  const changed: NodeIdentity = {
    ...identity,
    coordination: { kind: 'nats', servers: [`tls://${place}:${port}`], user, password, ca: identity.ca },
  };
  saveIdentity(config.dataFolder, changed);
  return changed;
}

/** What a node is to its cluster, as far as keys go: the one that is to found a cluster has founded it, if it is a manager. */
export const standingOf = ({ clusterId, joinedAtMs, caPrivateKey }: NodeIdentity, { cluster }: Config): ClusterMembership => {
  const isManager = caPrivateKey !== undefined;
  return { clusterId, joinedAtMs, isManager, isFounder: isManager && cluster.found };
};

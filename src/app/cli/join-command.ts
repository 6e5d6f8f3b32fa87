import type { Command } from 'commander';
import { NODE_ROLES, type NodeRole } from '../../cluster/mod.ts';
import { isName, SluiceError } from '../../core/mod.ts';
import { joinCluster, loadIdentity, type NodeIdentity, ownAddressTowards } from '../../io/mod.ts';
import { advertisedEndpoints, configuredPorts } from '../advertised-endpoints.ts';
import { version } from '../package-root.ts';
import { readAuthority } from './api-options.ts';
import { CONFIG_OPTION, load } from './config-command.ts';
import { fail } from './fail.ts';
import { collect } from './parse-amount.ts';
import { startServer } from './start-command.ts';

interface JoinCommandOptions {
  readonly token?: string;
  readonly role?: string[];
  readonly region: string;
  readonly advertise?: string;
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly config?: string;
  readonly start: boolean;
}

/** `sluice join URL`: makes this machine a node of a cluster, and runs it. */
export function registerJoin(program: Command): void {
  program
    .command('join <url>')
    .description('join the cluster of a manager, and run as one of its nodes; needs no token once it has joined')
    .option('--token <token>', 'a join token, clt_… (environment: SLUICE_JOIN_TOKEN, which other users of the machine do not see)')
    .option(
      '--role <role>',
      `what this node does: ${NODE_ROLES.slice(0, -1).join(', ')}; may be given several times (default: edge)`,
      collect,
    )
    .option('--region <region>', 'the region that this machine stands in', 'default')
    .option(
      '--advertise <host>',
      'name or address under which others reach this machine (default: the one that it reaches the manager from)',
    )
    .option('--ca <file>', "certificate (PEM) of whoever vouches for the manager's; the token names the cluster's own authority")
    .option('--insecure', 'allow plain http to another machine: token and credentials can be read on the way')
    .option('--no-start', 'only join; "sluice start" runs the node')
    .option(...CONFIG_OPTION)
    .addHelpText('after', '\nExample:\n  sluice join https://manager.example.org:8080 --token clt_… --role edge --region eu')
    .action(async (url: string, options: JoinCommandOptions) => {
      try {
        const identity = await join(url, options);
        console.log(
          `This is node ${identity.nodeId} (${identity.roles.join(', ')}) of the cluster ${identity.clusterName}, region ${identity.region}.`,
        );
        if (options.start) await startServer(options.config === undefined ? {} : { config: options.config });
      } catch (error) {
        process.exit(fail(error));
      }
    });
}

async function join(url: string, options: JoinCommandOptions): Promise<NodeIdentity> {
  const config = load(options.config);
  const known = loadIdentity(config.dataFolder);
  if (known !== undefined) return known;
  const token = options.token ?? process.env['SLUICE_JOIN_TOKEN'];
  if (token === undefined || token === '')
    throw new SluiceError(
      'cluster.token-missing',
      'a join token is needed: give --token or SLUICE_JOIN_TOKEN; "sluice tokens create" on a manager makes one',
    );
  if (!isName(options.region))
    throw new SluiceError(
      'cluster.bad-region',
      `${JSON.stringify(options.region)} is no name of a region: take letters, digits, "_", "." or "-"`,
    );
  const host = options.advertise ?? (await ownAddressTowards(url));
  return joinCluster({
    url,
    token,
    dataFolder: config.dataFolder,
    roles: rolesOf(options.role ?? ['edge']),
    region: options.region,
    endpoints: advertisedEndpoints(config, host, configuredPorts(config)),
    version,
    ca: readAuthority(options.ca),
    allowInsecure: options.insecure === true,
    now: new Date(),
  });
}

function rolesOf(names: readonly string[]): NodeRole[] {
  const roles = names.flatMap((name) => name.split(','));
  const wrong = roles.find((name) => !(NODE_ROLES as readonly string[]).includes(name));
  if (wrong !== undefined) throw new SluiceError('cluster.bad-role', `${JSON.stringify(wrong)} is no role: take ${NODE_ROLES.join(', ')}`);
  return [...new Set(roles)] as NodeRole[];
}

import type { Command } from 'commander';
import { NODE_ROLES, type NodeRole } from '../../cluster/mod.ts';
import { isName, SluiceError } from '../../core/mod.ts';
import { createLog, loadIdentity, type NodeIdentity } from '../../io/mod.ts';
import { checkStanding } from '../coordination.ts';
import { join } from '../join.ts';
import { readAuthority } from './api-options.ts';
import { CONFIG_OPTION, load } from './config-command.ts';
import { fail } from './fail.ts';
import { collect } from './parse-amount.ts';
import { startServer } from './start-command.ts';

interface JoinCommandOptions {
  readonly token?: string;
  readonly role?: string[];
  readonly region?: string;
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
      `what this node does: ${NODE_ROLES.slice(0, -1).join(', ')}; may be given several times (default: cluster.roles, or edge)`,
      collect,
    )
    .option('--region <region>', 'the region that this machine stands in (default: cluster.region)')
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
        const identity = await joinOnce(url, options);
        console.log(
          `This is node ${identity.nodeId} (${identity.roles.join(', ')}) of the cluster ${identity.clusterName}, region ${identity.region}.`,
        );
        if (options.start) await startServer(options.config === undefined ? {} : { config: options.config });
      } catch (error) {
        process.exit(fail(error));
      }
    });
}

async function joinOnce(url: string, options: JoinCommandOptions): Promise<NodeIdentity> {
  const config = load(options.config);
  const known = loadIdentity(config.dataFolder);
  if (known !== undefined) {
    // One that is to be run finds out when it starts.
    if (!options.start) await checkStanding(known, config.dataFolder, createLog('silent', 'json'));
    return known;
  }
  if (options.region !== undefined && !isName(options.region))
    throw new SluiceError(
      'cluster.bad-region',
      `${JSON.stringify(options.region)} is no name of a region: take letters, digits, "_", "." or "-"`,
    );
  return join(config, {
    url,
    token: options.token ?? process.env['SLUICE_JOIN_TOKEN'],
    roles: options.role === undefined ? undefined : rolesOf(options.role),
    region: options.region,
    advertise: options.advertise,
    ca: readAuthority(options.ca),
    isInsecure: options.insecure === true,
  });
}

function rolesOf(names: readonly string[]): NodeRole[] {
  const roles = names.flatMap((name) => name.split(','));
  const wrong = roles.find((name) => !(NODE_ROLES as readonly string[]).includes(name));
  if (wrong !== undefined) throw new SluiceError('cluster.bad-role', `${JSON.stringify(wrong)} is no role: take ${NODE_ROLES.join(', ')}`);
  return [...new Set(roles)] as NodeRole[];
}

import type { Command } from 'commander';
import { allItems, type CreateJoinTokenRequest } from '../../client/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { collect, parseCount, parseSeconds } from './parse-amount.ts';
import { textTable } from './text-table.ts';

interface CreateOptions extends ShowOptions {
  readonly role?: string[];
  readonly region?: string[];
  readonly uses?: number;
  readonly expires?: number;
  readonly note?: string;
}

/** `sluice tokens create|list|remove`: with them, nodes join a cluster. */
export function registerTokens(program: Command): void {
  const command = program.command('tokens').description('make, list and delete the join tokens of a cluster');
  withShowOptions(command.command('create').description('make a token and print it this once'))
    .option(
      '--role <role>',
      'what a node may join as: edge, origin, transcode, manager; may be given several times (default: edge)',
      collect,
    )
    .option('--region <region>', 'where a node may join; may be given several times (default: anywhere)', collect)
    .option('--uses <number>', 'how many nodes may join with it (default: 1)', parseCount)
    .option('--expires <time>', 'how long it holds, e.g. 30m, 24h or 7d (default: 24h)', parseSeconds)
    .option('--note <text>', 'to know it by')
    .addHelpText('after', '\nExample:\n  sluice tokens create --role edge --region eu --uses 10 --expires 1h')
    .action((options: CreateOptions) => run(options, () => create(options)));
  withShowOptions(command.command('list').description('list the tokens, without what makes them tokens')).action((options: ShowOptions) =>
    run(options, () => list(options)),
  );
  withShowOptions(command.command('remove <id>').description('delete a token; nodes that joined with it stay')).action(
    (id: string, options: ShowOptions) =>
      run(options, async () => {
        await clientOf(options).cluster.tokens.delete(id);
        return shown(options, { deleted: id }, ({ deleted }) => `${deleted} is deleted.`);
      }),
  );
}

async function create(options: CreateOptions): Promise<string> {
  const { role, region, uses, expires, note, url } = options;
  const made = await clientOf(options).cluster.tokens.create({
    // The server says what it makes of others.
    ...(role === undefined ? {} : { roles: role as NonNullable<CreateJoinTokenRequest['roles']> }),
    ...(region === undefined ? {} : { regions: region }),
    ...(uses === undefined ? {} : { usesMax: uses }),
    ...(expires === undefined ? {} : { expiresInS: expires }),
    ...(note === undefined ? {} : { note }),
  });
  if (options.json === true) return JSON.stringify(made, null, 2);
  const roles = made.roles.map((name) => `--role ${name}`).join(' ');
  const times = made.usesMax === 1 ? 'once' : `${made.usesMax} times`;
  return `${made.token}\n\nIt can be used ${times} until ${made.expiresAt}, and is not shown again. On the new machine:\n  sluice join ${url} --token TOKEN ${roles}`;
}

async function list(options: ShowOptions): Promise<string> {
  const tokens = await allItems(clientOf(options).cluster.tokens.list);
  if (options.json === true) return JSON.stringify(tokens, null, 2);
  if (tokens.length === 0) return 'There are no join tokens.';
  const rows = tokens.map(({ id, roles, regions, uses, usesMax, expiresAt, note }) => [
    id,
    roles.join(','),
    regions.length === 0 ? 'any' : regions.join(','),
    `${uses}/${usesMax}`,
    Date.parse(expiresAt) <= Date.now() ? 'expired' : expiresAt,
    note,
  ]);
  return textTable(['TOKEN', 'ROLES', 'REGIONS', 'USES', 'EXPIRES', 'NOTE'], rows);
}

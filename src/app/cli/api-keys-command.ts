import type { Command } from 'commander';
import { type ApiKey, allItems, type NewApiKey } from '../../client/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { collect, parseSeconds } from './parse-amount.ts';
import { textTable } from './text-table.ts';

interface CreateOptions extends ShowOptions {
  readonly scope: string[];
  readonly expires?: number;
  readonly note?: string;
}

/** `sluice api-keys [list|create|delete]`: the keys of this API. */
export function registerApiKeys(program: Command): void {
  const command = program.command('api-keys').description('list, make and delete API keys');
  withShowOptions(command.command('list', { isDefault: true }).description('list the API keys, without their secrets')).action(
    (options: ShowOptions) => run(options, async () => shown(options, await allItems(clientOf(options).apiKeys.list), table)),
  );
  withShowOptions(command.command('create').description('make an API key and print it this once'))
    .requiredOption('--scope <scope>', 'what it may do: admin, read or app:NAME; may be given several times', collect)
    .option('--expires <time>', 'how long it counts, e.g. 24h or 7d (default: for ever)', parseSeconds)
    .option('--note <text>', 'to know it by, also in the log of changes')
    .addHelpText('after', '\nExample:\n  sluice api-keys create --scope app:news --expires 90d --note "news desk"')
    .action((options: CreateOptions) => run(options, () => create(options)));
  withShowOptions(command.command('delete <id>').description('delete an API key; sessions of the console that it began end')).action(
    (id: string, options: ShowOptions) =>
      run(options, async () => {
        await clientOf(options).apiKeys.delete(id);
        return shown(options, { deleted: id }, ({ deleted }) => `${deleted} is deleted.`);
      }),
  );
}

async function create(options: CreateOptions): Promise<string> {
  const { scope, expires, note } = options;
  const made = await clientOf(options).apiKeys.create({
    scopes: scope,
    ...(expires === undefined ? {} : { expiresInS: expires }),
    ...(note === undefined ? {} : { note }),
  });
  return shown(options, made, secretText);
}

const secretText = ({ key, id, scopes, expiresAt }: NewApiKey): string =>
  `${key}\n\nIt is for ${scopes.join(', ')}${expiresAt === undefined ? '' : ` until ${expiresAt}`}, has the id ${id}, and is not shown again.`;

function table(keys: readonly ApiKey[]): string {
  if (keys.length === 0) return 'There are no API keys but those of data folders.';
  const rows = keys.map(({ id, scopes, createdAt, expiresAt, note }) => [id, scopes.join(','), createdAt, expiresAt ?? 'never', note]);
  return textTable(['KEY', 'SCOPES', 'MADE', 'EXPIRES', 'NOTE'], rows);
}

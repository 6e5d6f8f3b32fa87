import type { Command } from 'commander';
import { allItems, type NewStreamKey, type StreamKey } from '../../client/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { ADMIN_KEY_NAME, loadIdentity, Secrets } from '../../io/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { attempt, CONFIG_OPTION, load } from './config-command.ts';
import { parseSeconds } from './parse-amount.ts';
import { textTable } from './text-table.ts';

interface CreateOptions extends ShowOptions {
  readonly stream?: string;
  readonly expires?: number;
  readonly note?: string;
}

/** `sluice keys show|new-admin` of the data folder; `list|create|rotate|delete` by the API. */
export function registerKeys(program: Command): void {
  const command = program.command('keys').description('look at the keys in the data folder; make, rotate and delete stream keys');
  command
    .command('show')
    .description('print the stream keys of each app in the data folder')
    .option(...CONFIG_OPTION)
    .action(({ config: file }: { config?: string }) => attempt(() => show(file)));
  command
    .command('new-admin')
    .description(
      'make a new admin API key, print it this once, and forget the old one (restart the server to use it); in a cluster, on managers',
    )
    .option(...CONFIG_OPTION)
    .action(({ config: file }: { config?: string }) => attempt(() => console.log(newAdminKey(load(file).dataFolder))));
  registerStreamKeys(command);
}

function newAdminKey(dataFolder: string): string {
  const identity = loadIdentity(dataFolder);
  if (identity !== undefined && identity.caPrivateKey === undefined)
    throw new SluiceError(
      'keys.not-here',
      `this node is one of the cluster ${identity.clusterName}, whose admin keys are made on managers: run this on one, or POST /api/v1/api-keys`,
    );
  return Secrets.open(dataFolder).createApiKey(ADMIN_KEY_NAME, 'admin', new Date());
}

function registerStreamKeys(command: Command): void {
  withShowOptions(command.command('list <app>').description('list the stream keys of an app, without their secrets')).action(
    (app: string, options: ShowOptions) =>
      run(options, async () => shown(options, await allItems((query) => clientOf(options).apps.keys.list(app, query)), table)),
  );
  withShowOptions(command.command('create <app>').description('make a stream key and print it this once'))
    .option('--stream <name>', 'the one stream that it may publish (default: all of the app)')
    .option('--expires <time>', 'how long it counts, e.g. 24h or 7d (default: for ever)', parseSeconds)
    .option('--note <text>', 'to know it by')
    .addHelpText('after', '\nExample:\n  sluice keys create live --stream show --expires 7d --note "studio 1"')
    .action((app: string, options: CreateOptions) => run(options, () => create(app, options)));
  withShowOptions(command.command('rotate <app> <id>').description('give a stream key a new secret and print it this once'))
    .option('--grace <time>', 'how long the old secret counts beside the new one, e.g. 1h (default: not at all)', parseSeconds)
    .action((app: string, id: string, options: ShowOptions & { grace?: number }) =>
      run(options, async () =>
        shown(options, await clientOf(options).apps.keys.rotate(app, id, { graceS: options.grace ?? 0 }), secretText),
      ),
    );
  withShowOptions(command.command('delete <app> <id>').description('delete a stream key; who publishes already goes on')).action(
    (app: string, id: string, options: ShowOptions) =>
      run(options, async () => {
        await clientOf(options).apps.keys.delete(app, id);
        return shown(options, { deleted: id }, ({ deleted }) => `${deleted} is deleted.`);
      }),
  );
}

async function create(app: string, options: CreateOptions): Promise<string> {
  const { stream, expires, note } = options;
  const made = await clientOf(options).apps.keys.create(app, {
    ...(stream === undefined ? {} : { stream }),
    ...(expires === undefined ? {} : { expiresInS: expires }),
    ...(note === undefined ? {} : { note }),
  });
  return shown(options, made, secretText);
}

const secretText = ({ id, key, app, stream, expiresAt, oldSecretUntil }: NewStreamKey): string =>
  [
    key,
    '',
    `It publishes ${stream === undefined ? `all streams of ${app}` : `${app}/${stream}`}${expiresAt === undefined ? '' : ` until ${expiresAt}`}, has the id ${id}, and is not shown again.`,
    ...(oldSecretUntil === undefined ? [] : [`The old secret counts until ${oldSecretUntil}.`]),
  ].join('\n');

function table(keys: readonly StreamKey[]): string {
  if (keys.length === 0) return 'There are no stream keys.';
  const rows = keys.map(({ id, stream, createdAt, expiresAt, note }) => [id, stream ?? 'all', createdAt, expiresAt ?? 'never', note]);
  return textTable(['KEY', 'STREAM', 'MADE', 'EXPIRES', 'NOTE'], rows);
}

function show(file: string | undefined): void {
  const { apps, dataFolder } = load(file);
  const secrets = Secrets.open(dataFolder);
  for (const [name, { keys }] of Object.entries(apps)) {
    const kept = secrets.streamKey(name);
    const all = keys.length > 0 ? keys : kept === undefined ? [] : [kept];
    if (all.length === 0) console.log(`${name}: no key yet; one is made on the first start`);
    for (const key of all) console.log(`${name}: ${key}`);
  }
}

import type { Command } from 'commander';
import { type App, allItems, type ChangeAppRequest } from '../../client/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { collect } from './parse-amount.ts';
import { fieldLines, textTable } from './text-table.ts';

interface AppOptions extends ShowOptions {
  readonly note?: string;
  readonly playback?: string;
  readonly domain?: string[];
  readonly network?: string[];
  readonly secondPublisher?: string;
  readonly publishFromLoopback?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly jwksUrl?: string;
}

/** `sluice apps [list|show|create|set|delete]`. */
export function registerApps(program: Command): void {
  const command = program.command('apps').description('look at apps, make, change and delete them');
  withShowOptions(command.command('list', { isDefault: true }).description('list the apps'))
    .addHelpText(
      'after',
      '\nExamples:\n  sluice apps create news --playback token --note "evening news"\n  sluice apps set news --playback domains --domain example.org\n  sluice apps show news --json',
    )
    .action((options: ShowOptions) => run(options, async () => shown(options, await allItems(clientOf(options).apps.list), table)));
  withShowOptions(command.command('show <app>').description('show one app')).action((app: string, options: ShowOptions) =>
    run(options, async () => shown(options, await clientOf(options).apps.get(app), details)),
  );
  withSettings(command.command('create <app>').description('make an app; it gets its keys by "sluice keys create"')).action(
    (app: string, options: AppOptions) =>
      run(options, async () =>
        shown(options, await clientOf(options).apps.create({ name: app, ...settingsOf(options) }), ({ name }) => `${name} is made.`),
      ),
  );
  withSettings(command.command('set <app>').description('change an app; what is not named stays')).action(
    (app: string, options: AppOptions) =>
      run(options, async () => {
        const settings = settingsOf(options);
        if (Object.keys(settings).length === 0) throw new SluiceError('cli.nothing-to-set', 'name what to change: sluice apps set --help');
        return shown(options, await clientOf(options).apps.change(app, settings), details);
      }),
  );
  withShowOptions(command.command('delete <app>').description('delete an app with its keys; its streams end')).action(
    (app: string, options: ShowOptions) =>
      run(options, async () => {
        await clientOf(options).apps.delete(app);
        return shown(options, { deleted: app }, ({ deleted }) => `${deleted} is deleted.`);
      }),
  );
}

const withSettings = (command: Command): Command =>
  withShowOptions(command)
    .option('--note <text>', 'to know it by')
    .option('--playback <policy>', 'who may play: public, token, domains or networks')
    .option('--domain <domain>', 'a domain whose pages may play, with --playback domains; may be given several times', collect)
    .option('--network <network>', 'a network that may play, with --playback networks; may be given several times', collect)
    .option('--second-publisher <what>', 'what a second publisher gets: reject, takeover or standby')
    .option('--publish-from-loopback <yes|no>', "whether publishers on the node's own machine need no key")
    .option('--issuer <text>', 'what "iss" of a token has to be; "" for anything')
    .option('--audience <text>', 'what "aud" of a token has to be; "" for none')
    .option('--jwks-url <url>', 'where the public keys of tokens are; "" for nowhere');

/** As the options say. What a value may be is judged by the server, which says so in its answer. */
function settingsOf(options: AppOptions): ChangeAppRequest {
  const { note, playback, domain, network, secondPublisher, publishFromLoopback, issuer, audience, jwksUrl } = options;
  if (playback === undefined && (domain !== undefined || network !== undefined))
    throw new SluiceError('cli.playback-missing', '--domain and --network go with --playback domains or --playback networks');
  if (publishFromLoopback !== undefined && !['yes', 'no'].includes(publishFromLoopback))
    throw new SluiceError('cli.yes-or-no', `--publish-from-loopback takes yes or no, not ${JSON.stringify(publishFromLoopback)}`);
  const tokens = {
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
  };
  return {
    ...(note === undefined ? {} : { note }),
    ...(publishFromLoopback === undefined ? {} : { publishFromLoopback: publishFromLoopback === 'yes' }),
    ...(secondPublisher === undefined ? {} : { secondPublisher: secondPublisher as App['secondPublisher'] }),
    ...(playback === undefined
      ? {}
      : {
          playback: {
            policy: playback as App['playback']['policy'],
            ...(domain === undefined ? {} : { domains: domain }),
            ...(network === undefined ? {} : { networks: network }),
          },
        }),
    ...(Object.keys(tokens).length === 0 ? {} : { tokens }),
  };
}

function table(apps: readonly App[]): string {
  if (apps.length === 0) return 'There are no apps.';
  const rows = apps.map(({ name, playback, secondPublisher, configured, configuredKeys, tokens, note }) => [
    name,
    playback.policy,
    secondPublisher,
    String(tokens.keys.length),
    configured ? `yes, ${configuredKeys} keys` : 'no',
    note,
  ]);
  return textTable(['APP', 'PLAYBACK', 'SECOND PUBLISHER', 'TOKEN KEYS', 'CONFIGURED', 'NOTE'], rows);
}

function details({ name, note, playback, secondPublisher, publishFromLoopback, configured, configuredKeys, tokens }: App): string {
  return fieldLines([
    ['app', name],
    ['note', note],
    ['playback', [playback.policy, ...playback.domains, ...playback.networks].join(' ')],
    ['second publisher', secondPublisher],
    ['loopback publishes', publishFromLoopback ? 'without a key' : 'with a key'],
    ['configured', configured ? `yes, with ${configuredKeys} keys` : 'no'],
    ['tokens', [tokens.issuer, tokens.audience, tokens.jwksUrl].filter((text) => text !== undefined).join(' ')],
    ['token keys', tokens.keys.map(({ id, algorithm }) => `${id} (${algorithm})`).join(' ')],
  ]);
}

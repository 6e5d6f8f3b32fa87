import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import type { AppliedSettings, SettingsResource, SettingsVersionDetail, SettingsVersionResource } from '../../api/mod.ts';
import { allItems, type PageQuery } from '../../client/mod.ts';
import { readSettingsFile } from '../config/mod.ts';
import { type ApiOptions, run, transportOf, withApiOptions } from './api-options.ts';
import { readText } from './read-file.ts';
import { describeDifference, showsColours } from './settings-difference.ts';
import { textTable } from './text-table.ts';

/** Of a dry run that would change something. */
const EXIT_DIFFERS = 3;

interface ChangeOptions extends ApiOptions {
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly note?: string;
  readonly json?: boolean;
}

interface ApplyCommandOptions extends ChangeOptions {
  readonly file: string;
  readonly prune?: boolean;
  readonly base?: number;
}

/** `sluice apply`: settings of the whole cluster from a file. */
export function registerApply(program: Command): void {
  withChangeOptions(program.command('apply').description('make the settings of a cluster what a file says'))
    .requiredOption('-f, --file <file>', 'YAML or JSON with apps, transcoding and routing; - reads standard input')
    .option('--prune', 'remove apps that the file does not name, but those of the configuration')
    .option('--base <version>', 'the version that is expected', version)
    .addHelpText(
      'after',
      `
Exit codes: 0 done, or nothing to do; ${EXIT_DIFFERS} a dry run that would change something; 2 the file or the call is not right, or somebody else changed the settings.

Examples:
  sluice config export > cluster.yaml
  sluice apply -f cluster.yaml --dry-run
  sluice apply -f cluster.yaml --note "more viewers for the final"`,
    )
    .action((options: ApplyCommandOptions) => run(options, () => apply(options)));
}

/** `sluice config versions|rollback|export`: versions of the settings of a cluster. */
export function registerSettings(config: Command): void {
  withApiOptions(config.command('export').description('print the settings of a cluster as YAML, to be applied'))
    .option('--with-version', 'with the version, so that applying it is refused when somebody changed the settings meanwhile')
    .option('--json', "print the API's answer as JSON")
    .action((options: ApiOptions & { withVersion?: boolean; json?: boolean }) => run(options, () => exported(options)));
  withApiOptions(config.command('versions [version]').description('list the versions of the settings, or show what one changed'))
    .option('--json', "print the API's answer as JSON")
    .action((n: string | undefined, options: ApiOptions & { json?: boolean }) =>
      run(options, () => (n === undefined ? listed(options) : detailed(version(n), options))),
    );
  withChangeOptions(config.command('rollback <version>').description('undo what later versions changed')).action(
    (n: string, options: ChangeOptions) => run(options, () => rolledBack(n, options)),
  );
}

const withChangeOptions = (command: Command): Command =>
  withApiOptions(command)
    .option('--dry-run', 'only show the difference')
    .option('--force', 'whatever version there is by now')
    .option('--note <text>', 'what it is for, in the list of versions')
    .option('--json', "print the API's answer as JSON");

async function apply(options: ApplyCommandOptions): Promise<string> {
  const { version: made, document } = readSettingsFile(
    readText(options.file),
    options.file === '-' ? 'standard input' : basename(options.file),
  );
  const base = options.base ?? made;
  const query = queryOf({ ...options, ...(base === undefined ? {} : { base }) });
  return changed(await transportOf(options)<AppliedSettings>({ method: 'POST', path: '/config', query, body: document }), options);
}

async function rolledBack(n: string, options: ChangeOptions): Promise<string> {
  const path = `/config/versions/${version(n)}/rollback`;
  return changed(await transportOf(options)<AppliedSettings>({ method: 'POST', path, query: queryOf(options) }), options);
}

function changed(applied: AppliedSettings, { dryRun, json }: ChangeOptions): string {
  const { changes } = applied;
  if (dryRun === true && changes.length > 0) process.exitCode = EXIT_DIFFERS;
  if (json === true) return JSON.stringify(applied, null, 2);
  if (changes.length === 0) return `Nothing to change: the settings are at version ${applied.version}.`;
  const what = changes.length === 1 ? 'One change' : `${changes.length} changes`;
  const end = dryRun === true ? `${what}; nothing was done.` : `${what}: the settings are at version ${applied.version} now.`;
  return `${describeDifference(changes, showsColours())}\n\n${end}`;
}

async function exported(options: ApiOptions & { withVersion?: boolean; json?: boolean }): Promise<string> {
  const settings = await transportOf(options)<SettingsResource>({ method: 'GET', path: '/config' });
  if (options.json === true) return JSON.stringify(settings, null, 2);
  const { version: n, ...document } = settings;
  return stringify(options.withVersion === true ? { version: n, ...document } : document, { lineWidth: 0 }).trimEnd();
}

async function listed(options: ApiOptions & { json?: boolean }): Promise<string> {
  const versions = await allItems((query?: PageQuery) =>
    transportOf(options)<{ items: SettingsVersionResource[]; nextCursor?: string }>({ method: 'GET', path: '/config/versions', query }),
  );
  if (options.json === true) return JSON.stringify(versions, null, 2);
  if (versions.length === 0) return 'The settings were never changed.';
  const rows = versions.map(({ version: n, at, who, action, settings, note, state }) => [
    state === 'done' ? String(n) : `${n}, being made`,
    at,
    who,
    action,
    String(settings),
    note,
  ]);
  return textTable(['VERSION', 'AT', 'WHO', 'BY', 'CHANGED', 'NOTE'], rows);
}

async function detailed(n: number, options: ApiOptions & { json?: boolean }): Promise<string> {
  const detail = await transportOf(options)<SettingsVersionDetail>({ method: 'GET', path: `/config/versions/${n}` });
  if (options.json === true) return JSON.stringify(detail, null, 2);
  const { at, who, action, note, changes } = detail;
  return `Version ${n}, ${at}, by ${who} (${action})${note === '' ? '' : `: ${note}`}\n\n${describeDifference(changes, showsColours())}`;
}

function queryOf({ dryRun, prune, force, base, note }: ChangeOptions & { readonly prune?: boolean; readonly base?: number }): object {
  return { dryRun, prune, force, base, note };
}

function version(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('give the number of a version');
  return Number(text);
}

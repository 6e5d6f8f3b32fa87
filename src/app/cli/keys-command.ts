import type { Command } from 'commander';
import { Secrets } from '../../io/mod.ts';
import { ADMIN_KEY_NAME } from '../first-start.ts';
import { attempt, CONFIG_OPTION, load } from './config-command.ts';

/** `sluice keys show|new-admin`. */
export function registerKeys(program: Command): void {
  const command = program.command('keys').description('look at the keys in the data folder');
  command
    .command('show')
    .description('print the stream keys of each app')
    .option(...CONFIG_OPTION)
    .action(({ config: file }: { config?: string }) => attempt(() => show(file)));
  command
    .command('new-admin')
    .description('make a new admin API key, print it this once, and forget the old one (restart the server to use it)')
    .option(...CONFIG_OPTION)
    .action(({ config: file }: { config?: string }) =>
      attempt(() => console.log(Secrets.open(load(file).dataFolder).createApiKey(ADMIN_KEY_NAME, 'admin', new Date()))),
    );
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

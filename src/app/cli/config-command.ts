import type { Command } from 'commander';
import { loadConfig, printConfig } from '../config/mod.ts';
import { fail } from './fail.ts';
import { registerSettings } from './settings-commands.ts';

export const CONFIG_OPTION: readonly [string, string] = [
  '-c, --config <file>',
  'configuration file (default: sluice.yaml if it is there; environment: SLUICE_CONFIG)',
];

/** `sluice config print|check`. */
export function registerConfig(program: Command): void {
  const command = program.command('config').description('look at the configuration of this machine, and at the settings of a cluster');
  registerSettings(command);
  command
    .command('print')
    .description('print the effective configuration as YAML: defaults, then the file, then the environment; stream keys are masked')
    .option(...CONFIG_OPTION)
    .action(({ config }: { config?: string }) => attempt(() => process.stdout.write(printConfig(load(config)))));
  command
    .command('check')
    .description('say whether the configuration is right; exit code 2 when it is not')
    .option(...CONFIG_OPTION)
    .action(({ config }: { config?: string }) =>
      attempt(() => {
        load(config);
        console.log('The configuration is right.');
      }),
    );
}

/** The effective configuration for a command. */
export const load = (file: string | undefined): ReturnType<typeof loadConfig> =>
  loadConfig({ file, environment: process.env, folder: process.cwd() });

/** Runs a command's action and turns what it throws into words and an exit code. */
export function attempt(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    process.exitCode = fail(error);
  }
}

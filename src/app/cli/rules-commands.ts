import type { Command } from 'commander';
import { stringify } from 'yaml';
import type { SetLadderRequest, SetRoutingRequest, SetTranscodingWeightsRequest, SluiceClient } from '../../client/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { readValue } from './read-file.ts';

interface SetOptions extends ShowOptions {
  readonly file: string;
}

/** What is looked at and set as a whole. */
interface Rules {
  readonly name: string;
  /** As its commands name what they are for. */
  readonly what: string;
  readonly argument: '' | ' <app>';
  readonly get: (client: SluiceClient, app: string) => Promise<object>;
  readonly set: (client: SluiceClient, value: object, app: string) => Promise<object>;
  /** Absent: it is always set. */
  readonly unset?: (client: SluiceClient, app: string) => Promise<void>;
}

const RULES: readonly Rules[] = [
  {
    name: 'ladder',
    what: 'the ladder of an app',
    argument: ' <app>',
    get: ({ apps }, app) => apps.ladder.get(app),
    set: ({ apps }, value, app) => apps.ladder.set(app, value as SetLadderRequest),
    unset: ({ apps }, app) => apps.ladder.delete(app),
  },
  {
    name: 'routing',
    what: 'the routing rules of the cluster',
    argument: '',
    get: ({ cluster }) => cluster.routing.get(),
    set: ({ cluster }, value) => cluster.routing.set(value as SetRoutingRequest),
    unset: ({ cluster }) => cluster.routing.delete(),
  },
  {
    name: 'weights',
    what: 'what the cluster transcodes first',
    argument: '',
    get: ({ transcoding }) => transcoding.weights.get(),
    set: ({ transcoding }, value) => transcoding.weights.set(value as SetTranscodingWeightsRequest),
  },
];

/** `sluice ladder|routing|weights show|set|unset`: rules that are one document each. */
export function registerRules(program: Command): void {
  for (const rules of RULES) register(program, rules);
}

function register(program: Command, { name, what, argument, get, set, unset }: Rules): void {
  const command = program.command(name).description(`look at and set ${what}`);
  withShowOptions(command.command(`show${argument}`, { isDefault: argument === '' }).description(`print ${what} as YAML`))
    .addHelpText('after', `\nExample:\n  sluice ${name} show${argument === '' ? '' : ' live'} > ${name}.yaml`)
    .action((...words: unknown[]) => {
      const { app, options } = called<ShowOptions>(words);
      return run(options, async () => shown(options, await get(clientOf(options), app), yaml));
    });
  withShowOptions(command.command(`set${argument}`).description(`set ${what} for all nodes`))
    .requiredOption('-f, --file <file>', 'YAML or JSON as "show" prints it; - reads standard input')
    .action((...words: unknown[]) => {
      const { app, options } = called<SetOptions>(words);
      return run(options, async () => {
        const { source: _, ...value } = readValue<Record<string, unknown>>(options.file) ?? {};
        return shown(options, await set(clientOf(options), value, app), yaml);
      });
    });
  if (unset === undefined) return;
  withShowOptions(command.command(`unset${argument}`).description('go by what the configuration of each node says')).action(
    (...words: unknown[]) => {
      const { app, options } = called<ShowOptions>(words);
      return run(options, async () => {
        await unset(clientOf(options), app);
        return shown(options, { unset: name }, () => 'What the configuration says counts now.');
      });
    },
  );
}

/** What commander calls an action with: the arguments, the options, the command. */
function called<Options extends ShowOptions>(words: readonly unknown[]): { app: string; options: Options } {
  return { app: words.length > 2 ? String(words[0]) : '', options: words.at(-2) as Options };
}

const yaml = (value: object): string => stringify(value, { lineWidth: 0 }).trimEnd();

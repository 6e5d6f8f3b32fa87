import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { isName } from '../../core/mod.ts';
import type { ConfigProblem } from './config-error.ts';
import { nearest } from './did-you-mean.ts';
import { type GivenValue, notRight, readListValues } from './file-values.ts';
import { type ConfigKey, configKeys, environmentName, groupItem, ITEM_SEGMENT, keyName, NAME_SEGMENT, upperSnake } from './keys.ts';

/** Variables that the commands read themselves; they are no configuration keys. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['SLUICE_CONFIG', 'SLUICE_URL', 'SLUICE_API_KEY']);

/**
 * Reads the `SLUICE_*` variables against the schema. `appNames` are the apps known from the file: a variable for one of
 * these keeps its spelling, any other app's name is taken in lower case.
 */
export function readEnvironmentValues(
  environment: Readonly<Record<string, string | undefined>>,
  schema: TSchema,
  appNames: readonly string[],
): { values: GivenValue[]; problems: ConfigProblem[] } {
  // Items have no variables of their own: the whole list is one.
  const keys = [...configKeys(schema)].filter(({ path }) => !path.includes(ITEM_SEGMENT));
  const values: GivenValue[] = [];
  const problems: ConfigProblem[] = [];
  for (const [variable, text] of Object.entries(environment).toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    if (text === undefined || !variable.startsWith('SLUICE_') || OTHER_VARIABLES.has(variable)) continue;
    const where = `environment variable ${variable}`;
    const found = match(variable, keys, appNames);
    if (found === undefined) {
      problems.push({ key: '', where, message: unknownVariable(variable, keys) });
      continue;
    }
    if (groupItem(found.schema) !== undefined) {
      const list = readListValues(text, where, found.schema, found.path);
      values.push(...list.values);
      problems.push(...list.problems);
      continue;
    }
    const value = parse(text, found.schema);
    if (Value.Check(found.schema, value)) values.push({ path: found.path, value, where });
    else problems.push({ key: keyName(found.path), where, message: notRight(value, found.schema) });
  }
  return { values, problems };
}

function match(variable: string, keys: readonly ConfigKey[], appNames: readonly string[]): ConfigKey | undefined {
  for (const key of keys) {
    const nameAt = key.path.indexOf(NAME_SEGMENT);
    if (nameAt < 0) {
      if (environmentName(key.path) === variable) return key;
      continue;
    }
    const prefix = `${environmentName(key.path.slice(0, nameAt))}_`;
    const suffix = `_${key.path
      .slice(nameAt + 1)
      .map(upperSnake)
      .join('_')}`;
    if (!variable.startsWith(prefix) || !variable.endsWith(suffix) || variable.length <= prefix.length + suffix.length) continue;
    const spelled = variable.slice(prefix.length, -suffix.length);
    const name = appNames.find((known) => upperSnake(known) === spelled) ?? spelled.toLowerCase();
    if (isName(name)) return { path: key.path.with(nameAt, name), schema: key.schema };
  }
  return undefined;
}

function unknownVariable(variable: string, keys: readonly ConfigKey[]): string {
  const meant = nearest(
    variable,
    keys.map((key) => environmentName(key.path)),
  );
  return `no configuration key has this name${meant === undefined ? '; docs/configuration.md lists them all' : `; did you mean ${meant}?`}`;
}

function parse(text: string, schema: TSchema): unknown {
  if (schema['type'] === 'integer') return /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text;
  if (schema['type'] === 'boolean') return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
  if (schema['type'] === 'array') {
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }
  return text;
}

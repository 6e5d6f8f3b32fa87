import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { ConfigProblem } from './config-error.ts';
import { nearest } from './did-you-mean.ts';
import { type GivenValue, notRight, readListValues } from './file-values.ts';
import {
  type ConfigKey,
  configKeys,
  environmentName,
  groupItem,
  ITEM_SEGMENT,
  isSafeName,
  type KeyPath,
  keyName,
  NAME_SEGMENT,
  upperSnake,
} from './keys.ts';

/** Variables that the commands read themselves; they are no configuration keys. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['SLUICE_CONFIG', 'SLUICE_URL', 'SLUICE_API_KEY', 'SLUICE_JOIN_TOKEN']);

/**
 * Reads the `SLUICE_*` variables against the schema. `known` are the keys that the file has: names
 * of apps and sources in them keep their spelling, any other is taken in lower case.
 */
export function readEnvironmentValues(
  environment: Readonly<Record<string, string | undefined>>,
  schema: TSchema,
  known: readonly KeyPath[],
): { values: GivenValue[]; problems: ConfigProblem[] } {
  // Items have no variables of their own: the whole list is one.
  const keys = [...configKeys(schema)].filter(({ path }) => !path.includes(ITEM_SEGMENT));
  const values: GivenValue[] = [];
  const problems: ConfigProblem[] = [];
  for (const [variable, text] of Object.entries(environment).toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    if (text === undefined || !variable.startsWith('SLUICE_') || OTHER_VARIABLES.has(variable)) continue;
    const where = `environment variable ${variable}`;
    const found = match(variable, keys, known);
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

function match(variable: string, keys: readonly ConfigKey[], known: readonly KeyPath[]): ConfigKey | undefined {
  for (const key of keys) {
    const spelled = pattern(key.path).exec(variable)?.slice(1);
    const path = spelled && withNames(key.path, spelled, known);
    if (path !== undefined) return { path, schema: key.schema };
  }
  return undefined;
}

/** Names take as little as they can: `SLUICE_APPS_A_SOURCES_B_URL` is about the app `a`. */
const pattern = (path: readonly string[]): RegExp =>
  new RegExp(`^SLUICE_${path.map((part) => (part === NAME_SEGMENT ? '(.+?)' : upperSnake(part))).join('_')}$`);

/** The key's path with the names that a variable spells; undefined when one of them cannot be a name. */
function withNames(path: readonly string[], spelled: readonly string[], known: readonly KeyPath[]): readonly string[] | undefined {
  const named = [...path];
  for (const spelling of spelled) {
    const at = named.indexOf(NAME_SEGMENT);
    const siblings = known.filter((other) => other.length > at && named.slice(0, at).every((part, index) => part === other[index]));
    const meant = siblings.map((other) => String(other[at])).find((name) => upperSnake(name) === spelling) ?? spelling.toLowerCase();
    if (!isSafeName(meant)) return undefined;
    named[at] = meant;
  }
  return named;
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
  return schema['type'] === 'array' ? parseList(text) : text;
}

/** With commas between its entries, or as JSON, which can have commas in them. */
function parseList(text: string): unknown {
  if (!text.trim().startsWith('['))
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

import type { TObject, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { isName } from '../../core/mod.ts';
import { nearest } from './did-you-mean.ts';
import { expectation, groupItem, isGroup, isSafeName, type KeyPath, keyName, namedValue } from './keys.ts';

/** Takes what is wrong with the value of a key, e.g. `apps.live.ladder.lingerMs`. */
export type TakeProblem = (key: string, message: string) => void;

/** Looks for everything in a value that its schema does not take, as the configuration file is looked through. */
export function checkValue(value: unknown, schema: TSchema, path: KeyPath, problem: TakeProblem): void {
  const named = namedValue(schema);
  const item = groupItem(schema);
  if (named !== undefined || isGroup(schema)) {
    const group = groupOf(value, path, problem);
    if (group === undefined) return;
    if (named !== undefined) for (const [name, child] of Object.entries(group)) checkNamed(name, child, named, path, problem);
    else checkGroup(group, schema as TObject, path, problem);
  } else if (item !== undefined && Array.isArray(value) && value.length <= (schema['maxItems'] ?? Number.POSITIVE_INFINITY)) {
    for (const [index, entry] of value.entries()) checkValue(entry, item, [...path, index], problem);
  } else if (!Value.Check(schema, value)) problem(keyName(path), `${shown(value)} is not right: it takes ${taken(schema)}`);
}

/** A group of keys; undefined for anything else, which is a problem. */
export function groupOf(value: unknown, path: KeyPath, problem: TakeProblem): Readonly<Record<string, unknown>> | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  problem(keyName(path), `${shown(value)} is not right here: it takes a group of keys`);
  return undefined;
}

/** Whether a name can be used; else it is a problem. */
export function checkName(name: string, path: KeyPath, problem: TakeProblem): boolean {
  if (isSafeName(name)) return true;
  problem(
    keyName([...path, name.slice(0, 80)]),
    isName(name)
      ? 'not usable as a name: it is a reserved word'
      : 'not usable as a name: take 1 to 64 letters, digits, "_", "." or "-", starting with a letter, digit or "_"',
  );
  return false;
}

/** Tells of a key that there is none like. */
export function unknownKey(name: string, siblings: readonly string[], path: KeyPath, problem: TakeProblem): void {
  const meant = nearest(name, siblings);
  const group = path.length === 0 ? 'the document' : keyName(path);
  const hint = meant === undefined ? `${group} takes ${siblings.join(', ')}` : `did you mean ${keyName([...path, meant])}?`;
  problem(keyName([...path, name.slice(0, 80)]), `unknown key; ${hint}`);
}

function checkNamed(name: string, value: unknown, schema: TSchema, path: KeyPath, problem: TakeProblem): void {
  if (checkName(name, path, problem)) checkValue(value, schema, [...path, name], problem);
}

function checkGroup(
  group: Readonly<Record<string, unknown>>,
  { properties, required = [] }: TObject,
  path: KeyPath,
  problem: TakeProblem,
): void {
  for (const [name, value] of Object.entries(group)) {
    const child = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (child === undefined) unknownKey(name, Object.keys(properties), path, problem);
    else checkValue(value, child, [...path, name], problem);
  }
  for (const name of required) {
    const child = properties[name];
    if (child === undefined || child['default'] !== undefined || Object.hasOwn(group, name)) continue;
    problem(keyName([...path, name]), `missing: it takes ${taken(child)}`);
  }
}

function taken(schema: TSchema): string {
  const { type, minimum, maximum, minLength, maxLength } = schema as TSchema & Partial<Record<string, unknown>>;
  if (type === 'number' || (type === 'integer' && (minimum === undefined || maximum === undefined))) {
    const kind = type === 'number' ? 'a number' : 'a whole number';
    return `${kind}${minimum === undefined ? '' : ` from ${String(minimum)}`}${maximum === undefined ? '' : ` to ${String(maximum)}`}`;
  }
  if (type === 'string' && minLength === undefined && maxLength !== undefined) return `a text of at most ${String(maxLength)} characters`;
  return expectation(schema);
}

const shown = (value: unknown): string => (value === undefined || value === null ? 'nothing' : JSON.stringify(value).slice(0, 80));

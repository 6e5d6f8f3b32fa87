import type { TObject, TSchema } from '@sinclair/typebox';
import { isName } from '../../core/mod.ts';

/** The place of an app's name in a key's path, e.g. `apps.<name>.keys`. */
export const NAME_SEGMENT = '<name>';

/** The place of an item's number in a key's path, e.g. `apps.<name>.ladder.rungs[].height`. */
export const ITEM_SEGMENT = '[]';

/** The way to a key: names of groups and keys, and numbers of items of lists, from 0. */
export type KeyPath = readonly (string | number)[];

/** One key that takes a value. */
export interface ConfigKey {
  readonly path: readonly string[];
  readonly schema: TSchema;
}

/** Whether a schema is an object with fixed keys. */
export const isGroup = (schema: TSchema): schema is TObject => schema['type'] === 'object' && schema['properties'] !== undefined;
/** The schema of the values of an object with free names, such as `apps`. */
export const namedValue = (schema: TSchema): TSchema | undefined => {
  const patterns: Record<string, TSchema> | undefined = schema['patternProperties'];
  return patterns === undefined ? undefined : Object.values(patterns)[0];
};

/** Whether an app or a source can have this name. What every object has by birth, such as `constructor`, would be found where nothing was given. */
export const isSafeName = (name: string): boolean => isName(name) && !(name in Object.prototype);

/** The schema of the items of a list of groups. */
export const groupItem = (schema: TSchema): TObject | undefined => {
  const items: TSchema | undefined = schema['type'] === 'array' ? schema['items'] : undefined;
  return items !== undefined && isGroup(items) ? items : undefined;
};

/** `apps.live.ladder.rungs[1].height`. */
export const keyName = (path: KeyPath): string =>
  path.reduce<string>(
    (name, part) =>
      typeof part === 'number' ? `${name}[${part}]` : part === ITEM_SEGMENT ? `${name}[]` : name === '' ? part : `${name}.${part}`,
    '',
  );

/** Every key that takes a value, in the schema's order; a list of groups before the keys of its items. */
export function* configKeys(schema: TSchema, path: readonly string[] = []): Generator<ConfigKey> {
  const named = namedValue(schema);
  if (named !== undefined) yield* configKeys(named, [...path, NAME_SEGMENT]);
  else if (isGroup(schema)) for (const [name, child] of Object.entries(schema.properties)) yield* configKeys(child, [...path, name]);
  else {
    yield { path, schema };
    const item = groupItem(schema);
    if (item !== undefined) yield* configKeys(item, [...path, ITEM_SEGMENT]);
  }
}

/** `http.tls.certFile` -> `SLUICE_HTTP_TLS_CERT_FILE`; an app's name stays as `<NAME>`. */
export const environmentName = (path: readonly string[]): string => `SLUICE_${path.map(upperSnake).join('_')}`;

/** `certFile` -> `CERT_FILE`. */
export const upperSnake = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[.-]/g, '_')
    .toUpperCase();

/** The allowed words of a choice, or undefined when the schema is not one. */
export function choices(schema: TSchema): readonly string[] | undefined {
  const options: readonly TSchema[] | undefined = schema['anyOf'];
  return options?.map((option) => String(option['const']));
}

/** What is right for a key, in words: "a whole number from 0 to 65535". */
export function expectation(schema: TSchema): string {
  const words = choices(schema);
  if (words !== undefined) return `one of ${words.join(', ')}`;
  const types: readonly string[] = [schema['type']].flat();
  if (types.includes('integer'))
    return `a whole number from ${schema['minimum']} to ${schema['maximum']}${types.includes('null') ? ', or null' : ''}`;
  if (schema['type'] === 'boolean') return 'true or false';
  if (groupItem(schema) !== undefined) return `a list of at most ${schema['maxItems']} groups of keys`;
  if (schema['type'] === 'array') return listExpectation(schema);
  if (schema['minLength'] !== undefined) return `a text of ${schema['minLength']} to ${schema['maxLength']} characters`;
  return isGroup(schema) || namedValue(schema) !== undefined ? 'a group of keys' : 'a text';
}

function listExpectation({ maxItems, items }: TSchema): string {
  const list = `a list of at most ${maxItems}`;
  const words = choices(items);
  return words === undefined
    ? `${list} texts of ${items.minLength} to ${items.maxLength} characters each`
    : `${list} of ${words.join(', ')}`;
}

import type { TObject, TSchema } from '@sinclair/typebox';

/** The place of an app's name in a key's path, e.g. `apps.<name>.keys`. */
export const NAME_SEGMENT = '<name>';

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

/** Every key that takes a value, in the schema's order. */
export function* configKeys(schema: TSchema, path: readonly string[] = []): Generator<ConfigKey> {
  const named = namedValue(schema);
  if (named !== undefined) yield* configKeys(named, [...path, NAME_SEGMENT]);
  else if (isGroup(schema)) for (const [name, child] of Object.entries(schema.properties)) yield* configKeys(child, [...path, name]);
  else yield { path, schema };
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
  if (schema['type'] === 'integer') return `a whole number from ${schema['minimum']} to ${schema['maximum']}`;
  if (schema['type'] === 'boolean') return 'true or false';
  if (schema['type'] === 'array')
    return `a list of at most ${schema['maxItems']} texts of ${schema['items'].minLength} to ${schema['items'].maxLength} characters each`;
  return isGroup(schema) || namedValue(schema) !== undefined ? 'a group of keys' : 'a text';
}

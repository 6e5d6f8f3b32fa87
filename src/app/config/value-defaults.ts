import type { TSchema } from '@sinclair/typebox';
import { groupItem, isGroup, namedValue } from './keys.ts';

/** A value with the defaults of its schema filled in. What is absent and has none stays absent in a group of a list's, and is undefined elsewhere. */
export function withDefaults(value: unknown, schema: TSchema): unknown {
  const named = namedValue(schema);
  const given = (value ?? {}) as Record<string, unknown>;
  if (named !== undefined) return Object.fromEntries(Object.entries(given).map(([name, child]) => [name, withDefaults(child, named)]));
  const item = groupItem(schema);
  if (item !== undefined && Array.isArray(value)) return value.map((each) => withDefaults(each, item));
  if (!isGroup(schema)) return value ?? structuredClone(schema['default']);
  return Object.fromEntries(Object.entries(schema.properties).map(([name, child]) => [name, withDefaults(given[name], child)]));
}

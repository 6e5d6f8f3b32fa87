import type { TSchema } from '@sinclair/typebox';
import { stringify } from 'yaml';
import type { Config } from './config.ts';
import { groupItem, isGroup, namedValue } from './keys.ts';
import { configSchema } from './schema.ts';

const MASK = '********';

/** The configuration as YAML that can be used as a file, with everything masked that its schema calls a secret: keys, tokens, passwords, and URLs that have some in them. */
export const printConfig = (config: Config): string => stringify(masked(config, configSchema), { lineWidth: 0 });

function masked(value: unknown, schema: TSchema): unknown {
  const named = namedValue(schema);
  const item = groupItem(schema);
  if (item !== undefined && Array.isArray(value)) return value.map((each) => masked(each, item));
  if (named !== undefined || isGroup(schema)) {
    const properties: Record<string, TSchema> = schema['properties'] ?? {};
    const entries = Object.entries(value as Record<string, unknown>);
    return Object.fromEntries(entries.map(([name, child]) => [name, masked(child, named ?? properties[name] ?? schema)]));
  }
  if (schema['secret'] !== true) return value;
  if (Array.isArray(value)) return value.map(() => MASK);
  return value === '' ? '' : MASK;
}

import type { TSchema } from '@sinclair/typebox';
import { configKeys, environmentName, expectation, ITEM_SEGMENT, isGroup, keyName, namedValue } from './keys.ts';
import { configSchema } from './schema.ts';

const INTRODUCTION = `# Configuration

<!-- Made from src/app/config/schema.ts by \`node scripts/document-config.mjs\`; change it there. -->

Sluice needs no configuration. What differs from the defaults goes into one YAML file, \`sluice.yaml\` in the working folder or the one named by
\`--config FILE\` or \`SLUICE_CONFIG\`. Each key is also an environment variable, which wins over the file: \`SLUICE_\` and the key's path in upper
snake case. A list is written there with commas between its entries, or as JSON; a list of groups as JSON. A key that does not exist, or a value that does not fit, stops the start with exit code 2 and an
error that names the file, line, key, value and what is right.

\`sluice config check\` says whether the configuration is right, \`sluice config print\` shows the effective one with all defaults (stream keys masked).
[sluice.example.yaml](../sluice.example.yaml) is a file to start from.

Apps, ladders, weights and routing rules of a whole cluster are also set at run time, with versions: see [configuration as data](config-as-data.md).
`;

/** docs/configuration.md, from the schema. */
export function documentConfig(): string {
  const sections: string[] = [INTRODUCTION];
  const plain: [string, TSchema][] = [];
  const groups: [string, TSchema][] = [];
  for (const entry of Object.entries(configSchema.properties)) {
    (isGroup(entry[1]) || namedValue(entry[1]) !== undefined ? groups : plain).push(entry);
  }
  sections.push(`## General\n\n${table(plain.flatMap(([name, schema]) => [...configKeys(schema, [name])]))}`);
  for (const [name, schema] of groups) {
    sections.push(`## ${name}\n\n${schema.description ?? ''}\n\n${table([...configKeys(schema, [name])])}`);
  }
  return `${sections.join('\n')}`;
}

function table(keys: readonly { path: readonly string[]; schema: TSchema }[]): string {
  const rows = keys.map(({ path, schema }) => {
    const value = schema['default'] === undefined ? 'must be given' : `\`${JSON.stringify(schema['default'])}\``;
    const variable = path.includes(ITEM_SEGMENT) ? '' : `<br>\`${environmentName(path)}\``;
    return `| \`${keyName(path)}\` | ${value} | ${expectation(schema)} | ${schema.description ?? ''}${variable} |`;
  });
  return `| key | default | takes | meaning and environment variable |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

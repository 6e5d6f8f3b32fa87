import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load-config.ts';

/** Where the files of these tests are: relative paths start here. */
export const folder: string = mkdtempSync(join(tmpdir(), 'sluice-config-'));
let files = 0;

/** Loads a configuration as if it stood in a file. */
export function read(text: string, environment: Record<string, string> = {}): Config {
  const file = join(folder, `c${files++}.yaml`);
  writeFileSync(file, text);
  return loadConfig({ file, environment, folder });
}

/** What is said of a configuration that is wrong, with its file as `sluice.yaml`; `none` of one that is right. */
export function problemsOf(text: string, environment: Record<string, string> = {}): string {
  try {
    read(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(/^c\d+\.yaml/gm, 'sluice.yaml');
    throw error;
  }
  return 'none';
}

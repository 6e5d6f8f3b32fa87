import { stringify } from 'yaml';
import type { Config } from './config.ts';

/** The configuration as YAML that can be used as a file, with stream keys masked. */
export function printConfig(config: Config): string {
  const apps = Object.fromEntries(
    Object.entries(config.apps).map(([name, app]) => [name, { ...app, keys: app.keys.map(() => '********') }]),
  );
  return stringify({ ...config, apps }, { lineWidth: 0 });
}

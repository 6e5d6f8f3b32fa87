import { stringify } from 'yaml';
import type { Config } from './config.ts';

const MASK = '********';

/** The configuration as YAML that can be used as a file, with keys, tokens and the URLs that have some in them masked. */
export function printConfig(config: Config): string {
  const apps = Object.fromEntries(
    Object.entries(config.apps).map(([name, app]) => [
      name,
      {
        ...app,
        keys: app.keys.map(() => MASK),
        sources: Object.fromEntries(Object.entries(app.sources).map(([stream, source]) => [stream, { ...source, url: MASK }])),
        targets: app.targets.map((target) => ({ ...target, url: MASK, token: target.token === '' ? '' : MASK })),
      },
    ]),
  );
  return stringify({ ...config, apps }, { lineWidth: 0 });
}

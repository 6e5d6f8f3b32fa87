import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { streamRef } from '../../core/mod.ts';
import { clusterChecks } from './cluster-checks.ts';
import type { Config, TlsFiles } from './config.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { readEnvironmentValues } from './environment-values.ts';
import { type GivenValue, readFileValues } from './file-values.ts';
import { keyName } from './keys.ts';
import { encoderCheck, ladderChecks } from './ladder-checks.ts';
import { configSchema } from './schema.ts';
import { sourceChecks } from './source-checks.ts';
import { allowedNetworksCheck, targetChecks } from './target-checks.ts';
import { withDefaults } from './value-defaults.ts';

/** The file that is read when none is named, if it is there. */
export const DEFAULT_CONFIG_FILE = 'sluice.yaml';

export interface ConfigSource {
  /** The YAML file named by `--config` or SLUICE_CONFIG; it must exist. When undefined, `sluice.yaml` in `folder` is read if there. */
  readonly file: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The working folder. */
  readonly folder: string;
}

/** Reads the configuration: defaults, then the file, then the environment. Throws {@link ConfigError} with every problem there is. */
export function loadConfig(source: ConfigSource): Config {
  const file = configFile(source);
  const fromFile = file === undefined ? { values: [], problems: [] } : readFileValues(readText(file), basename(file), configSchema);
  const fromEnvironment = readEnvironmentValues(
    source.environment,
    configSchema,
    fromFile.values.map(({ path }) => path),
  );
  // A list given by the environment takes the place of the whole one in the file.
  const isReplaced = (key: string): boolean => fromEnvironment.values.some(({ path }) => key.startsWith(`${keyName(path)}[`));
  const given = [...fromFile.values.filter(({ path }) => !isReplaced(keyName(path))), ...fromEnvironment.values];
  const problems = [...fromFile.problems, ...fromEnvironment.problems];
  const config = withAbsolutePaths(assemble(given), file === undefined ? source.folder : dirname(file));
  if (problems.length === 0) problems.push(...crossChecks(config, given));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function configFile({ file, environment, folder }: ConfigSource): string | undefined {
  const named = file ?? environment['SLUICE_CONFIG'];
  const path = resolve(folder, named ?? DEFAULT_CONFIG_FILE);
  return named !== undefined || existsSync(path) ? path : undefined;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (cause as Error).message;
    throw new ConfigError([{ key: '', where: file, message: `the configuration file cannot be read: ${reason}` }]);
  }
}

function assemble(given: readonly GivenValue[]): Config {
  const apps = given.some(({ path }) => path[0] === 'apps') ? {} : { live: {} };
  const root: Record<string, unknown> = { apps };
  for (const { path, value } of given) {
    let group = root;
    for (const name of path.slice(0, -1)) {
      // `__proto__`, too, is a key like any other here.
      if (!Object.hasOwn(group, name)) define(group, name, {});
      group = group[name] as Record<string, unknown>;
    }
    const last = path.at(-1) ?? '';
    if (value !== undefined) define(group, last, Array.isArray(value) ? [...value] : value);
    else if (!Object.hasOwn(group, last)) define(group, last, {});
  }
  return withDefaults(root, configSchema) as Config;
}

function define(group: Record<string, unknown>, name: string | number, value: unknown): void {
  Object.defineProperty(group, name, { value, writable: true, enumerable: true, configurable: true });
}

/** What no single key can tell: values that contradict each other. */
function crossChecks(config: Config, given: readonly GivenValue[]): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const where = (key: string): string => given.findLast(({ path }) => keyName(path) === key)?.where ?? 'defaults';
  const problem = (key: string, message: string): number => problems.push({ key, where: where(key), message });
  const tls = (key: string, files: TlsFiles): void => {
    if ((files.certFile === '') === (files.keyFile === '')) return;
    const [has, lacks] = files.certFile === '' ? ['keyFile', 'certFile'] : ['certFile', 'keyFile'];
    problem(`${key}.${has}`, `TLS needs both files: set ${key}.${lacks} too`);
  };
  tls('http.tls', config.http.tls);
  tls('rtmp.tls', config.rtmp.tls);
  if (config.hls.partMs * 2 > config.hls.segmentMs) {
    problem(
      'hls.partMs',
      `${config.hls.partMs} is not right: a segment (hls.segmentMs, ${config.hls.segmentMs}) must hold at least two parts`,
    );
  }
  clusterChecks(config.cluster, problem);
  if (config.rtmp.enabled && config.rtmp.port !== 0 && config.rtmp.port === config.http.port) {
    problem('rtmp.port', `${config.rtmp.port} is http.port too: take another for one of them`);
  }
  for (const name of Object.keys(config.apps)) {
    try {
      streamRef(name, 'any');
    } catch {
      problem(`apps.${name}`, 'this name is a reserved word of URLs: take another');
    }
  }
  encoderCheck(config.transcode.encoder, problem);
  for (const [name, app] of Object.entries(config.apps)) ladderChecks(`apps.${name}.ladder`, app.ladder, problem);
  allowedNetworksCheck('access.allowedNetworks', config.access.allowedNetworks, problem);
  allowedNetworksCheck('sources.allowedNetworks', config.sources.allowedNetworks, problem);
  if (problems.length === 0) sourceChecks(config, problem);
  allowedNetworksCheck('targets.allowedNetworks', config.targets.allowedNetworks, problem);
  for (const [name, app] of Object.entries(config.apps)) targetChecks(name, app.targets, problem);
  return problems;
}

function withAbsolutePaths(config: Config, folder: string): Config {
  const absolute = (path: string): string => (path === '' ? '' : resolve(folder, path));
  for (const files of [config.http.tls, config.rtmp.tls]) {
    files.certFile = absolute(files.certFile);
    files.keyFile = absolute(files.keyFile);
  }
  const { join, nats, geoIp } = config.cluster;
  join.tokenFile = absolute(join.tokenFile);
  join.caFile = absolute(join.caFile);
  nats.caFile = absolute(nats.caFile);
  geoIp.file = absolute(geoIp.file);
  config.targets.tlsCaFile = absolute(config.targets.tlsCaFile);
  config.sources.allowedFolders = config.sources.allowedFolders.map(absolute);
  return { ...config, dataFolder: absolute(config.dataFolder) };
}

import type { Command } from 'commander';
import { type AppUsage, type Audit, allItems, type SluiceClient, type Source, type Target } from '../../client/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { parseCount } from './parse-amount.ts';
import { textTable } from './text-table.ts';

/** A command that shows one answer of the API. */
interface Shown<Answer> {
  readonly name: string;
  readonly description: string;
  readonly ask: (client: SluiceClient) => Promise<Answer>;
  readonly words: (answer: Answer) => string;
}

/** `sluice sources`, `targets`, `audit`, `usage`. */
export function registerLists(program: Command): void {
  register(program, {
    name: 'sources',
    description: 'list the pull sources and how they stand',
    ask: (client) => allItems(client.sources.list),
    words: sourceTable,
  });
  register(program, {
    name: 'targets',
    description: 'list what streams are pushed to, and how that stands',
    ask: (client) => allItems(client.targets.list),
    words: targetTable,
  });
  withShowOptions(program.command('usage [app]').description('show what apps use of what they may, on all nodes')).action(
    (app: string | undefined, options: ShowOptions) =>
      run(options, async () => {
        const client = clientOf(options);
        const names = app === undefined ? (await allItems(client.apps.list)).map(({ name }) => name) : [app];
        return shown(options, await Promise.all(names.map((name) => client.apps.usage.get(name))), usageTable);
      }),
  );
  withShowOptions(program.command('audit').description('show who changed what by the API, the newest first'))
    .option('--limit <number>', 'how many changes', parseCount, 50)
    .action((options: ShowOptions & { limit: number }) =>
      run(options, async () => {
        const entries = await allItems(clientOf(options).audit.list, options.limit);
        return shown(options, entries.slice(0, options.limit), auditTable);
      }),
    );
}

function register<Answer>(program: Command, { name, description, ask, words }: Shown<Answer>): void {
  withShowOptions(program.command(name).description(description)).action((options: ShowOptions) =>
    run(options, async () => shown(options, await ask(clientOf(options)), words)),
  );
}

function sourceTable(sources: readonly Source[]): string {
  if (sources.length === 0) return 'There are no pull sources.';
  const rows = sources.map(({ stream, state, mode, url, attempts, lastError }) => [
    stream,
    state,
    mode,
    String(attempts),
    url,
    lastError?.message ?? '',
  ]);
  return textTable(['STREAM', 'STATE', 'MODE', 'ATTEMPTS', 'URL', 'LAST ERROR'], rows);
}

function targetTable(targets: readonly Target[]): string {
  if (targets.length === 0) return 'Nothing is pushed anywhere.';
  const rows = targets.map(({ stream, name, state, rendition, url, retries, bytesSent, reason }) => [
    stream,
    name,
    state,
    rendition,
    url,
    String(retries),
    `${(bytesSent / 1e6).toFixed(1)} MB`,
    reason?.message ?? '',
  ]);
  return textTable(['STREAM', 'TARGET', 'STATE', 'RENDITION', 'URL', 'RETRIES', 'SENT', 'REASON'], rows);
}

function usageTable(usages: readonly AppUsage[]): string {
  if (usages.length === 0) return 'There are no apps.';
  const of = ({ used, limit }: { used: number; limit: number | null }, unit = 1): string =>
    limit === null ? (used / unit).toFixed(0) : `${(used / unit).toFixed(0)}/${(limit / unit).toFixed(0)}`;
  const rows = usages.map(({ app, now, month }) => [
    app,
    of(now.streams),
    of(now.viewers),
    of(now.bitrateInBps, 1e6),
    of(now.bitrateOutBps, 1e6),
    of(month.transcodeMinutes),
    of(month.recordingMinutes),
    month.viewerMinutes.toFixed(0),
    (month.bytesOut / 1e9).toFixed(1),
  ]);
  return textTable(
    ['APP', 'STREAMS', 'VIEWERS', 'MBIT/S IN', 'MBIT/S OUT', 'TRANSCODED MIN', 'RECORDED MIN', 'VIEWED MIN', 'GB OUT'],
    rows,
  );
}

function auditTable(entries: readonly Audit[]): string {
  if (entries.length === 0) return 'Nothing was changed by the API.';
  const rows = entries.map(({ at, who, address, action, target }) => [at, who, address, action, target]);
  return textTable(['AT', 'WHO', 'FROM', 'ACTION', 'TARGET'], rows);
}

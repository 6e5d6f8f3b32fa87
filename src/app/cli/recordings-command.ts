import type { Command } from 'commander';
import { allItems, type Recording } from '../../client/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { parseCount } from './parse-amount.ts';
import { textTable } from './text-table.ts';

interface ListOptions extends ShowOptions {
  readonly app?: string;
  readonly stream?: string;
  readonly limit: number;
}

/** `sluice recordings list|delete`. */
export function registerRecordings(program: Command): void {
  const command = program.command('recordings').description('list and delete recordings');
  withShowOptions(command.command('list').description('list the recordings of all nodes, the newest first'))
    .option('--app <name>', 'of this app alone')
    .option('--stream <name>', 'of streams of this name alone')
    .option('--limit <number>', 'how many', parseCount, 50)
    .action(({ app, stream, limit, ...options }: ListOptions) =>
      run(options, async () => {
        const { recordings } = clientOf(options);
        const narrowed = { ...(app === undefined ? {} : { app }), ...(stream === undefined ? {} : { stream }) };
        const items = await allItems((query) => recordings.list({ ...query, ...narrowed }), limit);
        return shown(options, items.slice(0, limit), table);
      }),
    );
  withShowOptions(command.command('delete <id>').description('delete a recording and its file')).action(
    (id: string, options: ShowOptions) =>
      run(options, async () => {
        await clientOf(options).recordings.delete(id);
        return shown(options, { deleted: id }, ({ deleted }) => `${deleted} is deleted.`);
      }),
  );
}

function table(recordings: readonly Recording[]): string {
  if (recordings.length === 0) return 'There are no recordings.';
  const rows = recordings.map(({ id, app, stream, startedAt, durationSeconds, sizeBytes, node, reason }) => [
    id,
    `${app}/${stream}`,
    startedAt,
    `${durationSeconds.toFixed(0)} s`,
    `${(sizeBytes / 1e6).toFixed(1)} MB`,
    node,
    reason?.code ?? 'recording',
  ]);
  return textTable(['ID', 'STREAM', 'STARTED', 'LENGTH', 'SIZE', 'NODE', 'STATE'], rows);
}

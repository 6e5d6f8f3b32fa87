import type { Command } from 'commander';
import { allItems, type Transcoding, type TranscodingDecision, type TranscodingPool } from '../../client/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { parseCount } from './parse-amount.ts';
import { fieldLines, textTable } from './text-table.ts';

interface DecisionOptions extends ShowOptions {
  readonly node?: string;
  readonly limit: number;
}

/** `sluice transcoding [show|pool|decisions]`. */
export function registerTranscoding(program: Command): void {
  const command = program.command('transcoding').description('look at transcoding: on the server, and in the whole cluster');
  withShowOptions(
    command.command('show', { isDefault: true }).description('show transcoding on the server: tasks, and why what is made or not'),
  ).action((options: ShowOptions) => run(options, async () => shown(options, await clientOf(options).transcoding.get(), transcodingText)));
  withShowOptions(command.command('pool').description('show the limit and the tasks of each transcode node, and what waits')).action(
    (options: ShowOptions) => run(options, async () => shown(options, await clientOf(options).transcoding.pool.get(), poolText)),
  );
  withShowOptions(command.command('decisions').description('show what was decided about who makes what, the newest first'))
    .option('--node <id>', 'what this node was given')
    .option('--limit <number>', 'how many decisions', parseCount, 50)
    .action((options: DecisionOptions) =>
      run(options, async () => {
        const { node, limit } = options;
        const { decisions } = clientOf(options).transcoding;
        const items = await allItems((query) => decisions.list({ ...query, ...(node === undefined ? {} : { node }) }), limit);
        return shown(options, items.slice(0, limit), decisionTable);
      }),
    );
}

function transcodingText({ tasksRunning, tasksMax, decisions, encoders }: Transcoding): string {
  const head = `${tasksRunning} of at most ${tasksMax} tasks run.`;
  const usable = encoders.filter(({ available }) => available).map(({ name }) => name);
  const lines = usable.length === 0 ? [head] : [head, `Encoders: ${usable.join(', ')}.`];
  if (decisions.length === 0) return [...lines, 'No rendition is wanted.'].join('\n');
  const rows = decisions.map(({ stream, rung, isAssigned, reason, message }) => [
    stream,
    rung,
    isAssigned ? 'made' : 'not made',
    reason,
    message ?? '',
  ]);
  return [...lines, '', textTable(['STREAM', 'RENDITION', 'DECISION', 'REASON', 'MESSAGE'], rows)].join('\n');
}

function poolText({ allocator, waiting, nodes }: TranscodingPool): string {
  const head = fieldLines([
    ['allocator', allocator ?? 'none'],
    ['waiting', String(waiting)],
  ]);
  const rows = nodes.map(({ node, state, tasks, tasksMax }) => [node, state, `${tasks}/${tasksMax}`]);
  return rows.length === 0 ? `${head}\nThere are no transcode nodes.` : `${head}\n\n${textTable(['NODE', 'STATE', 'TASKS'], rows)}`;
}

function decisionTable(decisions: readonly TranscodingDecision[]): string {
  if (decisions.length === 0) return 'Nothing was decided yet.';
  const rows = decisions.map(({ at, stream, rung, node, reason, viewers, message }) => [
    at,
    stream,
    rung,
    node ?? '-',
    reason,
    String(viewers),
    message,
  ]);
  return textTable(['AT', 'STREAM', 'RENDITION', 'NODE', 'REASON', 'VIEWERS', 'MESSAGE'], rows);
}

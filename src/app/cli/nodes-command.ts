import type { Command } from 'commander';
import { allItems, type ChangeNodeRequest, type Node } from '../../client/mod.ts';
import { clientOf, run, type ShowOptions, shown, withShowOptions } from './api-options.ts';
import { parseSeconds } from './parse-amount.ts';
import { textTable } from './text-table.ts';

/** `sluice nodes [list|drain|activate|disable|remove]`: the nodes of a running cluster. */
export function registerNodes(program: Command): void {
  const command = program.command('nodes').description('look at the nodes of a cluster, drain and remove them');
  withShowOptions(command.command('list', { isDefault: true }).description('list the nodes'))
    .addHelpText('after', '\nExamples:\n  sluice nodes --url https://manager.example.org:8080\n  sluice nodes drain ID --deadline 5m')
    .action((options: ShowOptions) => run(options, () => list(options)));
  withShowOptions(command.command('drain <id>').description('give the node nothing new, and move away what it has'))
    .option('--deadline <time>', 'close what is left after so long, e.g. 5m; without it, the node waits', parseSeconds)
    .action((id: string, options: ShowOptions & { deadline?: number }) =>
      run(options, () =>
        change(options, id, { status: 'draining', ...(options.deadline === undefined ? {} : { deadlineS: options.deadline }) }),
      ),
    );
  for (const [name, status, description] of [
    ['activate', 'active', 'use the node (again)'],
    ['disable', 'disabled', 'leave the node joined, but do not use it, also after a restart'],
  ] as const) {
    withShowOptions(command.command(`${name} <id>`).description(description)).action((id: string, options: ShowOptions) =>
      run(options, () => change(options, id, { status })),
    );
  }
  withShowOptions(
    command.command('remove <id>').description('take the node out of the cluster for good and revoke its certificate'),
  ).action((id: string, options: ShowOptions) =>
    run(options, async () => {
      await clientOf(options).nodes.remove(id);
      return shown(options, { removed: id }, ({ removed }) => `${removed} is removed.`);
    }),
  );
}

async function change(options: ShowOptions, id: string, patch: ChangeNodeRequest): Promise<string> {
  const node = await clientOf(options).nodes.change(id, patch);
  const until = node.drainDeadlineAt === undefined ? '' : `; what is left at ${node.drainDeadlineAt} is closed`;
  return shown(options, node, ({ status }) => `${id} is ${status}${until}.`);
}

async function list(options: ShowOptions): Promise<string> {
  const nodes = await allItems(clientOf(options).nodes.list);
  if (options.json === true) return JSON.stringify(nodes, null, 2);
  const headings = [
    'NAME',
    'NODE',
    'REGION',
    'ROLES',
    'STATUS',
    'CPU',
    'MEDIA OUT',
    'VIEWERS',
    'STREAMS',
    'TASKS',
    'HEARD',
    'VERSION',
    'HTTP',
  ];
  return textTable(headings, nodes.map(row));
}

function row(node: Node): string[] {
  const { id, name, self, region, roles, status, stale, load, heardAgoMs, version, endpoints } = node;
  const viewers = load === undefined ? undefined : Object.values(load.viewers).reduce((sum, count) => sum + count, 0);
  return [
    name ?? '-',
    self ? `${id} *` : id,
    region,
    roles.join(','),
    stale ? `${status}, stale` : status,
    load === undefined ? '-' : `${Math.round(load.cpu * 100)} %`,
    load === undefined ? '-' : `${(load.mediaOutBps / 1e6).toFixed(1)} Mbit/s`,
    viewers === undefined ? '-' : String(viewers),
    load === undefined ? '-' : String(load.streams),
    load === undefined ? '-' : `${load.tasks}/${load.tasksMax}`,
    `${(heardAgoMs / 1000).toFixed(1)} s ago`,
    version,
    endpoints.http,
  ];
}

import { useNavigate, useSearch } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { NodeResource } from '../../../src/api/console-contract.ts';
import { formatBitrate } from '../figures/figures.ts';
import { NodeActions } from './node-actions.tsx';
import { formatBytes, selectNodes, shareOf, standingOf, viewersOf, whoIsLeft } from './node-figures.ts';
import { AloneNotice, Meter, PageTitle, Standing } from './parts.tsx';
import { useNodes } from './queries.ts';
import { useIsInCluster, useMayChange } from './session-context.ts';

/** The nodes of the cluster: how busy each is, and what to do with it. */
export function NodesPage(): JSX.Element {
  return useIsInCluster() ? (
    <NodesOfCluster />
  ) : (
    <>
      <PageTitle title="Nodes" />
      <AloneNotice what="It takes streams in and serves them to everybody by itself. In a cluster, this page shows how busy each node is, and drains, activates and removes them." />
    </>
  );
}

function NodesOfCluster(): JSX.Element {
  const { data: nodes = [], error, isPending } = useNodes();
  const { find = '' } = useSearch({ from: '/console/nodes' });
  const navigate = useNavigate();
  const found = selectNodes(nodes, find);
  return (
    <>
      <PageTitle title="Nodes">
        <input
          className="search"
          type="search"
          placeholder="Id, region, role, status"
          aria-label="Search the nodes"
          value={find}
          onChange={({ target: { value } }) =>
            void navigate({ to: '/console/nodes', search: value === '' ? {} : { find: value }, replace: true })
          }
        />
      </PageTitle>
      <Standing problem={error} isLoading={isPending} />
      <p className="note" role="status">
        {!isPending && `${found.length} of ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`}
      </p>
      <ul className="nodes">
        {found.map((node) => (
          <NodeCard key={node.id} node={node} />
        ))}
      </ul>
    </>
  );
}

function NodeCard({ node }: { readonly node: NodeResource }): JSX.Element {
  const standing = standingOf(node);
  const { id, region, roles, self, version, load, endpoints, heardAgoMs } = node;
  return (
    <li className={`panel node ${standing}`}>
      <div className="node-head">
        <h2>{id}</h2>
        <span className={`badge ${standing}`}>{standing}</span>
      </div>
      <p className="note">
        {[region, roles.join(', '), ...(self ? ['this node'] : [])].join(' · ')}
        <span className="block">{`Sluice ${version} · ${endpoints.http}`}</span>
      </p>
      {node.stale && <p className="notice bad">No sign of life for {Math.round(heardAgoMs / 1000)} s.</p>}
      {!node.stale && <Drain node={node} />}
      {load === undefined ? <p className="note">It has not told how busy it is.</p> : <Load load={load} viewers={viewersOf(node)} />}
      {useMayChange() && <NodeActions node={node} />}
    </li>
  );
}

function Drain({ node }: { readonly node: NodeResource }): JSX.Element | null {
  if (node.status !== 'draining') return null;
  const until =
    node.drainDeadlineAt === undefined ? '' : ` What is left at ${new Date(node.drainDeadlineAt).toLocaleTimeString('en-GB')} is closed.`;
  return (
    <p className="notice" role="status">
      Draining: {whoIsLeft(node)} left.{until}
    </p>
  );
}

function Load({ load, viewers }: { readonly load: NonNullable<NodeResource['load']>; readonly viewers: number }): JSX.Element {
  const { cpu, memoryBytes, memoryMaxBytes, networkInBps, networkOutBps, networkMaxBps, loopLagMs, viewersMax, streams, tasks, tasksMax } =
    load;
  const of = (whole: number, format: (value: number) => string): string => (whole > 0 ? ` of ${format(whole)}` : '');
  const count = (value: number): string => value.toLocaleString('en');
  return (
    <div className="meters">
      <Meter label="CPU" share={shareOf(cpu, 1)} words={`${Math.round(cpu * 100)} %`} />
      <Meter
        label="Memory"
        share={shareOf(memoryBytes, memoryMaxBytes)}
        words={formatBytes(memoryBytes) + of(memoryMaxBytes, formatBytes)}
      />
      <Meter label="Network in" share={shareOf(networkInBps, networkMaxBps)} words={formatBitrate(networkInBps)} />
      <Meter label="Network out" share={shareOf(networkOutBps, networkMaxBps)} words={formatBitrate(networkOutBps)} />
      <Meter label="Viewers" share={shareOf(viewers, viewersMax)} words={count(viewers) + of(viewersMax, count)} />
      <Meter label="Tasks" share={shareOf(tasks, tasksMax)} words={count(tasks) + of(tasksMax, count)} />
      <Meter label="Streams" share={undefined} words={count(streams)} />
      <Meter label="Event loop" share={undefined} words={`${loopLagMs.toFixed(1)} ms late (p99)`} />
    </div>
  );
}

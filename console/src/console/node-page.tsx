import { Link, useParams } from '@tanstack/react-router';
import { type JSX, useSyncExternalStore } from 'react';
import type { NodeResource } from '../../../src/api/console-contract.ts';
import { formatUptime, UNKNOWN } from '../figures/figures.ts';
import { Alarms } from './alarms.tsx';
import { DecisionTable } from './allocation.tsx';
import { useDecisionsOf } from './allocation-queries.ts';
import { EventList } from './event-list.tsx';
import { eventLog, isOfNode } from './event-log.ts';
import { NodeActions } from './node-actions.tsx';
import { NodeCharts } from './node-charts.tsx';
import { formatBytes, standingOf, standingReason, viewersOf } from './node-figures.ts';
import { NodeLoad, NodeNotice } from './node-load.tsx';
import { useNodeName } from './node-names.ts';
import { NodeStreams } from './node-streams-table.tsx';
import { NodeTranscoding } from './node-transcoding.tsx';
import { AloneNotice, Figure, PageTitle, Standing } from './parts.tsx';
import { useNode, useNodes, useOverview, useRelays, useStreamsFrom, useTranscodingOf } from './queries.ts';
import { RelayTable } from './relay-table.tsx';
import { useIsInCluster, useMayChange } from './session-context.ts';
import { formatTime } from './spans.ts';

const EVENTS_MAX = 50;

/** One node: how busy it is, what it does for which streams, and what was decided about it. */
export function NodePage(): JSX.Element {
  const { node: id } = useParams({ from: '/console/nodes/$node' });
  const isInCluster = useIsInCluster();
  const mayChange = useMayChange();
  const nodeName = useNodeName();
  const { data, error, isPending, dataUpdatedAt } = useNode(id, isInCluster);
  const isGone = error?.status === 404;
  const node = isGone ? undefined : data;
  return (
    <>
      <PageTitle title={nodeName(id)}>
        {node && <span className={`badge ${standingOf(node)}`}>{standingOf(node)}</span>}
        {node && mayChange && <NodeActions node={node} />}
      </PageTitle>
      {!isInCluster && <AloneNotice what="Its figures are on the overview, and its transcoding on the page of that." />}
      {isGone && (
        <p className="notice">
          No node of this cluster has this id. <Link to="/console/nodes">To the nodes</Link>
        </p>
      )}
      {isInCluster && !isGone && <Standing problem={error} isLoading={isPending} />}
      {node && <Detail key={id} node={node} atMs={dataUpdatedAt} />}
    </>
  );
}

function Detail({ node, atMs }: { readonly node: NodeResource; readonly atMs: number }): JSX.Element {
  const { data: overview } = useOverview();
  const { endpoints } = node;
  const alarms = overview?.alarms.filter((alarm) => alarm.node === node.id) ?? [];
  return (
    <>
      <p className="note id">
        {[node.id, endpoints.http, endpoints.rtmp, endpoints.relay].filter((address) => address !== undefined).join(' · ')}
      </p>
      <NodeNotice node={node} />
      <Facts node={node} />
      {alarms.length > 0 && <Alarms alarms={alarms} />}
      <section className="panel" aria-labelledby="load-title">
        <h2 id="load-title">How busy it is</h2>
        <div className="wide-meters">
          <NodeLoad node={node} />
        </div>
      </section>
      {node.load && <NodeCharts load={node.load} atMs={atMs} />}
      <StreamsAndRelays node={node} />
      <Tasks id={node.id} />
      <Events node={node} />
    </>
  );
}

function Facts({ node }: { readonly node: NodeResource }): JSX.Element {
  const { region, roles, version, protocol, startedAt, incarnation, joinedAt, load, self } = node;
  const small = (text: string): JSX.Element => <span className="small">{text}</span>;
  const protocols = Object.entries(load?.viewers ?? {}).map(([name, count]) => `${name} ${count.toLocaleString('en')}`);
  return (
    <dl className="figures">
      <Figure label="Status" value={small(standingOf(node))} note={standingReason(node, formatTime)} />
      <Figure label="Roles" value={small(roles.join(', '))} note={self ? `in ${region}; it shows this page` : `in ${region}`} />
      <Figure
        label="Started"
        value={small(startedAt === undefined ? UNKNOWN : `${formatUptime(Date.now() - Date.parse(startedAt))} ago`)}
        note={`start ${incarnation}; joined ${formatTime(joinedAt)}`}
      />
      <Figure label="Software" value={small(`Sluice ${version}`)} note={`speaks protocol ${protocol} of the cluster`} />
      <Figure label="Viewers" value={small(viewersOf(node).toLocaleString('en'))} note={protocols.join(' · ')} />
      <Figure label="Disk" value={small(formatBytes(load?.diskFreeBytes))} note="free in its data folder" />
    </dl>
  );
}

function StreamsAndRelays({ node }: { readonly node: NodeResource }): JSX.Element {
  const { data: nodes = [] } = useNodes();
  const relays = useRelays();
  const published = useStreamsFrom(node.id);
  const own = relays.data?.items.filter(({ from, to }) => from === node.id || to === node.id) ?? [];
  return (
    <>
      <Standing problem={published.error ?? relays.error} isLoading={published.isPending || relays.isPending} />
      {published.data && <NodeStreams node={node} published={published.data} relays={own} nodes={nodes} />}
      {relays.data && <RelayTable relays={own} none="It pulls from no node, and none pulls from it." />}
    </>
  );
}

function Tasks({ id }: { readonly id: string }): JSX.Element {
  const transcoding = useTranscodingOf(id);
  const decisions = useDecisionsOf(id);
  return (
    <>
      <Standing problem={transcoding.error} isLoading={transcoding.isPending} />
      {transcoding.data?.items.map((item) => (
        <NodeTranscoding key={item.node} of={item} title="Transcoding" />
      ))}
      <section className="panel" aria-labelledby="allocation-title">
        <h2 id="allocation-title">What it was given to make</h2>
        <Standing problem={decisions.error} isLoading={decisions.isPending} />
        {decisions.data && <DecisionTable decisions={decisions.data.items} />}
      </section>
    </>
  );
}

function Events({ node: { id, self } }: { readonly node: NodeResource }): JSX.Element {
  const all = useSyncExternalStore(eventLog.listen, eventLog.events);
  const events = all.filter((event) => isOfNode(event, id, self)).slice(0, EVENTS_MAX);
  return (
    <section className="panel" aria-labelledby="events-title">
      <h2 id="events-title">Events</h2>
      {events.length === 0 ? (
        <p className="note">Nothing has happened to it since the console was opened.</p>
      ) : (
        <EventList events={events} />
      )}
      {useMayChange() && (
        <p className="note">
          Who changed it: in the{' '}
          <Link to="/console/audit" search={{ find: id }}>
            log of changes
          </Link>
          .
        </p>
      )}
    </section>
  );
}

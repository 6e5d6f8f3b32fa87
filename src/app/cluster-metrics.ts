import { type MetricSource, oncePerScrape, sumHistograms } from '../io/mod.ts';
import type { ClusterHealth, ClusterStats } from './cluster-health.ts';
import type { ClusterMember } from './cluster-member.ts';
import { busMetrics, storeMetrics } from './store-metrics.ts';

const STATES = ['joining', 'active', 'draining', 'disabled', 'removed', 'superseded', 'foreign'] as const;

/** What a node tells of its cluster: who is there, what it relays, how long that takes, and how its store and bus do. */
export function clusterMetrics(cluster: ClusterMember): readonly MetricSource[] {
  const stats = oncePerScrape(() => cluster.stats());
  const health = oncePerScrape(() => cluster.health());
  return [
    ...membershipMetrics(stats, health),
    ...relayMetrics(stats, health),
    ...storeMetrics(() => health().store),
    ...busMetrics(() => health().bus),
  ];
}

type One = (name: string, kind: 'gauge' | 'counter', help: string, read: () => number) => MetricSource;

const one: One = (name, kind, help, read) => ({ name, kind, help, read: () => [{ value: read() }] });

function membershipMetrics(stats: () => ClusterStats, health: () => ClusterHealth): readonly MetricSource[] {
  return [
    {
      name: 'sluice_cluster_nodes',
      kind: 'gauge',
      help: 'Nodes of the cluster as this one sees them',
      labels: ['state'],
      read: () => {
        const { nodesAlive, nodesStale } = stats();
        return [
          { labels: { state: 'alive' }, value: nodesAlive },
          { labels: { state: 'stale' }, value: nodesStale },
        ];
      },
    },
    {
      name: 'sluice_cluster_node_state',
      kind: 'gauge',
      help: 'What this node is in its cluster: 1 at one state, 0 at all others',
      labels: ['state'],
      read: () => STATES.map((state) => ({ labels: { state }, value: Number(health().state === state) })),
    },
    one('sluice_cluster_managers', 'gauge', 'Managers that are alive as this node sees them', () => health().managersAlive),
    one('sluice_cluster_connected', 'gauge', 'Whether the cluster can be reached', () => Number(stats().isConnected)),
    one('sluice_cluster_streams', 'gauge', 'Streams that are published on any node', () => stats().streams),
  ];
}

function relayMetrics(stats: () => ClusterStats, health: () => ClusterHealth): readonly MetricSource[] {
  const codes = (name: string, help: string, read: (of: ClusterHealth) => ReadonlyMap<string, number>): MetricSource => ({
    name,
    kind: 'counter',
    help,
    labels: ['code'],
    read: () => [...read(health())].map(([code, value]) => ({ labels: { code }, value })),
  });
  return [
    one('sluice_relay_pulled_streams', 'gauge', 'Renditions that this node pulls from others', () => stats().pulls),
    one('sluice_relay_subscriptions', 'gauge', 'Renditions that other nodes pull from this one', () => stats().subscriptions),
    {
      name: 'sluice_relay_connections',
      kind: 'gauge',
      help: 'Open connections between this node and others, by who began them',
      labels: ['direction'],
      read: () => [
        { labels: { direction: 'out' }, value: health().connectionsOut },
        { labels: { direction: 'in' }, value: health().connectionsIn },
      ],
    },
    one('sluice_relay_received_bytes_total', 'counter', 'Bytes that came from other nodes', () => stats().bytesReceived),
    one('sluice_relay_sent_bytes_total', 'counter', 'Bytes that went to other nodes', () => stats().bytesSent),
    one('sluice_relay_queued_bytes', 'gauge', 'Bytes that wait for slow nodes', () => health().bytesQueued),
    one('sluice_relay_dropped_total', 'counter', 'Messages that slow nodes did not get', () => stats().dropped),
    one('sluice_relay_broken_total', 'counter', 'Connections to other nodes that broke or could not be made', () => stats().broken),
    codes('sluice_relay_closed_total', 'Connections from other nodes that ended or were refused, by code', (of) => of.closedByCode),
    codes('sluice_relay_refused_total', 'Renditions that other nodes wanted and did not get, by code', (of) => of.refusedByCode),
    {
      name: 'sluice_relay_hop_latency_seconds',
      kind: 'histogram',
      help: 'How long frames take from the hub of the node that they are pulled from to this one',
      labels: ['upstream'],
      read: () => [...byNode(health().links)].map(([upstream, { latency }]) => ({ labels: { upstream }, value: latency })),
    },
    {
      name: 'sluice_relay_round_trip_seconds',
      kind: 'gauge',
      help: 'Round trip to the nodes that this one pulls from',
      labels: ['upstream'],
      read: () =>
        [...byNode(health().links)].flatMap(([upstream, { rttMs }]) =>
          rttMs === undefined ? [] : [{ labels: { upstream }, value: rttMs / 1000 }],
        ),
    },
  ];
}

type Link = Omit<ClusterHealth['links'][number], 'node'>;

/** A node whose address changed has two connections for a while; they count as one. */
function byNode(links: ClusterHealth['links']): ReadonlyMap<string, Link> {
  const merged = new Map<string, Link>();
  for (const { node, latency, rttMs } of links) {
    const known = merged.get(node);
    merged.set(node, { latency: known === undefined ? latency : sumHistograms([known.latency, latency]), rttMs: rttMs ?? known?.rttMs });
  }
  return merged;
}

import type { MetricSource } from '../io/mod.ts';
import type { ClusterMember, ClusterStats } from './cluster-member.ts';

/** What a node tells of its cluster: who is there, what it relays, and how long that takes. */
export function clusterMetrics(cluster: ClusterMember): readonly MetricSource[] {
  const one = (name: string, kind: 'gauge' | 'counter', help: string, read: (of: ClusterStats) => number): MetricSource => ({
    name,
    kind,
    help,
    read: () => [{ value: read(cluster.stats()) }],
  });
  const hops = (name: string, help: string, read: (of: ClusterStats['hops'][number]) => number): MetricSource => ({
    name,
    kind: 'gauge',
    help,
    labels: ['upstream'],
    read: () => cluster.stats().hops.map((hop) => ({ labels: { upstream: hop.node }, value: read(hop) })),
  });
  return [
    {
      name: 'sluice_cluster_nodes',
      kind: 'gauge',
      help: 'Nodes of the cluster as this one sees them',
      labels: ['state'],
      read: () => {
        const { nodesAlive, nodesStale } = cluster.stats();
        return [
          { labels: { state: 'alive' }, value: nodesAlive },
          { labels: { state: 'stale' }, value: nodesStale },
        ];
      },
    },
    one('sluice_cluster_connected', 'gauge', 'Whether the cluster can be reached', ({ isConnected }) => Number(isConnected)),
    one('sluice_cluster_streams', 'gauge', 'Streams that are published on any node', ({ streams }) => streams),
    one('sluice_relay_pulled_streams', 'gauge', 'Renditions that this node pulls from others', ({ pulls }) => pulls),
    one('sluice_relay_subscriptions', 'gauge', 'Renditions that other nodes pull from this one', ({ subscriptions }) => subscriptions),
    one('sluice_relay_received_bytes_total', 'counter', 'Bytes that came from other nodes', ({ bytesReceived }) => bytesReceived),
    one('sluice_relay_sent_bytes_total', 'counter', 'Bytes that went to other nodes', ({ bytesSent }) => bytesSent),
    one('sluice_relay_dropped_total', 'counter', 'Messages that slow nodes did not get', ({ dropped }) => dropped),
    one('sluice_relay_broken_total', 'counter', 'Connections to other nodes that broke or could not be made', ({ broken }) => broken),
    hops('sluice_relay_hop_latency_p50_seconds', 'From a node to this one, median', ({ p50Ms }) => p50Ms / 1000),
    hops('sluice_relay_hop_latency_p99_seconds', 'From a node to this one, 99th percentile', ({ p99Ms }) => p99Ms / 1000),
  ];
}

import { type BusHealth, type MetricSource, oncePerScrape, type StoreHealth } from '../io/mod.ts';

/** How the store of the cluster, or of a node on its own, does as this process sees it. */
export function storeMetrics(read: () => StoreHealth): readonly MetricSource[] {
  const health = oncePerScrape(read);
  return [
    {
      name: 'sluice_store_call_duration_seconds',
      kind: 'histogram',
      help: 'How long calls of the store take until they are answered, by operation',
      labels: ['operation'],
      read: () => [...health().calls].map(([operation, value]) => ({ labels: { operation }, value })),
    },
    {
      name: 'sluice_store_failed_calls_total',
      kind: 'counter',
      help: 'Calls of the store that failed, by reason; a conflict is a write that another one came before',
      labels: ['reason'],
      read: () => [...health().failedByCode].map(([reason, value]) => ({ labels: { reason }, value })),
    },
    {
      name: 'sluice_store_watches',
      kind: 'gauge',
      help: 'Watches of the store, by whether they know all that is there',
      labels: ['state'],
      read: () => {
        const { watches, watchesLost } = health();
        return [
          { labels: { state: 'current' }, value: watches - watchesLost },
          { labels: { state: 'lost' }, value: watchesLost },
        ];
      },
    },
    {
      name: 'sluice_store_watch_lag_seconds',
      kind: 'histogram',
      help: "From the answer to a write of this node's to when its watch told it of it",
      read: () => [{ value: health().watchLag }],
    },
  ];
}

export function busMetrics(read: () => BusHealth): readonly MetricSource[] {
  const health = oncePerScrape(read);
  return [
    {
      name: 'sluice_bus_connected',
      kind: 'gauge',
      help: 'Whether messages reach the other nodes',
      read: () => [{ value: Number(health().isConnected) }],
    },
    {
      name: 'sluice_bus_published_messages_total',
      kind: 'counter',
      help: 'Messages that this node has published',
      read: () => [{ value: health().published }],
    },
    {
      name: 'sluice_bus_request_duration_seconds',
      kind: 'histogram',
      help: 'How long requests to other nodes take until they are answered',
      read: () => [{ value: health().requests }],
    },
    {
      name: 'sluice_bus_failed_requests_total',
      kind: 'counter',
      help: 'Requests to other nodes that were not answered, by reason',
      labels: ['reason'],
      read: () => [...health().failedByCode].map(([reason, value]) => ({ labels: { reason }, value })),
    },
  ];
}

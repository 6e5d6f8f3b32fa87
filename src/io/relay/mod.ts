export type { NodeAnswer, NodeQuestion } from './node-calls.ts';
export { RelayClient, type RelayClientStats } from './relay-client.ts';
export type { RelayClientOptions, RelayPull, RelayPullOptions, RelayTls, RelayUpstream, RelayWatch } from './relay-pull.ts';
export { RELAY_QUEUE_DEFAULTS, RelayServer, type RelayServerOptions, type RelayServerStats } from './relay-server.ts';
export type { RelayRefused, RelaySource, RelaySources } from './relay-sources.ts';

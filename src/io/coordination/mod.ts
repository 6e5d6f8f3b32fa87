export { EmbeddedBus, type EmbeddedBusOptions } from './embedded-bus.ts';
export { EmbeddedStore, type EmbeddedStoreOptions } from './embedded-store.ts';
export { type BusHealth, MeteredBus } from './metered-bus.ts';
export { MeteredStore, type StoreHealth } from './metered-store.ts';
export { NatsBus } from './nats-bus.ts';
export { NatsLink, type NatsLinkOptions, type NatsLinkTls } from './nats-link.ts';
export type { NatsServerTls } from './nats-server-config.ts';
export { NatsServerProcess, type NatsServerProcessOptions } from './nats-server-process.ts';
export { NatsStore, type NatsStoreOptions } from './nats-store.ts';

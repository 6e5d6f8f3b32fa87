import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { isName, SluiceError } from '../../core/mod.ts';
import { callOut } from './call-out.ts';
import { inboxPrefix } from './nats-bucket.ts';
import { natsFailure } from './nats-failure.ts';

type NodeTlsOptions = NonNullable<NodeConnectionOptions['tls']>;

const CONNECT_MS_MAX = 3000;
const DRAIN_MS_MAX = 500;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2000;
/** A server that is silent for three of these is given up; a link that was cut tells nobody otherwise. */
const PING_MS = 1000;
const PINGS_OUT_MAX = 2;

/** Certificates as files, which are read for each connection, or as PEM text. This client's own ones are for mutual TLS. */
export interface NatsLinkTls {
  readonly caFile?: string;
  readonly ca?: string;
  readonly certFile?: string;
  readonly cert?: string;
  readonly keyFile?: string;
  readonly key?: string;
}

export interface NatsLinkOptions {
  /** `nats://HOST:PORT` or `tls://HOST:PORT`; name all servers of a cluster of NATS. */
  readonly servers: readonly string[];
  /** The cluster of Sluice: what it says and keeps in NATS bears this name. A name without dots. */
  readonly cluster: string;
  readonly user?: string;
  readonly password?: string;
  /** A function is asked before each connection: certificates that were renewed are used from then on. */
  readonly tls?: NatsLinkTls | (() => NatsLinkTls);
  /** Told when the servers are reached, and when and why they are not. */
  readonly onReachable?: (isReachable: boolean, detail: string) => void;
}

export interface NatsLinkUser {
  /** A new connection: whatever was subscribed on the one before is gone. */
  connected(connection: NatsConnection): void;
  disconnected(): void;
}

/**
 * The connection to NATS, made anew forever: after each loss a whole new one, so that nothing of the old one's state lives on. The times between the
 * attempts grow up to two seconds, each a little different, so that a thousand nodes do not come back in one moment.
 */
export class NatsLink {
  readonly cluster: string;
  private readonly options: NatsLinkOptions;
  private readonly users = new Set<NatsLinkUser>();
  private current: NatsConnection | undefined;
  private failures = 0;
  private refusedSince: number | undefined;
  private isClosed = false;
  private wake: () => void = () => undefined;
  private toldDetail: string | undefined;
  private readonly running: Promise<void>;

  constructor(options: NatsLinkOptions) {
    if (!isName(options.cluster) || options.cluster.includes('.')) {
      throw new SluiceError(
        'coordination.bad-cluster-name',
        `the cluster's name ${JSON.stringify(options.cluster)} is not usable: take 1 to 64 letters, digits, "_" or "-"`,
      );
    }
    this.options = options;
    this.cluster = options.cluster;
    this.running = this.run();
  }

  /** Undefined while there is none. */
  get connection(): NatsConnection | undefined {
    return this.current;
  }

  /** For how long the servers have been refusing this client, and have said nothing else; 0: they do not. */
  get refusedForMs(): number {
    return this.refusedSince === undefined ? 0 : Math.max(1, performance.now() - this.refusedSince);
  }

  /** Why there is no connection. */
  get detail(): string {
    return this.toldDetail ?? 'not connected to NATS yet';
  }

  /** A user that comes while there is a connection is told of it later, too. Returns a function that ends it. */
  use(user: NatsLinkUser): () => void {
    this.users.add(user);
    const { current } = this;
    if (current !== undefined) setImmediate(() => this.current === current && this.users.has(user) && user.connected(current));
    return () => this.users.delete(user);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.wake();
    const { current } = this;
    if (current !== undefined) {
      // What was just published goes out first. Not for long: draining a connection that breaks meanwhile never comes to an end.
      await Promise.race([current.drain().catch(() => undefined), this.pause(DRAIN_MS_MAX)]);
      this.wake();
      await current.close();
    }
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isClosed) {
      try {
        await this.session(await connect(this.connectionOptions()));
      } catch (error) {
        const { failure, detail } = natsFailure(error);
        this.refusedSince = failure === 'refused' ? (this.refusedSince ?? performance.now()) : undefined;
        this.tell(false, detail);
      }
      if (this.isClosed) return;
      this.failures += 1;
      await this.pause(Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (this.failures - 1)) * (0.5 + Math.random() / 2));
    }
  }

  private async session(connection: NatsConnection): Promise<void> {
    if (this.isClosed) return connection.close();
    this.current = connection;
    this.refusedSince = undefined;
    this.failures = 0;
    this.tell(true, connection.getServer());
    for (const user of [...this.users]) callOut(() => user.connected(connection));
    const error = await connection.closed();
    this.current = undefined;
    this.tell(false, error === undefined ? 'the connection to NATS was closed' : natsFailure(error).detail);
    for (const user of [...this.users]) callOut(() => user.disconnected());
  }

  private connectionOptions(): NodeConnectionOptions {
    const { servers, cluster, user, password, tls } = this.options;
    return {
      servers: [...servers],
      name: `sluice ${cluster}`,
      inboxPrefix: inboxPrefix(cluster),
      reconnect: false,
      // Only what the operator named is reachable for certain: servers tell each other's addresses, which may be those of another network.
      ignoreClusterUpdates: true,
      timeout: CONNECT_MS_MAX,
      pingInterval: PING_MS,
      maxPingOut: PINGS_OUT_MAX,
      noAsyncTraces: true,
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { pass: password }),
      ...(tls === undefined ? {} : { tls: withIdentity(typeof tls === 'function' ? tls() : tls, servers) }),
    };
  }

  private tell(isReachable: boolean, detail: string): void {
    const told = isReachable ? undefined : detail;
    if (told === this.toldDetail && !isReachable) return;
    this.toldDetail = told;
    this.options.onReachable?.(isReachable, detail);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/**
 * The library checks the server's certificate against `localhost` when the server is named by its address. Here it has to be good for one of the servers
 * that the operator named, whichever of them it is.
 */
function withIdentity(tls: NatsLinkTls, servers: readonly string[]): NodeTlsOptions & Pick<ConnectionOptions, 'checkServerIdentity'> {
  const hosts = servers.map((server) =>
    server
      .replace(/^\w+:\/\//, '')
      .replace(/:\d+$/, '')
      .replace(/^\[|\]$/g, ''),
  );
  return {
    ...tls,
    checkServerIdentity: (_, certificate) => {
      const errors = hosts.map((host) => checkServerIdentity(host, certificate));
      return errors.includes(undefined) ? undefined : errors[0];
    },
  };
}

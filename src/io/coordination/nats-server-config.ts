/** Where a nats-server's certificates are: PEM files. */
export interface NatsServerTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** Clients have to show a certificate that this authority signed. */
  readonly caFile: string;
}

/** Clients are known by their certificates: one is let in whose certificate has one of these as a DNS name (or, without any, as its subject). */
export interface NatsServerUsers {
  readonly users: readonly string[];
}

export interface NatsServerConfig {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly storeFolder: string;
  readonly user: string;
  readonly password: string;
  readonly tls?: NatsServerTls & NatsServerUsers;
  /** Makes it one of several servers with a common JetStream. */
  readonly cluster?: { readonly name: string; readonly host: string; readonly port: number; readonly peers: readonly string[] };
}

/** The text of a nats-server's configuration file. It holds the password: keep it at mode 0600. */
export function natsServerConfig({ name, host, port, storeFolder, user, password, tls, cluster }: NatsServerConfig): string {
  const lines = [
    `server_name: ${quoted(name)}`,
    `listen: ${quoted(`${host.includes(':') ? `[${host}]` : host}:${port}`)}`,
    tls === undefined
      ? `authorization { user: ${quoted(user)}, password: ${quoted(password)} }`
      : `authorization { users: [\n${tls.users.map((name) => `  { user: ${quoted(name)}, password: ${quoted(password)} }`).join('\n')}\n] }`,
    `jetstream { store_dir: ${quoted(storeFolder)} }`,
  ];
  if (tls !== undefined) {
    lines.push(
      `tls { cert_file: ${quoted(tls.certFile)}, key_file: ${quoted(tls.keyFile)}, ca_file: ${quoted(tls.caFile)}, verify_and_map: true, timeout: 5 }`,
    );
  }
  if (cluster !== undefined) {
    const routes = cluster.peers.map((peer) => quoted(`nats://${peer}`)).join(', ');
    lines.push(`cluster { name: ${quoted(cluster.name)}, listen: ${quoted(`${cluster.host}:${cluster.port}`)}, routes: [${routes}] }`);
  }
  return `${lines.join('\n')}\n`;
}

/** Strings in double quotes know the escapes of JSON that can turn up here. */
const quoted = (text: string): string => JSON.stringify(text);

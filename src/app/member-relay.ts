import type pino from 'pino';
import {
  type Clock,
  type MediaRoute,
  type NodeIdentity,
  RelayClient,
  RelayServer,
  type RelaySources,
  type RelayTls,
  type Tracing,
} from '../io/mod.ts';
import type { Config } from './config/mod.ts';

export interface MemberRelayOptions {
  readonly config: Config['cluster']['relay'];
  readonly identity: NodeIdentity;
  /** Whether the node of this certificate (serial number in hexadecimal, lower case) is a member. */
  readonly isMember: (node: string, serial: string) => boolean;
  readonly sources: RelaySources;
  /** What other nodes may ask for by HTTP. */
  readonly routes: () => readonly MediaRoute[];
  readonly tracing: Tracing | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** This node's ends of the connections between the cluster's nodes: the port where it answers them, and what asks them. */
export class MemberRelay {
  readonly server: RelayServer;
  readonly client: RelayClient;

  /** Opens the port; rejects with `SluiceError` `listen.…`. */
  static async open(options: MemberRelayOptions): Promise<MemberRelay> {
    const relay = new MemberRelay(options);
    await relay.server.listen();
    return relay;
  }

  private constructor({ config, identity, isMember, sources, routes, tracing, clock, log }: MemberRelayOptions) {
    const shared = { tls: tlsOf(identity), node: identity.nodeId, cluster: identity.clusterName, clock, log };
    this.server = new RelayServer({
      ...shared,
      ...config,
      portKey: 'cluster.relay.port',
      portVariable: 'SLUICE_CLUSTER_RELAY_PORT',
      mayConnect: (node, serial) => isMember(node, serial.toLowerCase()),
      sources,
      routes,
    });
    this.client = new RelayClient({ ...shared, tracing });
  }

  /** Shows a renewed certificate from the next connection on. */
  showCertificate(identity: NodeIdentity): void {
    this.server.showCertificate(tlsOf(identity));
    this.client.showCertificate(tlsOf(identity));
  }

  async close(): Promise<void> {
    this.client.close();
    await this.server.close();
  }
}

const tlsOf = ({ privateKey, certificate, ca }: NodeIdentity): RelayTls => ({ key: privateKey, cert: certificate, ca });

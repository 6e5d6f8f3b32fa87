import type pino from 'pino';
import { ROUTE_WEIGHTS, type RoutedNodes, type RouteWeights, type RoutingRules } from '../cluster/mod.ts';
import { ClientRegion, ClusterRoute, GeoIp, NodeRouting } from '../io/mod.ts';
import type { Config } from './config/mod.ts';

export interface ClientRoutingOptions {
  readonly config: Config;
  /** Of this node. */
  readonly region: string;
  readonly nodes: RoutedNodes;
  /** Whether a node has a stream (`app/name`) already. */
  readonly hasStream: (node: string, stream: string) => boolean;
  /** Whether clients reach the only node by the name that they asked, whatever it takes itself to be called. */
  readonly isNamedByClients: boolean;
  readonly log: pino.Logger;
}

/** Where a node sends clients: by its configuration, or by rules that count on all nodes. */
export class ClientRouting {
  readonly region: ClientRegion;
  readonly nodes: NodeRouting;
  /** `GET /cluster`. */
  readonly route: ClusterRoute;
  private readonly options: ClientRoutingOptions;
  private weights: RouteWeights = ROUTE_WEIGHTS;

  /** Throws `SluiceError` when the configuration names a file that cannot be used. */
  constructor(options: ClientRoutingOptions) {
    const { config, nodes, hasStream, isNamedByClients } = options;
    const { networks, regionHeader, geoIp } = config.cluster;
    this.options = options;
    this.region = new ClientRegion({
      networks: new Map(Object.entries(networks)),
      header: regionHeader,
      fallback: options.region,
      geoIp: GeoIp.open(geoIp),
    });
    this.nodes = new NodeRouting({ nodes, hasStream, weights: () => this.weights });
    this.route = new ClusterRoute({ routing: this.nodes, region: this.region, isNamedByClients });
  }

  /** From now on; undefined: by the configuration. Networks that cannot be read leave everything as it is. */
  goBy(rules: RoutingRules | undefined): void {
    const { config, log } = this.options;
    const { networks, regionHeader } = rules ?? config.cluster;
    try {
      this.region.goBy({ networks: new Map(Object.entries(networks)), header: regionHeader });
      this.weights = rules?.weights ?? ROUTE_WEIGHTS;
    } catch (error) {
      log.warn({ code: 'cluster.routing-wrong', err: error }, 'the routing rules cannot be read: those before stay in use');
    }
  }
}

import type { NodeLoad, SecondPublisher, TranscodeOffer } from '../cluster/mod.ts';
import type { Hub } from '../hub/mod.ts';
import type { MachineLoad, MediaRoute, RungStanding } from '../io/mod.ts';
import type { NodePorts } from './advertised-endpoints.ts';

/** What a node says of its load beside what the machine says. */
export type NodeServiceLoad = Omit<NodeLoad, keyof MachineLoad>;

/** What the node lends its part in the cluster. */
export interface ClusterNeeds {
  readonly hub: Hub;
  /** How many watch here and what is made here. */
  readonly load: () => NodeServiceLoad;
  /** Whether somebody waits here for a stream that is on its way. */
  readonly isAwaited: (path: string) => boolean;
  /** As they are in use. */
  readonly ports: Omit<NodePorts, 'relay'>;
  readonly secondPublisher: (app: string) => SecondPublisher;
  /** How a rung of another node's stream stands here. */
  readonly standingOf: (path: string, rung: string) => RungStanding | undefined;
  /** What this node can make for others; undefined: nothing. */
  readonly offer: () => TranscodeOffer | undefined;
  /** Whether rules of transcoding go by how many watch a stream. */
  readonly countsAudiences: () => boolean;
  /** Asks publishers to go on at another node; returns how many it could ask. */
  readonly movePublishers: () => number;
  /** What other nodes may ask this one for. */
  readonly nodeRoutes: readonly MediaRoute[];
}

import type { NodeView } from '../../cluster/mod.ts';
import { SluiceError } from '../../core/mod.ts';
import type { NodeAnswer, NodeQuestion, RelayUpstream } from '../relay/mod.ts';
import { relayAddressOf } from './relay-address.ts';

export interface StreamGiversOptions {
  /** The nodes that a stream passed on its way here, its origin first; empty where it is published here. */
  readonly pathOf: (path: string) => readonly string[];
  /** The replica of the cluster's nodes. */
  readonly node: (id: string) => NodeView | undefined;
  /** Asks a node by mutual TLS; rejects when it cannot be asked. */
  readonly ask: (node: RelayUpstream, question: NodeQuestion) => Promise<NodeAnswer>;
}

/** The nodes that give streams to this one, and have more of them than frames. */
export class StreamGivers {
  private readonly options: StreamGiversOptions;

  constructor(options: StreamGiversOptions) {
    this.options = options;
  }

  /** The node that gives the stream `APP/NAME` to this one now; undefined: it is published here, or not here yet. */
  giverOf(path: string): string | undefined {
    return this.options.pathOf(path).at(-1);
  }

  /** Asks it; rejects with `SluiceError` `relay.node-unreachable` where there is none that answers. */
  ask(path: string, question: NodeQuestion): Promise<NodeAnswer> {
    const giver = this.giverOf(path);
    const address = giver === undefined ? undefined : relayAddressOf(this.options.node(giver));
    if (address !== undefined) return this.options.ask(address, question);
    return Promise.reject(new SluiceError('relay.node-unreachable', `nobody is known who gives ${path} to this node`));
  }
}

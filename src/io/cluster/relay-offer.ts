import { FanOut, type FanOutChild } from '../../cluster/mod.ts';
import type { Hub } from '../../hub/mod.ts';
import type { RelayWish } from '../../protocols/relay/mod.ts';
import type { RelayRefused, RelaySource } from '../relay/mod.ts';
import type { StreamNodes } from './stream-nodes.ts';

export interface RelayOfferOptions {
  readonly region: string;
  readonly nodes: StreamNodes;
  readonly hub: Hub;
  /** The nodes that pull a stream from here. */
  readonly pullersOf: (path: string) => Iterable<FanOutChild>;
  /** To how many nodes of its region this one gives a stream; it sends others on to these. */
  readonly childrenMax: number;
  readonly isDraining: (node: string) => boolean;
  /** By which claim, and which way, a stream is here; undefined where it is not. */
  readonly placeOf: (path: string) => { readonly epoch: number; readonly hops: readonly string[] } | undefined;
}

/** What this node gives to others that pull from it, and where it sends those on that are too many. */
export class RelayOffer {
  private readonly options: RelayOfferOptions;
  private readonly fanOut: FanOut;

  constructor(options: RelayOfferOptions) {
    this.options = options;
    this.fanOut = new FanOut(options.childrenMax);
  }

  open(wish: RelayWish): RelaySource | RelayRefused {
    const { path } = wish.ref;
    const stream = this.options.hub.stream(path);
    const place = this.options.placeOf(path);
    if (stream === undefined || place === undefined || place.epoch === 0) {
      // Whoever asks here was sent by the directory; it may be ahead of this node by a moment.
      return { refused: 'unknown', message: `${path} is not here` };
    }
    const { epoch, hops } = place;
    if (epoch < wish.epoch) return { refused: 'stale-epoch', message: `${path} is here by an older claim`, epoch };
    const nodes = this.elsewhere(wish);
    if (nodes === undefined) return { stream, epoch, hops };
    const message = `${this.options.childrenMax} nodes get ${path} from here; these have it, too: ${nodes.join(', ')}`;
    return { refused: 'elsewhere', message, epoch, nodes };
  }

  /** The stream is not here any more. */
  ended(path: string): void {
    this.fanOut.forget(path);
  }

  /** Where another node of this region is to pull from instead; undefined: from here. */
  private elsewhere({ ref, hops: [puller = ''], mayBeSentOn }: RelayWish): readonly string[] | undefined {
    if (mayBeSentOn !== true || !this.isNear(puller)) return undefined;
    const { pullersOf, isDraining } = this.options;
    const children = [...pullersOf(ref.path)].filter(({ node }) => this.isNear(node) && !isDraining(node));
    return this.fanOut.sendOn(ref.path, puller, children);
  }

  private isNear(node: string): boolean {
    const { nodes, region } = this.options;
    return nodes.node(node)?.record.region === region;
  }
}

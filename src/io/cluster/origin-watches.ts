import type { RelayClient, RelayUpstream, RelayWatch } from '../relay/mod.ts';

export interface OriginWatchesOptions {
  readonly client: Pick<RelayClient, 'watch'>;
  /** Where a node gives its streams; undefined when that is not known. */
  readonly addressOf: (node: string) => RelayUpstream | undefined;
  /** The connection to an origin broke. */
  readonly broke: (node: string) => void;
}

interface Watched {
  readonly address: RelayUpstream | undefined;
  readonly watch: RelayWatch | undefined;
}

/** The connections to origins whose place publishers of this node wait for: when an origin's process dies, its machine ends them at once. */
export class OriginWatches {
  private readonly options: OriginWatchesOptions;
  /** The origin of each stream that is waited for. */
  private readonly origins = new Map<string, string>();
  private readonly watched = new Map<string, Watched>();

  constructor(options: OriginWatchesOptions) {
    this.options = options;
  }

  /** A publisher here waits for the place of `node`, and of no other any more. */
  watch(path: string, node: string): void {
    this.origins.set(path, node);
    this.refresh();
  }

  unwatch(path: string): void {
    if (this.origins.delete(path)) this.refresh();
  }

  /** Whether there is no connection to an origin. While the first one is being made, there is. */
  isBroken(node: string): boolean {
    return this.watched.get(node)?.watch?.isBroken ?? true;
  }

  /** Nodes may have other addresses now. */
  nodesChanged(): void {
    if (this.origins.size > 0) this.refresh();
  }

  close(): void {
    this.origins.clear();
    this.refresh();
  }

  private refresh(): void {
    const { client, addressOf, broke } = this.options;
    const nodes = new Set(this.origins.values());
    for (const [node, { address, watch }] of this.watched) {
      if (nodes.has(node) && isSame(address, addressOf(node))) continue;
      watch?.close();
      this.watched.delete(node);
    }
    for (const node of nodes) {
      if (this.watched.has(node)) continue;
      const address = addressOf(node);
      this.watched.set(node, { address, watch: address === undefined ? undefined : client.watch(address, () => broke(node)) });
    }
  }
}

const isSame = (left: RelayUpstream | undefined, right: RelayUpstream | undefined): boolean =>
  left?.host === right?.host && left?.port === right?.port;

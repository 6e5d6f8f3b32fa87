import type { NodeStreams } from './node-streams.ts';
import type { RelayPull } from './relay-pull.ts';

/** Who publishes: an encoder's connection to a node. */
export interface Publication {
  readonly path: string;
  readonly startedWallMs: number;
  /** The node ended it. */
  closed(reason: 'evicted' | 'died'): void;
}

/** Who watches at a node. */
export interface Watcher {
  readonly path: string;
  /** The node ended the stream, or itself. */
  dropped(): void;
}

/** Where a stream comes from at a node: as it is at the node whose publisher it is; `loop`: it comes from itself. */
export type Source = HubStream | 'loop' | undefined;

/** A stream in a node's hub: with a publisher of its own, or relayed. */
export class HubStream {
  readonly path: string;
  readonly owner: NodeStreams;
  /** What brings it, where that is wanted. */
  pull: RelayPull | undefined = undefined;
  publication: Publication | undefined = undefined;
  isRelayed = false;
  /** It is not in the hub any more. */
  isOver = false;
  heldUntil: number | undefined = undefined;
  startedWallMs: number;
  readonly watchers: Set<Watcher> = new Set();
  /** For whoever looks at everything: when it was looked at, and what was seen then. */
  seenAt = -1;
  seen: Source = undefined;
  /** When it was looked at whether viewers should not come from here, and whether that is so. */
  misleadsAt = -1;
  misleads = false;

  constructor(owner: NodeStreams, path: string, startedWallMs: number) {
    this.owner = owner;
    this.path = path;
    this.startedWallMs = startedWallMs;
  }
}

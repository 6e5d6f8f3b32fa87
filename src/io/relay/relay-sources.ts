import type { LiveStream } from '../../hub/mod.ts';
import type { RelayRefusal, RelayWish } from '../../protocols/relay/mod.ts';

/** A stream that may be relayed from here. */
export interface RelaySource {
  readonly stream: LiveStream;
  /** Of the claim by which this node has it. */
  readonly epoch: number;
  /** Nodes that it passed before this one, its origin first. */
  readonly hops: readonly string[];
  /** Of a rendition that this node makes of a stream from elsewhere: it comes no way but from here. */
  readonly isMadeHere?: boolean;
}

/** Why it may not. */
export interface RelayRefused {
  readonly refused: RelayRefusal;
  /** In words, for the other node's log. */
  readonly message: string;
  /** The stream's epoch as far as this node knows. */
  readonly epoch?: number;
  /** With `elsewhere`: those that have it, the best one first. */
  readonly nodes?: readonly string[];
}

/** Knows which streams this node has for others. */
export interface RelaySources {
  open(wish: RelayWish): RelaySource | RelayRefused;
}

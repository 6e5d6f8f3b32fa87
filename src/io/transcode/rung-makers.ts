import type { LiveStream, RenditionOffer } from '../../hub/mod.ts';

/** Other nodes of the cluster as far as rungs are concerned: those that make this node's, and those for which this node makes some. */
export interface RungMakers {
  /** Whether this node is to make any rung of a stream that another node brings. */
  makesSomeOf(path: string): boolean;
  /** Whether it is to make this one. */
  makes(path: string, rung: string): boolean;
  /** Whether it was decided for the whole cluster that this node makes it, before what counts less. */
  isOrdered(path: string, rung: string): boolean;
  /** Whether it was decided that another node makes a rung of a stream that is published here. */
  isForAnother(path: string, rung: string): boolean;
  /** Why a rung of a stream that is published here is not to be made anywhere for now. */
  refusalOf(path: string, rung: string): string | undefined;
  /** Somebody wants a rung of a stream that is published here: has another node make it, or says why it is to be made here. */
  place(stream: LiveStream, offer: RenditionOffer, out: PlacedRungOutput): PlacedRung | MadeHere;
}

/** `because`: why it is not made elsewhere, where it should be. */
export interface MadeHere {
  readonly because: string | undefined;
}

/** What becomes of a rung that another node makes. */
export interface PlacedRungOutput {
  /** The first viewer came, or the last one left. */
  watched(isWatched: boolean): void;
  /** No other node makes it any more: it is to be made here, if it is wanted still. */
  lost(because: string): void;
}

/** A rung that another node makes while somebody wants it here; its frames go straight into the hub. */
export interface PlacedRung {
  /** Who makes it now. */
  readonly node: string;
  /** Nobody wants it here any more: it stays offered, but nothing comes. */
  rest(): void;
  /** It is not offered any more. */
  end(): void;
}

/** How a rung of another node's stream stands on a node that was asked to make it. */
export interface RungStanding {
  readonly isOffered: boolean;
  /** Somebody watches it, or did a moment ago. */
  readonly isWanted: boolean;
  /** Why it is not offered. */
  readonly reason: string | undefined;
}

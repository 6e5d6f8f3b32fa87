import {
  type ClaimReading,
  ClaimReplica,
  type ClaimsOptions,
  type KnownClaim,
  type MissingClaims,
  type StoreEntry,
} from '../src/cluster/mod.ts';
import type { SharedMap } from './shared-map.ts';

/** What nodes know of claims. */
export class ClaimKnowledge<Body> {
  readonly known: SharedMap<KnownClaim<Body>>;
  readonly missing: MissingClaims<Body> | undefined;

  constructor(known: SharedMap<KnownClaim<Body>>, missing: MissingClaims<Body> | undefined) {
    this.known = known;
    this.missing = missing;
  }

  copy(): ClaimKnowledge<Body> {
    return new ClaimKnowledge(this.known.copy(), this.missing);
  }

  /** Those of a time miss the same, if they know the same. */
  isLike({ known, missing }: ClaimKnowledge<Body>): boolean {
    const isMissingLike = this.missing?.until === missing?.until && this.missing?.revision === missing?.revision;
    return isMissingLike && this.missing?.claims.size === missing?.claims.size && this.known.isLike(known);
  }
}

/** What follows for one name. */
export interface ReplayedClaim<Body> {
  readonly name: string;
  /** In which order they are told. */
  readonly place: number;
  /** Undefined: there is none. */
  readonly claim: KnownClaim<Body> | undefined;
  /** Whether that is told; else only the revision is. */
  readonly isTold: boolean;
  readonly revision: number;
}

/** What nodes that knew the same know after all that the store has was told them again. */
export interface ClaimReplay<Body> {
  readonly known: SharedMap<KnownClaim<Body>>;
  readonly missing: MissingClaims<Body> | undefined;
  /** The greatest that was told. */
  readonly epoch: number;
  readonly claims: ReadonlyMap<string, ReplayedClaim<Body>>;
  /** By the node that holds them. */
  readonly byHolder: ReadonlyMap<string, readonly ReplayedClaim<Body>[]>;
}

/** What follows for those that know so much, and are told all `entries` again. The map of what they know is changed. */
export function replayedClaims<Body>(
  entries: readonly StoreEntry[],
  { known, missing }: ClaimKnowledge<Body>,
  options: ClaimsOptions<Body>,
  read: (entry: StoreEntry) => ClaimReading<Body>,
): ClaimReplay<Body> {
  const claims = new Map<string, ReplayedClaim<Body>>();
  const byHolder = new Map<string, ReplayedClaim<Body>[]>();
  let told: { readonly claim: KnownClaim<Body> | undefined } | undefined;
  const out = {
    changed: (_name: string, claim: KnownClaim<Body> | undefined): void => {
      told = { claim };
    },
    seen: (name: string, revision: number): void => {
      const one = { name, place: claims.size, claim: told?.claim, isTold: told !== undefined, revision };
      told = undefined;
      claims.set(name, one);
      const holder = one.claim?.record.holder.node;
      if (holder !== undefined) byHolder.set(holder, [...(byHolder.get(holder) ?? []), one]);
    },
    current: (): void => undefined,
  };
  const all = new ClaimReplica({ ...options, followsAll: true }, out, { known, isCurrent: true, missing, read });
  all.lost();
  for (const entry of entries) all.changed(entry);
  all.current();
  return { known, missing: all.missing, epoch: all.epochSeen, claims, byHolder };
}

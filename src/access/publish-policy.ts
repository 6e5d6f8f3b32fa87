import type { StreamRef } from '../core/mod.ts';

/** What a publisher shows: a stream key, or (for policies that know them) a signed token. */
export interface PublishCredential {
  readonly key?: string;
  readonly token?: string;
}

/** Why somebody may not publish. `too-many-attempts`: the address has shown too many wrong keys and is not heard for a while. */
export type PublishRefused = 'key-missing' | 'key-wrong' | 'app-unknown' | 'too-many-attempts';

export type PublishDecision = 'allowed' | { readonly refused: PublishRefused };

/** Decides who may publish what. `address` is the peer's IP address in text, IPv4 not mapped into IPv6. */
export interface PublishPolicy {
  mayPublish(ref: StreamRef, credential: PublishCredential, address: string): PublishDecision;
}

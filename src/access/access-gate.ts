import type { StreamRef } from '../core/mod.ts';
import type { AccessRefused } from './access-refusals.ts';
import type { AccessAct } from './token-claims.ts';

/** What a publisher or viewer shows: a stream key, or a signed token. Never logged. */
export interface AccessCredential {
  readonly key?: string;
  /** A text that has not the form of a signed token is taken as a key. */
  readonly token?: string;
}

export interface AccessRequest {
  readonly act: AccessAct;
  readonly ref: StreamRef;
  readonly credential: AccessCredential;
  /** The peer's IP address in text, IPv4 not mapped into IPv6. */
  readonly address: string;
  /** Origin or URL of the page that asks, where the protocol tells it. */
  readonly page?: string | undefined;
}

export type AccessDecision = 'allowed' | { readonly refused: AccessRefused };

/** Decides who may publish and play what. */
export interface AccessGate {
  /** `decided` is called exactly once: at once, unless a token is seen for the first time. */
  admit(request: AccessRequest, decided: (decision: AccessDecision) => void): void;
  /** Whether everybody may play the streams of an app, so that there is nothing to be asked. */
  isOpen(app: string): boolean;
  /** Whether decisions go by the page that asks. */
  asksForPage(app: string): boolean;
}

import type { StreamRef } from '../core/mod.ts';
import { ACCESS_REFUSALS, type AccessRefused } from './access-refusals.ts';
import type { AccessAct } from './token-claims.ts';

/** How somebody publishes or plays; `http-flv` also by WebSocket. */
export type AccessProtocol = 'rtmp' | 'whip' | 'whep' | 'hls' | 'http-flv';

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
  /** Whether it goes on with what it was let in for already, so that it is none more. */
  readonly isViewing?: boolean;
  /** Told before the decision which key or token lets it in, where that could be taken away again (see `AdmittedSessions`). */
  readonly letInBy?: (credential: string) => void;
  readonly protocol?: AccessProtocol;
}

/** `because`: what a hook of the app has to say to it: one short line, fit to be shown. */
export type AccessDecision = 'allowed' | { readonly refused: AccessRefused; readonly because?: string };

/** The sentence to tell somebody who was refused. */
export const refusalText = ({ refused, because }: Exclude<AccessDecision, 'allowed'>): string =>
  because === undefined ? ACCESS_REFUSALS[refused].message : `${ACCESS_REFUSALS[refused].message}: ${because}`;

/** Decides who may publish and play what. */
export interface AccessGate {
  /** `decided` is called exactly once: at once, unless a token is seen for the first time or a hook is asked. */
  admit(request: AccessRequest, decided: (decision: AccessDecision) => void): void;
  /** Whether everybody may play the streams of an app, so that there is nothing to be asked. */
  isOpen(app: string): boolean;
  /** Whether decisions go by the page that asks. */
  asksForPage(app: string): boolean;
}

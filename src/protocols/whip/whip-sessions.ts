import type { StreamRef } from '../../core/mod.ts';
import type { IceDescription, IceFragment } from './ice-fragment.ts';
import type { WhipRefusal } from './whip-problem.ts';
import type { WhipKind } from './whip-target.ts';

/** What a client shows that may publish or play. Absent: nothing. */
export interface WhipCredential {
  /** The bearer token (RFC 6750), or `token` of the query; 1 to 4,096 visible ASCII characters. A stream key or a signed token. */
  readonly token?: string;
}

/** A client's wish for a session. */
export interface WhipOffer {
  readonly kind: WhipKind;
  readonly ref: StreamRef;
  /** The new session's id: 32 hexadecimal digits, unguessable. */
  readonly id: string;
  /** The SDP offer as it came; at most the body's limit. */
  readonly sdp: string;
  readonly credential: WhipCredential;
  /** The client's IP address. */
  readonly address: string;
  /** Its User-Agent, at most 200 characters; '' without. */
  readonly agent: string;
}

/** A session that has been made. */
export interface WhipAnswer {
  /** The SDP answer, with all of the server's candidates: none can be sent later (RFC 9725 4.3.2). */
  readonly sdp: string;
  /** Identifies the ICE session: visible ASCII without quotes, another one after each ICE restart. The local ufrag is a good one. */
  readonly etag: string;
}

/** An ICE restart that was done. */
export interface WhipRestart {
  /** The server's new credentials and candidates. */
  readonly ice: IceDescription;
  /** Identifies the new ICE session. */
  readonly etag: string;
}

/** Why something is not done. */
export interface WhipRefused {
  readonly refused: WhipRefusal;
  /** What was wrong and what to do, for people; each refusal has a sentence of its own without it. */
  readonly detail?: string;
  /** A more exact stable code, e.g. `sdp.no-usable-codec`; otherwise `whip.` and the refusal. */
  readonly code?: string;
  readonly retryAfterS?: number;
}

/** Another node is to make the session. */
export interface WhipRedirect {
  /** Its scheme, host and port, e.g. `https://edge2.example`: the client is redirected to the same path and query there. */
  readonly origin: string;
}

/** One of the qualities that a viewer can get, with the names that the JSON has. */
export interface WhipLayer {
  readonly encodingId: string;
  /** Pixels; absent while they are not known. */
  readonly width?: number;
  readonly height?: number;
  /** Bits per second: what it has now, or what one will have that is made when somebody watches. */
  readonly bitrate: number;
  /** Whether it is sent to this viewer now. */
  readonly active: boolean;
}

/** What a viewer can get, what it gets and why; sent to it as JSON. */
export interface WhipLayers {
  /** The `encodingId` that is sent now. */
  readonly active: string;
  /** Whether the server chooses. */
  readonly automatic: boolean;
  /** Why it is this one: `pinned`, or what the server's choice says. */
  readonly reason: string;
  /** Best first. */
  readonly layers: readonly WhipLayer[];
}

/** The layers of one viewer's pictures. */
export interface WhipLayerChoice {
  read(): WhipLayers;
  /** Sends this layer from its next keyframe on; undefined leaves the choice to the server. False: there is no such layer, nothing changes. */
  select(encodingId: string | undefined): boolean;
}

/** A live session, as its URL sees it. */
export interface WhipSession {
  readonly kind: WhipKind;
  readonly ref: StreamRef;
  /** Of the ICE session now, without quotes. */
  readonly etag: string;
  /** The client's ufrag of the ICE session now: another one in a fragment asks for an ICE restart. */
  readonly remoteUfrag: string;
  /**
   * Candidates of the client for the ICE session now. Those of transports or addresses that cannot be used are silently discarded
   * (RFC 9725 4.3.2). May throw ProtocolErrors as {@link WhipSessions.create} does.
   */
  trickle(fragment: IceFragment): void;
  /**
   * Begins a new ICE session with the fragment's ufrag and pwd; its candidates replace all earlier ones. The old one goes on until
   * the new one is connected. A refusal or an error leaves everything as it was.
   */
  restart(fragment: IceFragment & { readonly ufrag: string; readonly pwd: string }): WhipRestart | WhipRefused;
  /** Of a session that plays pictures: its layers (draft-ietf-wish-whep, layer selection). Undefined where there are no pictures. */
  layers?(): WhipLayerChoice | undefined;
  /** Ends the session at once; it is not found any more. */
  remove(): void;
}

/** The sessions of this node, behind the HTTP resources. */
export interface WhipSessions {
  /**
   * Makes a session, or says why not. May throw SluiceErrors: a code like `sdp.bad` or `sdp.bad-line` is answered with 400, any other,
   * e.g. `sdp.no-usable-codec`, with 422.
   */
  create(offer: WhipOffer): WhipAnswer | WhipRefused | WhipRedirect;
  find(id: string): WhipSession | undefined;
}

/** An answer made once for everybody who asks: raw header list and body in chunks, none of them ever written to. */
export interface SharedResponse {
  readonly status: number;
  /** Names and values in turn, `Content-Length` among them; what belongs to a connection (`Date`, `Connection`) is not. */
  readonly headers: readonly string[];
  readonly chunks: readonly Buffer[];
  readonly sizeBytes: number;
}

/** A request whose answer can be one that is shared: a GET or HEAD without body. */
export interface SharedRequest {
  /** Raw, not percent-decoded, without the query. */
  readonly path: string;
  /** What follows `?`, or ''. */
  readonly query: string;
  /** '' when there is none. */
  readonly userAgent: string;
  /** What a player says of its session in `CMCD-Session` (CTA-5004); '' when there is none. */
  readonly cmcdSession: string;
  /** The peer's address. */
  readonly remote: string;
}

/** Where the answer to one request goes. */
export interface SharedReply {
  /** Whether the other side has gone and an answer would be lost. */
  readonly isGone: boolean;
  /** Sends the answer, once; returns the body bytes given to the socket. */
  send(shared: SharedResponse): number;
}

/**
 * A handler of requests that are answered with shared bytes, at once or later. Returns true when it took the request and will
 * call `reply.send` once; `request` must not be kept. False leaves the request untouched.
 */
export type SharedRoute = (request: SharedRequest, reply: SharedReply) => boolean;

/** `unavailable`: the engine cannot be reached; `nobody`: nobody serves the subject, or it cannot be served (no subject, too large a message); `timeout`: no answer in time. */
export type BusFailure = 'unavailable' | 'nobody' | 'timeout';

export type BusReply = { readonly ok: true; readonly value: Uint8Array } | { readonly ok: false; readonly failure: BusFailure };

/** Subjects are made like store keys. `NAME/*` in a subscription is one more part, `NAME/**` one or more. */
export const BUS_MESSAGE_BYTES_MAX: number = 256 * 1024;

/**
 * Messages between the nodes: fast, and delivered at most once. Nothing is kept for those who are away. Calls never throw for what the engine does, and
 * handlers are never called synchronously from within a call. Larger messages than {@link BUS_MESSAGE_BYTES_MAX} are dropped, and so are those that are
 * published to no subject or while the engine is away; a pattern that is none is a bug and throws.
 */
export interface Bus {
  /** To all subscribers, the sender's own included, in the order in which one sender published. The bytes are given. */
  publish(subject: string, message: Uint8Array): void;
  /** `handler` gets the subject as it was published. Returns a function that ends the subscription. */
  subscribe(pattern: string, handler: (subject: string, message: Uint8Array) => void): () => void;
  /** Asks whoever serves the subject; `done` is called exactly once. */
  request(subject: string, message: Uint8Array, timeoutMs: number, done: (reply: BusReply) => void): void;
  /** Answers requests; `reply` may be called later, and counts once. With several servers of one subject, one of them gets each request. */
  serve(subject: string, handler: (message: Uint8Array, reply: (answer: Uint8Array) => void) => void): () => void;
  /** Told at once and on each change whether the engine is within reach. Returns a function that ends it. */
  onConnected(handler: (isConnected: boolean) => void): () => void;
}

/**
 * An error that the outside can cause and that tells it what to do. `code` is stable
 * (`room.what-happened`, e.g. `rtmp.chunk-too-large`) and never renamed; `message` names the value and the limit.
 */
export class SluiceError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Bytes from a peer that break a protocol. Thrown by parsers; only a machine's `receive` catches it, and closes that session. */
export class ProtocolError extends SluiceError {}

/** A broken invariant: a bug of ours, never caused by input. Ends the session in which it happens, never the process. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws {@link InvariantError} unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Ends a `switch` over a closed union; does not compile while a case is missing. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected variant: ${String(value)}`);
}

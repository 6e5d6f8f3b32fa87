import type { Readable } from 'node:stream';

export interface BodyLimits {
  /** A larger body is refused. */
  readonly bodyBytesMax: number;
  /** How long a body may take to arrive. */
  readonly bodyTimeoutMs: number;
}

/** The body, whole; or why it is not. `gone`: the client went away. */
export type ReadBody = Uint8Array | 'too-large' | 'too-slow' | 'gone';

/** So many times the limit is read and thrown away of a body that is too large, so that its sender gets to read the answer. */
const DISCARD_FACTOR = 16;

/** Reads a request's body into memory; `done` is called once, never before this returns for a body that has to be read. */
export function readBody(
  request: Readable & { readonly headers: { readonly 'content-length'?: string | undefined } },
  { bodyBytesMax, bodyTimeoutMs }: BodyLimits,
  done: (body: ReadBody) => void,
): void {
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax * DISCARD_FACTOR) {
    done('too-large');
    return;
  }
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const finish = (body: ReadBody): void => {
    clearTimeout(timer);
    request.off('data', take).off('end', end).off('close', gone).off('error', gone);
    // An error that comes later is nobody's any more.
    request.on('error', () => undefined);
    done(body);
  };
  const take = (chunk: Buffer): void => {
    sizeBytes += chunk.length;
    if (sizeBytes <= bodyBytesMax) chunks.push(chunk);
    else if (sizeBytes > bodyBytesMax * DISCARD_FACTOR) finish('too-large');
  };
  const end = (): void => finish(sizeBytes > bodyBytesMax ? 'too-large' : Buffer.concat(chunks));
  const gone = (): void => finish('gone');
  const timer = setTimeout(() => finish('too-slow'), bodyTimeoutMs);
  request.on('data', take).on('end', end).on('close', gone).on('error', gone);
}

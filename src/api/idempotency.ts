import { createHash } from 'node:crypto';
import { ApiError } from './problem.ts';

/** An answer as it was given the first time. */
export interface KeptAnswer {
  readonly status: number;
  /** As JSON; undefined for an answer without a body. */
  readonly body: unknown;
}

/** One request that names itself. */
export interface KeyedRequest {
  /** Of caller and key. */
  readonly caller: string;
  readonly id: string;
  /** Of what is asked for: another one under the same key is another request. */
  readonly fingerprint: string;
  /** Known to the caller alone: answers are kept so that nobody reads them without it. */
  readonly secret: string;
}

/** Whether a request may be carried out, or was: `reused`, its key belongs to another one. */
export type KeyedStanding =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'answered'; readonly answer: KeptAnswer }
  | { readonly kind: 'in-progress' | 'reused' };

/** Keeps the answers to requests that name themselves, for all nodes. Rejects with `ApiError` when it cannot. */
export interface AnswerKeeper {
  /** Marks the request as being carried out, unless it is or was. */
  begin(request: KeyedRequest): Promise<KeyedStanding>;
  finish(request: KeyedRequest, answer: KeptAnswer): Promise<void>;
  /** It was not carried out: it may be tried again. */
  abandon(request: KeyedRequest): Promise<void>;
}

export const IDEMPOTENCY_HEADER = 'idempotency-key';

/** An RFC 9651 string, or what clients that know no structured fields send: the text alone. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,128})"$/;
const BARE = /^[\w.:+/=~-]{1,128}$/;

/** The key in a header; throws for one that is none. */
export function readIdempotencyKey(header: string): string {
  const key = QUOTED.exec(header)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? BARE.exec(header)?.[0];
  if (key !== undefined) return key;
  throw new ApiError(
    'api.idempotency-key',
    'Idempotency-Key must be a quoted text of 1 to 128 printable characters, such as "8e03978e-40d5"',
  );
}

export interface IdempotentCall {
  readonly key: string;
  /** What the caller proves to be itself by: an API key, or the cookie of a session. */
  readonly credential: string;
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly body: unknown;
}

/** What names a request; from `key` and `credential` alone nothing can be found out about either. */
export function keyedRequest({ key, credential, method, url, body }: IdempotentCall): KeyedRequest {
  const caller = digest('caller', credential);
  return {
    caller: caller.slice(0, 24),
    id: digest('request', caller, key).slice(0, 32),
    fingerprint: digest('content', credential, method, url, JSON.stringify(body) ?? ''),
    secret: JSON.stringify([credential, key]),
  };
}

const digest = (...texts: string[]): string => createHash('sha256').update(JSON.stringify(texts)).digest('hex');

/** Carries a request out unless it was already, and returns its answer; `isRepeated`: it is that of the first time. */
export async function once(
  keeper: AnswerKeeper,
  request: KeyedRequest,
  status: number,
  carryOut: () => Promise<unknown>,
): Promise<{ readonly body: unknown; readonly isRepeated: boolean }> {
  const standing = await keeper.begin(request);
  if (standing.kind === 'reused')
    throw new ApiError(
      'api.idempotency-key-reused',
      'this Idempotency-Key came with another request before: take a new one for each request',
    );
  if (standing.kind === 'in-progress')
    throw new ApiError('api.request-in-progress', 'the same request is being carried out: ask again in a moment', { 'retry-after': '1' });
  if (standing.kind === 'answered') return { body: standing.answer.body, isRepeated: true };
  let body: unknown;
  try {
    body = await carryOut();
  } catch (error) {
    // What failed made nothing that could be told: the same key is good for another try.
    await keeper.abandon(request).catch(() => undefined);
    throw error;
  }
  // Done is done: who cannot be told again by the same key is told now.
  await keeper.finish(request, { status, body }).catch(() => undefined);
  return { body, isRepeated: false };
}

import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import type { StoreFailure } from '../../cluster/mod.ts';

// Codes of JetStream's API (https://github.com/nats-io/nats-server/blob/v2.9.10/server/errors.json).
const STREAM_NOT_FOUND = 10059;
const WRONG_LAST_SEQUENCE = 10071;
const WRONG_LAST_SEQUENCE_CONSTANT = 10164;
const MESSAGE_TOO_LARGE = 10054;

export interface NatsFailure {
  readonly failure: StoreFailure;
  readonly detail: string;
}

/** The key does not have the revision that the caller said. */
export class WrongRevision extends Error {}

/** What an error of NATS means for a call. */
export function natsFailure(error: unknown): NatsFailure {
  if (error instanceof WrongRevision) return { failure: 'conflict', detail: error.message };
  if (error instanceof JetStreamApiError) return { failure: apiFailure(error.code), detail: `JetStream: ${error.message} (${error.code})` };
  if (error instanceof errors.TimeoutError) return { failure: 'unavailable', detail: 'NATS did not answer in time' };
  if (hasNoResponders(error)) return { failure: 'unavailable', detail: 'JetStream has no leader at the moment, or is not enabled' };
  const text = describe(error);
  const isRefused = [error, causeOf(error)].some(
    (one) =>
      one instanceof errors.PermissionViolationError ||
      one instanceof errors.InvalidArgumentError ||
      one instanceof errors.AuthorizationError,
  );
  return { failure: isRefused ? 'refused' : 'unavailable', detail: `NATS: ${text}` };
}

/** Nobody received the request, so that it may be sent again. */
export function hasNoResponders(error: unknown): boolean {
  const cause = causeOf(error);
  return [error, cause, causeOf(cause)].some((one) => one instanceof errors.NoRespondersError);
}

/** Nobody answered: it may have been received. */
export const hasTimedOut = (error: unknown): boolean => error instanceof errors.TimeoutError;

/** JetStream answered that there is no such stream. */
export const isWithoutStream = (error: unknown): boolean => error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND;

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = causeOf(error);
  const code = (error as NodeJS.ErrnoException).code;
  const own = error.message === '' ? (code ?? error.name) : error.message;
  return cause instanceof Error && cause.message !== '' && cause.message !== own ? `${own}: ${cause.message}` : own;
}

function apiFailure(code: number): StoreFailure {
  if (code === WRONG_LAST_SEQUENCE || code === WRONG_LAST_SEQUENCE_CONSTANT) return 'conflict';
  return code === MESSAGE_TOO_LARGE ? 'refused' : 'unavailable';
}

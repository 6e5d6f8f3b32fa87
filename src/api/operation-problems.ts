import type { TSchema } from '@sinclair/typebox';
import type { Operation } from './operation.ts';
import type { ProblemCode } from './problem.ts';

/** Whether a repeated call with the same `Idempotency-Key` gets the first one's answer: all that make something for a caller who is known. */
export const takesIdempotencyKey = ({ method, scope }: Pick<Operation, 'method' | 'scope'>): boolean =>
  method === 'POST' && (scope === 'admin' || scope === 'app');

/** All problems that an operation can answer with: those that it names itself, and those that follow from its scope and schemas. */
export function problemCodesOf(operation: Operation): readonly ProblemCode[] {
  const { method, scope, errors = [] } = operation;
  const isChange = method !== 'GET';
  const names = (schema: TSchema | undefined): readonly string[] => Object.keys((schema?.['properties'] as object | undefined) ?? {});
  const codes: ProblemCode[] = ['api.bad-request'];
  if (names(operation.query).includes('cursor')) codes.push('api.bad-cursor');
  if (scope !== 'token') codes.push('api.key-missing', 'api.key-wrong', 'api.scope-missing', 'api.too-many-attempts');
  // A key of other apps is told that there is none.
  if (scope !== 'token' && names(operation.params).includes('app'))
    codes.push(names(operation.params).includes('name') ? 'api.stream-not-found' : 'apps.not-found');
  if (isChange) codes.push('api.bad-json', 'api.body-too-large', 'api.media-type');
  if (isChange && (scope === 'admin' || scope === 'app')) codes.push('api.cross-site', 'cluster.store-unavailable', 'cluster.newer-record');
  if (takesIdempotencyKey(operation)) codes.push('api.idempotency-key', 'api.idempotency-key-reused', 'api.request-in-progress');
  return [...new Set([...codes, ...errors, 'api.internal' as const])];
}

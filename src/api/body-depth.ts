import { ApiError } from './problem.ts';

/** No resource is nested half as deep. */
const DEPTH_MAX = 32;

/** Throws for a body that is nested deeper than any resource: whoever walks through it by recursion would run out of stack. */
export function refuseDeep(body: unknown): void {
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) throw new ApiError('api.bad-request', `the body is nested deeper than ${DEPTH_MAX} levels`);
    level = level.flatMap((value) => (value !== null && typeof value === 'object' ? Object.values(value) : []));
  }
}

import { type AppShare, boundReached } from '../../access/mod.ts';
import { ApiError } from '../../api/mod.ts';

/** Throws `apps.too-many`, with the bound, when `app` may have no more of `what`. `remedy` says what to do. */
export function assertRoom(records: Iterable<{ readonly app: string }>, app: string, share: AppShare, what: string, remedy: string): void {
  const bound = boundReached(records, app, share);
  if (bound === 'perApp') throw new ApiError('apps.too-many', `${app} has ${share.perApp} ${what}, as many as an app may have: ${remedy}`);
  if (bound === 'all') throw new ApiError('apps.too-many', `all apps together have ${share.all} ${what}, as many as may be: ${remedy}`);
}

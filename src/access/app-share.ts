/** How many records of a kind one app may have, and all apps together: a tenant who has used up his share leaves the others theirs. */
export interface AppShare {
  readonly perApp: number;
  readonly all: number;
}

export const STREAM_KEYS_SHARE: AppShare = { perApp: 10_000, all: 200_000 };
export const REVOKED_TOKENS_SHARE: AppShare = { perApp: 5_000, all: 100_000 };
export const WITHDRAWALS_SHARE: AppShare = { perApp: 5_000, all: 100_000 };

/** Which bound leaves no room for one more of `app`, if any. */
export function boundReached(
  records: Iterable<{ readonly app: string }>,
  app: string,
  { perApp, all }: AppShare,
): keyof AppShare | undefined {
  let ofApp = 0;
  let ofAll = 0;
  for (const record of records) {
    ofAll++;
    if (record.app === app) ofApp++;
  }
  if (ofApp >= perApp) return 'perApp';
  return ofAll >= all ? 'all' : undefined;
}

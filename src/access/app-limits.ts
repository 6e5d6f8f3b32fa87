import { readCount, type UnknownFields } from '../core/mod.ts';

/** What of an app can be limited, over the whole cluster. Minutes are a month's, the others are at a time. */
export const LIMIT_NAMES = ['streams', 'viewers', 'bitrateInBps', 'bitrateOutBps', 'transcodeMinutes', 'recordingMinutes'] as const;
export type LimitName = (typeof LIMIT_NAMES)[number];

/** The limits of an app; undefined: none. 0 lets nothing through. */
export type AppLimits = { readonly [Name in LimitName]: number | undefined };

export const NO_LIMITS: AppLimits = {
  streams: undefined,
  viewers: undefined,
  bitrateInBps: undefined,
  bitrateOutBps: undefined,
  transcodeMinutes: undefined,
  recordingMinutes: undefined,
};

/** More than any cluster carries, and still exact in sums. */
export const LIMIT_MAX = 1_000_000_000_000;

/** Reads limits from a record; a value that is no whole number from 0 to {@link LIMIT_MAX} is none. */
export function readLimits(fields: UnknownFields): AppLimits {
  const read = (name: LimitName): number | undefined => {
    const value = readCount(fields[name]);
    return value === undefined || value > LIMIT_MAX ? undefined : value;
  };
  return {
    streams: read('streams'),
    viewers: read('viewers'),
    bitrateInBps: read('bitrateInBps'),
    bitrateOutBps: read('bitrateOutBps'),
    transcodeMinutes: read('transcodeMinutes'),
    recordingMinutes: read('recordingMinutes'),
  };
}

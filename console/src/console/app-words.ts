import type { AppResource, PlaybackResource } from '../../../src/api/access-contract.ts';

const POLICIES: Readonly<Record<PlaybackResource['policy'], string>> = {
  public: 'everybody',
  token: 'who shows a signed token',
  domains: 'pages of certain domains',
  networks: 'addresses of certain networks',
};

/** Whom a playback policy lets in. */
export const policyWords = (policy: PlaybackResource['policy']): string => POLICIES[policy];

/** Policies as choices. */
export const POLICY_CHOICES: readonly (readonly [string, string])[] = Object.entries(POLICIES);

/** What a second publisher of a live stream gets, as choices. */
export const SECOND_CHOICES: readonly (readonly [AppResource['secondPublisher'], string])[] = [
  ['reject', 'is turned away'],
  ['takeover', 'takes the stream over'],
  ['standby', 'stands by at another node'],
];

const RECORDINGS: Readonly<Record<AppResource['recording']['mode'], string>> = {
  off: 'no streams',
  always: 'all streams, while they are published',
};

/** What of an app's streams is recorded. */
export const recordingWords = (mode: AppResource['recording']['mode']): string => RECORDINGS[mode];

/** What can be recorded, as choices. */
export const RECORDING_CHOICES: readonly (readonly [string, string])[] = Object.entries(RECORDINGS);

/** One entry a line, or by commas. */
export const linesOf = (text: string): string[] =>
  text
    .split(/[\s,]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

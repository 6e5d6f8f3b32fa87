import {
  type AppLimits,
  type AppRecord,
  isDomain,
  type LimitName,
  NO_LIMITS,
  NO_RECORDING,
  PLAYBACK_ENTRIES_MAX,
  type Playback,
  parseIpNetwork,
  type RecordingSettings,
  type TokenSettings,
  type UrlPolicy,
} from '../../access/mod.ts';
import { ApiError, type AppPatch, type LimitsPatch } from '../../api/mod.ts';
import { keySetRefusal } from './key-set-fetch.ts';

/** The record with the patch's changes; throws `ApiError` for what cannot be. `configured`: the limits that counted before any were set here. */
export function patched(record: AppRecord, patch: AppPatch, policy: UrlPolicy, configured: AppLimits = NO_LIMITS): AppRecord {
  return {
    ...record,
    note: patch.note ?? record.note,
    publishFromLoopback: patch.publishFromLoopback ?? record.publishFromLoopback,
    secondPublisher: patch.secondPublisher ?? record.secondPublisher,
    playback: patch.playback === undefined ? record.playback : playbackOf(patch.playback),
    tokens: patch.tokens === undefined ? record.tokens : tokensOf(record.tokens, patch.tokens, policy),
    limits: patch.limits === undefined ? record.limits : limitsOf(record.limits ?? configured, patch.limits),
    recording: patch.recording === undefined ? record.recording : recordingOf(patch.recording),
  };
}

function limitsOf(limits: AppLimits, patch: LimitsPatch): AppLimits {
  const of = (name: LimitName): number | undefined => (patch[name] === undefined ? limits[name] : (patch[name] ?? undefined));
  return {
    streams: of('streams'),
    viewers: of('viewers'),
    bitrateInBps: of('bitrateInBps'),
    bitrateOutBps: of('bitrateOutBps'),
    transcodeMinutes: of('transcodeMinutes'),
    recordingMinutes: of('recordingMinutes'),
  };
}

/** What is left out is as in a new app. */
const recordingOf = ({ mode, fileMinutes, keepDays }: NonNullable<AppPatch['recording']>): RecordingSettings => ({
  mode,
  fileMinutes: fileMinutes ?? NO_RECORDING.fileMinutes,
  keepDays: keepDays ?? NO_RECORDING.keepDays,
});

function playbackOf({ policy, domains = [], networks = [] }: NonNullable<AppPatch['playback']>): Playback {
  const lower = domains.map((domain) => domain.toLowerCase());
  const wrong = lower.find((domain) => !isDomain(domain));
  if (wrong !== undefined)
    throw new ApiError('apps.playback', `${JSON.stringify(wrong)} is no domain: write example.org, or *.example.org for all below it`);
  for (const network of networks) {
    try {
      parseIpNetwork(network);
    } catch (error) {
      throw new ApiError('apps.playback', (error as Error).message);
    }
  }
  if ((policy === 'domains' && domains.length === 0) || (policy === 'networks' && networks.length === 0))
    throw new ApiError(
      'apps.playback',
      `with the policy "${policy}" and none of them, nobody could play: name 1 to ${PLAYBACK_ENTRIES_MAX}`,
    );
  return { policy, domains: lower, networks };
}

function tokensOf(tokens: TokenSettings, { issuer, audience, jwksUrl }: NonNullable<AppPatch['tokens']>, policy: UrlPolicy): TokenSettings {
  if (jwksUrl !== undefined && jwksUrl !== '') {
    const refusal = URL.canParse(jwksUrl) ? keySetRefusal(jwksUrl, policy) : `${JSON.stringify(jwksUrl)} is no URL`;
    if (refusal !== undefined) throw new ApiError('apps.key-set', refusal);
  }
  return {
    ...tokens,
    issuer: issuer === undefined ? tokens.issuer : unlessEmpty(issuer),
    audience: audience === undefined ? tokens.audience : unlessEmpty(audience),
    jwksUrl: jwksUrl === undefined ? tokens.jwksUrl : unlessEmpty(jwksUrl),
  };
}

const unlessEmpty = (text: string): string | undefined => (text === '' ? undefined : text);

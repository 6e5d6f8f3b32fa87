export { AccessControl, type AccessPorts, type ConfiguredApp, type EffectiveApp, type TokenVerdict } from './access-control.ts';
export type { AccessCredential, AccessDecision, AccessGate, AccessRequest } from './access-gate.ts';
export { ACCESS_REFUSALS, type AccessRefused, type RefusalKind } from './access-refusals.ts';
export { AccessReplica, API_KEYS_MAX, APPS_MAX, REVOKED_TOKENS_MAX, STREAM_KEYS_MAX } from './access-replica.ts';
export {
  type AppRecord,
  appKey,
  decodeAppRecord,
  encodeAppRecord,
  NO_TOKENS,
  NOTE_LENGTH_MAX,
  newAppRecord,
  PLAYBACK_ENTRIES_MAX,
  PLAYBACK_POLICIES,
  type Playback,
  type PlaybackPolicy,
  TOKEN_ALGORITHMS,
  TOKEN_KEYS_MAX,
  type TokenAlgorithm,
  type TokenKey,
  type TokenSettings,
} from './app-record.ts';
export { AttemptLimit, type AttemptLimitOptions } from './attempt-limit.ts';
export { type IpNetwork, isInNetwork, parseIpAddress, parseIpNetwork } from './ip-network.ts';
export { isDomain } from './page-domain.ts';
export { encodeRevokedToken, JTI_LENGTH_MAX, type RevokedToken, revokedTokenId, revokedTokenKey } from './revoked-token.ts';
export {
  type ApiKeyRecord,
  type ApiKeyScope,
  apiKeyId,
  apiKeyKey,
  decodeApiKey,
  decodeStreamKey,
  encodeApiKey,
  encodeStreamKey,
  formatApiKey,
  formatStreamKey,
  hasExpired,
  isApiKeyScope,
  isSameHash,
  type StreamKeyRecord,
  streamKeyKey,
} from './secret-key.ts';
export { type AccessAct, isPattern, isTokenLike, readClaims, type TokenClaims, type TokenRefused } from './token-claims.ts';
export {
  type AllowedFile,
  type AllowedNetworkUrl,
  type NetworkScheme,
  UrlPolicy,
  type UrlPolicyOptions,
  type UrlRefusal,
  type UrlRefused,
  type UrlVerdict,
} from './url-policy.ts';

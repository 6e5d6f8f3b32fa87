export { AccessControl, type AccessPorts, type ConfiguredApp, type EffectiveApp, type TokenVerdict } from './access-control.ts';
export {
  type AccessCredential,
  type AccessDecision,
  type AccessGate,
  type AccessProtocol,
  type AccessRequest,
  refusalText,
} from './access-gate.ts';
export { ACCESS_REFUSALS, type AccessRefused, type LimitRefused, type RefusalKind } from './access-refusals.ts';
export { AccessReplica, API_KEYS_MAX, APPS_MAX } from './access-replica.ts';
export { type AppFigures, addFigures, isNothing, NO_FIGURES } from './app-figures.ts';
export { type AppLimits, LIMIT_MAX, LIMIT_NAMES, type LimitName, NO_LIMITS } from './app-limits.ts';
export {
  APPS_PREFIX,
  type AppRecord,
  appKey,
  decodeAppRecord,
  encodeAppRecord,
  FILE_MINUTES_MAX,
  KEEP_DAYS_MAX,
  NO_RECORDING,
  NO_TOKENS,
  NOTE_LENGTH_MAX,
  newAppRecord,
  PLAYBACK_ENTRIES_MAX,
  PLAYBACK_POLICIES,
  type Playback,
  type PlaybackPolicy,
  type RecordingSettings,
  TOKEN_ALGORITHMS,
  TOKEN_KEYS_MAX,
  type TokenAlgorithm,
  type TokenKey,
  type TokenSettings,
} from './app-record.ts';
export { type AppShare, boundReached, REVOKED_TOKENS_SHARE, STREAM_KEYS_SHARE, WITHDRAWALS_SHARE } from './app-share.ts';
export { AttemptLimit, type AttemptLimitOptions } from './attempt-limit.ts';
export { type Delivery, DeliveryQueue, type DeliveryQueueOutput } from './delivery-queue.ts';
export { cleanText, type HookOutcome, type HookVerdict, verdictOf } from './hook-answer.ts';
export { type AdmissionQuestion, HookedGate } from './hooked-gate.ts';
export { type AppInput, InputLimit } from './input-limit.ts';
export { type IpNetwork, isInNetwork, parseIpAddress, parseIpNetwork } from './ip-network.ts';
export { LimitedGate, type LimitedGatePorts } from './limited-gate.ts';
export { addCounters, decodeMonthRecord, type MonthCounters, type MonthRecord, NO_COUNTERS } from './month-record.ts';
export { type AppSample, NO_SAMPLE, NodeUsage } from './node-usage.ts';
export { isDomain } from './page-domain.ts';
export { type RecordSource, RecordTable } from './record-table.ts';
export {
  encodeRevokedToken,
  JTI_LENGTH_MAX,
  REVOKED_TOKENS_PREFIX,
  type RevokedToken,
  revokedTokenId,
  revokedTokenKey,
} from './revoked-token.ts';
export {
  API_KEYS_PREFIX,
  type ApiKeyRecord,
  type ApiKeyScope,
  apiKeyId,
  apiKeyIdOfHash,
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
  STREAM_KEYS_PREFIX,
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
export { type DueRecord, monthOf, monthPrefix, shardNumber, UsageLedger } from './usage-ledger.ts';
export { decodeUsageMessage, USAGE_SUBJECTS, type UsageMessage, usageMessages, usageSubject } from './usage-message.ts';
export { UsageSums } from './usage-sums.ts';
export {
  type AdmissionHook,
  decodeWebhook,
  type EventsHook,
  encodeWebhook,
  isClusterEvent,
  WEBHOOKS_MAX,
  WEBHOOKS_PER_APP_MAX,
  WEBHOOKS_PREFIX,
  type WebhookEventType,
  type WebhookRecord,
  webhookKey,
} from './webhook-record.ts';
export { WebhookReplica } from './webhook-replica.ts';
export { SIGNATURE_HEADER, signatureOf } from './webhook-signature.ts';
export {
  AdmittedSessions,
  encodeWithdrawal,
  keyCredential,
  tokenCredential,
  type Withdrawal,
  withdrawalKey,
} from './withdrawal.ts';

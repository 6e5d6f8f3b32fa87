export type {
  ApiKeyResource,
  ApiKeyWish,
  AppPatch,
  AppResource,
  AppWish,
  AuditEntryResource,
  ListedAppResource,
  NewApiKeyResource,
  NewStreamKeyResource,
  NewTokenKeyResource,
  RevokedTokenResource,
  RevokedTokenWish,
  StreamKeyResource,
  StreamKeyWish,
  TokenKeyResource,
  TokenKeyWish,
} from './access-contract.ts';
export { appPatchSchema } from './access-schemas.ts';
export { allocationOperations, type TranscodingAllocation } from './allocation.ts';
export type { AllocationDecisionResource, TranscodingPoolResource, TranscodingWeightsResource } from './allocation-contract.ts';
export { API_PREFIX, type ApiOptions, registerApi } from './api.ts';
export { type ApiKeyRegistry, type AuditTrail, apiKeyOperations } from './api-keys.ts';
export { createApiServer } from './api-server.ts';
export { type AppUsages, appUsageOperations } from './app-usage.ts';
export { type AppRegistry, appOperations } from './apps.ts';
export type {
  CoordinationResource,
  EndpointsResource,
  JoinAnswer,
  JoinRequest,
  JoinTokenPage,
  JoinTokenResource,
  JoinTokenWish,
  NewJoinTokenResource,
  NodeLoadResource,
  NodePage,
  NodePatch,
  NodeResource,
} from './cluster-contract.ts';
export { type JoinTokens, joinTokenOperations, joinTokensRefused } from './cluster-tokens.ts';
export type { ClusterView, KnownStream, NodeAnswer, NodeQuestion } from './cluster-view.ts';
export type { ProblemResource, PublisherResource, StreamPage, StreamResource, TargetResource, TrackResource } from './contract.ts';
export { PAGE_STYLE } from './docs-page.ts';
export { EventFeed, eventOperations } from './event-feed.ts';
export { appNotFound, type KnownKey, type NotedChange } from './grant.ts';
export { type ApiKeys, GuardedKeys } from './guarded-keys.ts';
export type { AnswerKeeper, KeptAnswer, KeyedRequest, KeyedStanding } from './idempotency.ts';
export { JOIN_TOKEN_HEADER, joinOperations, joinRefused, type NodeJoiner } from './join.ts';
export type { AppUsageNow, AppUsageResource, LimitsPatch, LimitsResource } from './limits-contract.ts';
export { NodeAnswers } from './node-answers.ts';
export { type ClusterNodes, nodeOperations } from './nodes.ts';
export type { ApiCaller, Operation, OperationContext, Scope } from './operation.ts';
export { overviewOperations } from './overview.ts';
export { ApiError, PROBLEM_TYPE, type ProblemCode, problem, problemCodes } from './problem.ts';
export { RecordingLinks } from './recording-links.ts';
export { type RecordingBytes, type RecordingRegistry, recordingOperations } from './recordings.ts';
export { SERVER_EVENT_TYPES, type ServerEvent } from './server-event.ts';
export { sessionOperations } from './session.ts';
export { CONSOLE_HEADER, type EndedSessionList, SessionCookies } from './session-cookies.ts';
export { type ApplyOptions, type SettingsAuthor, type SettingsParts, type SettingsRegistry, settingsOperations } from './settings.ts';
export type {
  AppliedSettings,
  LadderResource,
  RoutingResource,
  SettingsDifferenceResource,
  SettingsResource,
  SettingsVersionDetail,
  SettingsVersionResource,
} from './settings-contract.ts';
export { type SourceDirectory, sourceOperations } from './sources.ts';
export type { StreamDirectory } from './stream-lookup.ts';
export type { StreamSource } from './stream-resource.ts';
export { streamOperations } from './streams.ts';
export { type TargetDirectory, type TargetReport, targetOperations } from './targets.ts';
export type { Thumbnail, ThumbnailAnswer, ThumbnailFailure, ThumbnailSource } from './thumbnail-answer.ts';
export { thumbnailOperations } from './thumbnails.ts';
export { type RungSource, type TranscodingSource, transcodingOperations } from './transcoding.ts';
export type {
  DeadLetterResource,
  DeliveryResource,
  NewWebhookResource,
  WebhookPatch,
  WebhookResource,
  WebhookTestResource,
  WebhookWish,
} from './webhook-contract.ts';
export { type WebhookRegistry, webhookOperations } from './webhooks.ts';

// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
import type { Transport } from '../transport.ts';
import { type ApiKeysApi, apiKeysApi } from './api-keys.ts';
import { type AppsApi, appsApi } from './apps.ts';
import { type AuditApi, auditApi } from './audit.ts';
import { type ClusterApi, clusterApi } from './cluster.ts';
import { type ConfigApi, configApi } from './config.ts';
import { type NodesApi, nodesApi } from './nodes.ts';
import { type OverviewApi, overviewApi } from './overview.ts';
import { type RecordingsApi, recordingsApi } from './recordings.ts';
import { type SessionApi, sessionApi } from './session.ts';
import { type SourcesApi, sourcesApi } from './sources.ts';
import { type StreamsApi, streamsApi } from './streams.ts';
import { type TargetsApi, targetsApi } from './targets.ts';
import { type TranscodingApi, transcodingApi } from './transcoding.ts';

export type * from './api-keys.ts';
export type * from './apps.ts';
export type * from './apps-keys.ts';
export type * from './apps-ladder.ts';
export type * from './apps-revoked-tokens.ts';
export type * from './apps-token-keys.ts';
export type * from './apps-usage.ts';
export type * from './apps-webhooks.ts';
export type * from './audit.ts';
export type * from './cluster.ts';
export type * from './cluster-relays.ts';
export type * from './cluster-routing.ts';
export type * from './cluster-sources.ts';
export type * from './cluster-targets.ts';
export type * from './cluster-tokens.ts';
export type * from './cluster-transcoding.ts';
export type * from './config.ts';
export type * from './config-versions.ts';
export type * from './nodes.ts';
export type * from './overview.ts';
export type * from './recordings.ts';
export type * from './session.ts';
export type * from './sources.ts';
export type * from './streams.ts';
export type * from './streams-targets.ts';
export type * from './targets.ts';
export type * from './transcoding.ts';
export type * from './transcoding-decisions.ts';
export type * from './transcoding-pool.ts';
export type * from './transcoding-weights.ts';

/** All operations of the API, by resource. */
export interface SluiceClient {
  readonly apiKeys: ApiKeysApi;
  readonly apps: AppsApi;
  readonly audit: AuditApi;
  readonly cluster: ClusterApi;
  readonly config: ConfigApi;
  readonly nodes: NodesApi;
  readonly overview: OverviewApi;
  readonly recordings: RecordingsApi;
  readonly session: SessionApi;
  readonly sources: SourcesApi;
  readonly streams: StreamsApi;
  readonly targets: TargetsApi;
  readonly transcoding: TranscodingApi;
}

/** A client that makes its calls by `send`. */
export const createClient = (send: Transport): SluiceClient => ({
  apiKeys: apiKeysApi(send),
  apps: appsApi(send),
  audit: auditApi(send),
  cluster: clusterApi(send),
  config: configApi(send),
  nodes: nodesApi(send),
  overview: overviewApi(send),
  recordings: recordingsApi(send),
  session: sessionApi(send),
  sources: sourcesApi(send),
  streams: streamsApi(send),
  targets: targetsApi(send),
  transcoding: transcodingApi(send),
});

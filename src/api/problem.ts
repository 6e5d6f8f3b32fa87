import { SluiceError } from '../core/mod.ts';
import type { ProblemResource } from './contract.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** Codes are never renamed. */
export type ProblemCode =
  | 'api.bad-json'
  | 'api.bad-request'
  | 'api.bad-cursor'
  | 'api.key-missing'
  | 'api.key-wrong'
  | 'api.scope-missing'
  | 'api.cross-site'
  | 'api.too-many-attempts'
  | 'api.not-found'
  | 'api.stream-not-found'
  | 'api.method-not-allowed'
  | 'api.body-too-large'
  | 'api.media-type'
  | 'api.too-many-listeners'
  | 'api.not-ready'
  | 'api.draining'
  | 'api.disabled'
  | 'api.idempotency-key'
  | 'api.idempotency-key-reused'
  | 'api.request-in-progress'
  | 'api.internal'
  | 'cluster.token-missing'
  | 'cluster.token-wrong'
  | 'cluster.token-expired'
  | 'cluster.token-used-up'
  | 'cluster.role-not-allowed'
  | 'cluster.region-not-allowed'
  | 'cluster.node-removed'
  | 'cluster.tls-needed'
  | 'cluster.token-not-found'
  | 'cluster.node-not-found'
  | 'cluster.only-node'
  | 'cluster.not-in-cluster'
  | 'cluster.not-manager'
  | 'cluster.protocol-unsupported'
  | 'cluster.full'
  | 'cluster.csr-wrong'
  | 'cluster.endpoints-wrong'
  | 'cluster.too-many-attempts'
  | 'cluster.store-unavailable'
  | 'cluster.newer-record'
  | 'cluster.node-silent'
  | 'apps.not-found'
  | 'apps.exists'
  | 'apps.configured'
  | 'apps.name'
  | 'apps.playback'
  | 'apps.key-set'
  | 'apps.public-key'
  | 'apps.key-not-found'
  | 'apps.too-many'
  | 'webhooks.not-found'
  | 'webhooks.delivery-not-found'
  | 'webhooks.url'
  | 'webhooks.settings'
  | 'webhooks.events'
  | 'webhooks.newer'
  | 'webhooks.too-many'
  | 'webhooks.busy'
  | 'keys.not-found'
  | 'keys.too-many'
  | 'config.invalid'
  | 'config.changed'
  | 'config.version-not-found'
  | 'targets.not-found'
  | 'targets.name-taken'
  | 'targets.url'
  | 'targets.too-many'
  | 'recordings.not-found'
  | 'recordings.file-gone'
  | 'recordings.range'
  | 'recordings.busy'
  | 'thumbnails.no-video'
  | 'thumbnails.no-keyframe'
  | 'thumbnails.busy'
  | 'thumbnails.failed'
  | 'thumbnails.unavailable';

/** The registry of the API's error codes: status and title of each. */
export const problemCodes: Readonly<Record<ProblemCode, { readonly status: number; readonly title: string }>> = {
  'api.bad-json': { status: 400, title: 'The body is not JSON' },
  'api.bad-request': { status: 400, title: 'The request is not right' },
  'api.bad-cursor': { status: 400, title: 'The cursor is not one of this list' },
  'api.key-missing': { status: 401, title: 'An API key is needed' },
  'api.key-wrong': { status: 401, title: 'The API key is not known' },
  'api.scope-missing': { status: 403, title: 'The API key may not do this' },
  'api.cross-site': { status: 403, title: 'The change may come from another site' },
  'api.too-many-attempts': { status: 429, title: 'Too many wrong keys' },
  'api.not-found': { status: 404, title: 'There is nothing at this address' },
  'api.stream-not-found': { status: 404, title: 'There is no such stream' },
  'api.method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  'api.body-too-large': { status: 413, title: 'The body is too large' },
  'api.media-type': { status: 415, title: 'The body has a type that is not taken' },
  'api.too-many-listeners': { status: 503, title: 'Too many listen to the events' },
  'api.not-ready': { status: 503, title: 'The server is not ready' },
  'api.draining': { status: 503, title: 'The node is draining' },
  'api.disabled': { status: 503, title: 'The node is disabled' },
  'api.idempotency-key': { status: 400, title: 'The idempotency key is not right' },
  'api.idempotency-key-reused': { status: 422, title: 'The idempotency key was used for another request' },
  'api.request-in-progress': { status: 409, title: 'The same request is being carried out' },
  'api.internal': { status: 500, title: 'A fault of the server' },
  'cluster.token-missing': { status: 401, title: 'A join token is needed' },
  'cluster.token-wrong': { status: 401, title: 'The join token is not known' },
  'cluster.token-expired': { status: 403, title: 'The join token has expired' },
  'cluster.token-used-up': { status: 403, title: 'The join token has no uses left' },
  'cluster.role-not-allowed': { status: 403, title: 'The join token is not for this role' },
  'cluster.region-not-allowed': { status: 403, title: 'The join token is not for this region' },
  'cluster.node-removed': { status: 403, title: 'The node was removed from the cluster' },
  'cluster.tls-needed': { status: 403, title: 'The connection has to be private' },
  'cluster.token-not-found': { status: 404, title: 'There is no such join token' },
  'cluster.node-not-found': { status: 404, title: 'There is no such node' },
  'cluster.only-node': { status: 409, title: 'The node is the only one' },
  'cluster.not-in-cluster': { status: 409, title: 'The node is in no cluster' },
  'cluster.not-manager': { status: 409, title: 'The node is no manager' },
  'cluster.protocol-unsupported': { status: 409, title: 'The versions do not fit each other' },
  'cluster.full': { status: 409, title: 'The cluster has as many nodes as it can' },
  'cluster.csr-wrong': { status: 400, title: 'The certificate request is not right' },
  'cluster.endpoints-wrong': { status: 400, title: 'The endpoints are not right' },
  'cluster.too-many-attempts': { status: 429, title: 'Too many wrong attempts' },
  'cluster.node-silent': { status: 503, title: 'The node does not answer' },
  'cluster.store-unavailable': { status: 503, title: 'The cluster store is out of reach' },
  'cluster.newer-record': { status: 409, title: 'The record was written by newer software' },
  'apps.not-found': { status: 404, title: 'There is no such app' },
  'apps.exists': { status: 409, title: 'There is an app of that name' },
  'apps.configured': { status: 409, title: 'The app stands in the configuration' },
  'apps.name': { status: 400, title: 'The name cannot be used for an app' },
  'apps.playback': { status: 400, title: 'The playback policy is not right' },
  'apps.key-set': { status: 400, title: 'The key set cannot be used' },
  'apps.public-key': { status: 400, title: 'The public key is not right' },
  'apps.key-not-found': { status: 404, title: 'The app has no such key' },
  'apps.too-many': { status: 409, title: 'There are as many as may be' },
  'webhooks.not-found': { status: 404, title: 'The app has no such webhook' },
  'webhooks.delivery-not-found': { status: 404, title: 'The webhook has no such dead letter' },
  'webhooks.url': { status: 400, title: 'The URL of the webhook is not usable' },
  'webhooks.settings': { status: 400, title: 'The settings do not go with the kind of webhook' },
  'webhooks.events': { status: 403, title: 'The API key may not be told of these events' },
  'webhooks.newer': { status: 409, title: 'The webhook was written by newer software' },
  'webhooks.too-many': { status: 409, title: 'There are as many webhooks as may be' },
  'webhooks.busy': { status: 503, title: 'As much waits for the webhook as may' },
  'keys.not-found': { status: 404, title: 'There is no such API key' },
  'keys.too-many': { status: 409, title: 'There are as many API keys as may be' },
  'config.invalid': { status: 400, title: 'The settings are not right' },
  'config.changed': { status: 409, title: 'The settings were changed meanwhile' },
  'config.version-not-found': { status: 404, title: 'There is no such version of the settings' },
  'targets.not-found': { status: 404, title: 'There is no such target' },
  'targets.name-taken': { status: 409, title: 'The stream has a target of that name' },
  'targets.url': { status: 400, title: 'The URL of the target is not usable' },
  'targets.too-many': { status: 409, title: 'There are as many targets as may be' },
  'recordings.not-found': { status: 404, title: 'There is no such recording' },
  'recordings.file-gone': { status: 404, title: 'The recording has no file' },
  'recordings.range': { status: 416, title: 'The range is not in the file' },
  'recordings.busy': { status: 503, title: 'As many recordings are sent as may' },
  'thumbnails.no-video': { status: 409, title: 'The stream has no pictures' },
  'thumbnails.no-keyframe': { status: 503, title: 'The stream has no keyframe at the moment' },
  'thumbnails.busy': { status: 503, title: 'Too many pictures are wanted' },
  'thumbnails.failed': { status: 503, title: 'The picture could not be made' },
  'thumbnails.unavailable': { status: 501, title: 'The server cannot make pictures' },
};

/** A request that is answered with a problem document. */
export class ApiError extends SluiceError {
  declare readonly code: ProblemCode;
  /** Headers that go with it, e.g. `allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, detail);
    this.headers = headers;
  }
}

/** The problem document of a code. */
export function problem(code: ProblemCode, detail: string): ProblemResource {
  const { status, title } = problemCodes[code];
  return { type: `urn:sluice:problem:${code}`, title, status, detail, code };
}

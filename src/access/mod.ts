export type { AttemptLimitOptions } from './attempt-limit.ts';
export type { PublishCredential, PublishDecision, PublishPolicy, PublishRefused } from './publish-policy.ts';
export { type AccessPorts, type AppAccess, StaticAccess } from './static-access.ts';
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

export { AllocationSettings, type WeightSettings } from './allocation-settings.ts';
export { type ApiCall, apiRequest } from './api-request.ts';
export { CertificateAuthority, caSha256, type IssuedCertificate } from './certificate-authority.ts';
export { isRenewalDue, type RenewalServerOptions, renewCertificate, serveRenewals } from './certificate-renewal.ts';
export { ClientRegion } from './client-region.ts';
export { ClusterRoute } from './cluster-route.ts';
export { ClusterStreams } from './cluster-streams.ts';
export { GeoIp } from './geo-ip.ts';
export { type JoinOptions, joinCluster, ownAddressTowards } from './join-client.ts';
export { JoinServer, type JoinServerOptions } from './join-server.ts';
export { LastingStore } from './lasting-store.ts';
export { LoadSampler, type LoadSamplerOptions, type MachineLoad } from './load-sampler.ts';
export { keptNatsMembers, NatsMembers, type NatsMembersOptions } from './nats-members.ts';
export {
  certificateOf,
  type FoundingNode,
  foundCluster,
  identityFile,
  loadIdentity,
  type NodeIdentity,
  nodeRemoved,
  noteRemoval,
  saveIdentity,
} from './node-identity.ts';
export { NodeQuestions } from './node-questions.ts';
export { NodeRegistry, type NodeRegistryOptions, type NodeReplica } from './node-registry.ts';
export { NodeRouting } from './node-routing.ts';
export { nodeNameOf, ownNodeOf } from './own-node.ts';
export { RedirectGate, type RedirectGateOptions } from './redirect-gate.ts';
export { SESSION_FORWARD_DEFAULTS, SessionForward, type SessionForwardOptions } from './session-forward.ts';
export { ClusterSessionSecret, ownSessionSecret } from './session-secret.ts';
export { assertKnown, StoreCalls } from './store-calls.ts';
export { StoreKeeper } from './store-keeper.ts';
export { checkSharedFile, checkStoreOwner, isRevoked } from './store-owner.ts';
export { streamBodyOf } from './stream-body.ts';
export { StreamGivers } from './stream-givers.ts';
export { TokenStore } from './token-store.ts';
export { TranscodeOffers } from './transcode-offers.ts';

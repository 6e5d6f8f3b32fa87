export {
  ALLOCATION_ASK,
  ALLOCATION_LEADER,
  ALLOCATION_NEWS,
  ALLOCATION_PREFIX,
  ALLOCATION_REPORTS,
  type AllocationNews,
  type AllocationNodeNote,
  type AllocationNote,
  type AllocationReport,
  allocationOrders,
  allocationReport,
  decodeAllocationNews,
  decodeAllocationOrders,
  decodeAllocationReport,
  encodeAllocationNews,
  encodeAllocationOrders,
  encodeAllocationReport,
  type RungOrder,
  type TranscodeOffer,
  type WatchedRung,
} from './allocation-messages.ts';
export { BUS_MESSAGE_BYTES_MAX, type Bus, type BusFailure, type BusReply } from './bus.ts';
export { type Holder, isSameHolder } from './claim-record.ts';
export { type Claimed, ClaimRegistry, type ShareReadings } from './claim-registry.ts';
export { CLUSTER_IDENTITY_KEY, type ClusterIdentity, decodeClusterIdentity, encodeClusterIdentity } from './cluster-identity.ts';
export { FanOut, type FanOutChild } from './fan-out.ts';
export { decodeHeartbeat, encodeHeartbeat, HEARTBEATS, type Heartbeat, heartbeatSubject, type NodeLoad } from './heartbeat.ts';
export {
  decodeJoinTokenRecord,
  encodeJoinTokenRecord,
  formatJoinToken,
  type JoinRefusal,
  type JoinRefusalCode,
  type JoinToken,
  type JoinTokenRecord,
  type JoinWish,
  judgeJoin,
  parseJoinToken,
  TOKEN_NOTE_LENGTH_MAX,
  TOKEN_USES_MAX,
  TOKENS_PREFIX,
  tokenKey,
  withUse,
} from './join-token.ts';
export {
  Membership,
  type MembershipOptions,
  type MembershipOutput,
  type MembershipReader,
  type MembershipWarning,
  NODES_MAX,
  STALE_MS,
} from './membership.ts';
export {
  CLUSTER_PROTOCOL,
  decodeNodeRecord,
  encodeNodeRecord,
  NODE_ROLES,
  NODE_STATUSES,
  NODES_PREFIX,
  type NodeEndpoints,
  type NodeRecord,
  type NodeRole,
  type NodeStatus,
  nodeKey,
  withStatus,
} from './node-record.ts';
export type { NodeView } from './node-view.ts';
export type { OwnNode, OwnState } from './own-record.ts';
export { type ClientWish, type OwnStanding, type Placement, placeClient, type RouteExtent, servesAtOnce } from './redirection.ts';
export { decodeDigest, type RegionDigest } from './region-digest.ts';
export { decodeRevocation, encodeRevocation, REVOKED_PREFIX, type Revocation, Revocations, revokedKey } from './revocations.ts';
export { type RouteCandidate, type RouteDecision, type RouteOpinion, type RouteRefusal, type RouteWish, routeTo } from './routing.ts';
export { decodeRoutingRules, encodeRoutingRules, ROUTE_WEIGHTS, type RouteWeights, type RoutingRules } from './routing-rules.ts';
export { type PlacementDecision, placeRung } from './rung-placement.ts';
export type { OwnStreamState } from './standbys.ts';
export {
  STORE_KEY_LENGTH_MAX,
  STORE_VALUE_BYTES_MAX,
  type Store,
  type StoreEntry,
  type StoreFailure,
  type StoreResult,
  type StoreWatcher,
} from './store.ts';
export {
  type DirectoryNodes,
  type SecondPublisher,
  StreamDirectory,
  type StreamDirectoryOptions,
  type StreamDirectoryOutput,
} from './stream-directory.ts';
export { makerOf, type StreamBody, type TrackSummary } from './stream-record.ts';
export type { Upstream } from './stream-sourcing.ts';
export { decodeVersioned, encodeVersioned, readAmount, readCount, readText, type UnknownFields } from './versioned-json.ts';

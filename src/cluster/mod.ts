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
  type StreamAudience,
  type TranscodeOffer,
  type WatchedRung,
} from './allocation-messages.ts';
export { BUS_MESSAGE_BYTES_MAX, type Bus, type BusFailure, type BusReply } from './bus.ts';
export { type Holder, isSameHolder, writeClaim } from './claim-record.ts';
export { ClaimRegistry } from './claim-registry.ts';
export {
  type Claimed,
  type ClaimReading,
  ClaimReplica,
  type ClaimReplicaParts,
  type ClaimSharing,
  type Claims,
  type ClaimsOptions,
  type ClaimsOutput,
  type KnownClaim,
  type MissingClaims,
  readKnownClaim,
} from './claim-replica.ts';
export { CLUSTER_IDENTITY_KEY, type ClusterIdentity, decodeClusterIdentity, encodeClusterIdentity } from './cluster-identity.ts';
export { ClusterTerms, STALE_MS, writeStaleMs } from './cluster-terms.ts';
export { FanOut, type FanOutChild } from './fan-out.ts';
export { ForwardingStore } from './forwarding-store.ts';
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
  TOKEN_WRONG,
  TOKENS_PREFIX,
  tokenKey,
  withUse,
} from './join-token.ts';
export { Membership, NODES_MAX } from './membership.ts';
export type {
  DigestHearer,
  MembershipOptions,
  MembershipOutput,
  MembershipReader,
  MembershipSharing,
  MembershipWarning,
  RecordHearer,
} from './membership-options.ts';
export {
  CLUSTER_PROTOCOL,
  decodeNodeRecord,
  encodeNodeRecord,
  isNodeKey,
  isSameRecord,
  NODE_NAME_LENGTH_MAX,
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
export { isPutBackByItsNode, PUT_BACK_MS_MAX } from './put-back.ts';
export {
  acceptedBy,
  type ClientWish,
  type OwnStanding,
  type Placement,
  placeClient,
  type RouteExtent,
  routeSomewhere,
  servesAtOnce,
} from './redirection.ts';
export { DIGESTS, decodeDigest, digestSubject, encodeDigest, type RegionDigest } from './region-digest.ts';
export { RegionNews } from './region-news.ts';
export { RegionRoster } from './region-roster.ts';
export type { ReplicaMap } from './replica-map.ts';
export { decodeRevocation, encodeRevocation, REVOKED_PREFIX, type Revocation, Revocations, revokedKey } from './revocations.ts';
export { RosterTable } from './roster-table.ts';
export { RouteTurns } from './route-turns.ts';
export {
  headroomOf,
  type RouteDecision,
  type RoutedNodes,
  type RouteOpinion,
  type RouteRefusal,
  type RouteWish,
  routeTo,
} from './routing.ts';
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
export { makerOf, STREAMS_PREFIX, type StreamBody, type TrackSummary } from './stream-record.ts';
export type { Upstream } from './stream-sourcing.ts';
export { decodeVersioned, encodeVersioned, readAmount, readCount, readText, type UnknownFields } from './versioned-json.ts';

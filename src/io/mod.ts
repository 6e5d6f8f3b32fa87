export {
  ADMIN_KEY_NAME,
  ApiKeyStore,
  type ApiKeyStoreOptions,
  AppStore,
  type AppStoreOptions,
  AuditLog,
  type AuditLogOptions,
  assertAppName,
  ClusterAdminKey,
  type ClusterAdminKeyOptions,
  EndedSessions,
  type EndedSessionsOptions,
  KeptAnswers,
  type KeptAnswersOptions,
  keysOfApp,
  MonthlyUsage,
  type MonthlyUsageOptions,
  type SentBytes,
  TokenVerifier,
  type TokenVerifierOptions,
  UsageMeter,
  type UsageMeterOptions,
  usageResource,
} from './access/mod.ts';
export { AppBytes } from './app-bytes.ts';
export type { BroadcastOptions } from './broadcast.ts';
export { type Clock, systemClock } from './clock.ts';
export {
  AllocationSettings,
  type ApiCall,
  apiRequest,
  CertificateAuthority,
  ClientRegion,
  ClusterRoute,
  ClusterSessionSecret,
  ClusterStreams,
  caSha256,
  certificateOf,
  checkSharedFile,
  checkStoreOwner,
  type FoundingNode,
  foundCluster,
  GeoIp,
  identityFile,
  isRenewalDue,
  isRevoked,
  type JoinOptions,
  JoinServer,
  type JoinServerOptions,
  joinCluster,
  keptNatsMembers,
  LastingStore,
  LoadSampler,
  type LoadSamplerOptions,
  loadIdentity,
  type MachineLoad,
  NatsMembers,
  type NatsMembersOptions,
  type NodeIdentity,
  NodeQuestions,
  NodeRegistry,
  type NodeRegistryOptions,
  NodeRouting,
  nodeNameOf,
  nodeRemoved,
  noteRemoval,
  ownAddressTowards,
  ownNodeOf,
  ownSessionSecret,
  RedirectGate,
  type RenewalServerOptions,
  renewCertificate,
  SESSION_FORWARD_DEFAULTS,
  SessionForward,
  StoreCalls,
  StoreKeeper,
  StreamGivers,
  saveIdentity,
  serveRenewals,
  streamBodyOf,
  TokenStore,
  TranscodeOffers,
  type WeightSettings,
} from './cluster/mod.ts';
export {
  type BusHealth,
  EmbeddedBus,
  type EmbeddedBusOptions,
  EmbeddedStore,
  type EmbeddedStoreOptions,
  MeteredBus,
  MeteredStore,
  NatsBus,
  NatsLink,
  type NatsLinkOptions,
  type NatsLinkTls,
  NatsServerProcess,
  type NatsServerProcessOptions,
  type NatsServerTls,
  NatsStore,
  type NatsStoreOptions,
  type StoreHealth,
} from './coordination/mod.ts';
export { DemoSource } from './demo/mod.ts';
export { FlvRoute, type FlvRouteOptions, type FlvStats } from './flv/mod.ts';
export { countPayloadsAsHeap } from './garbage-collection.ts';
export { HLS_DEFAULTS, HlsRoute, type HlsRouteOptions, type HlsSource, type HlsStats } from './hls/mod.ts';
export { HttpServer, type HttpServerOptions, type HttpServerStats, type UpgradeRoute } from './http/http-server.ts';
export { createWeb, type WebOptions } from './http/web.ts';
export { type HistogramValue, histogramQuantileMs, histogramSince, LatencyHistogram, sumHistograms } from './latency-histogram.ts';
export { type ListenPlace, listenError, listenHost } from './listen-error.ts';
export { createLog, type LogFormat, type LogLevel } from './log.ts';
export type { MediaRoute } from './media-route.ts';
export { type HistogramSample, type MetricSource, Metrics, oncePerScrape, type Sample, type Survey, sharedLabels } from './metrics.ts';
export { RecordingAnswers, Recordings, type RecordingsOptions } from './recording/mod.ts';
export {
  type NodeAnswer,
  type NodeQuestion,
  RELAY_QUEUE_DEFAULTS,
  RelayClient,
  type RelayClientOptions,
  type RelayClientStats,
  type RelayPull,
  type RelayPullOptions,
  type RelayRefused,
  RelayServer,
  type RelayServerOptions,
  type RelayServerStats,
  type RelaySource,
  type RelaySources,
  type RelayTls,
  type RelayUpstream,
} from './relay/mod.ts';
export { isLoopback, remoteAddress } from './remote-address.ts';
export { nodeRtmpCrypto, RtmpListener, type RtmpListenerOptions, type RtmpListenerStats, type RtmpPlaces } from './rtmp/mod.ts';
export { Secrets, type StoredApiKey } from './secrets.ts';
export { type SettingsChecks, SettingsReplica, SettingsStore, SettingsUpkeep, settingsOfApp, settingsOfWeights } from './settings/mod.ts';
export { PullSources, type PullSourcesOptions, type SourceReport, type SourceSettings } from './sources/mod.ts';
export { type BringStream, StreamDoor, type StreamDoorOptions, type StreamSupplier } from './stream-door.ts';
export { type PushReport, type TargetSpec, Targets, type TargetsOptions, type TargetsStats } from './targets/mod.ts';
export { Thumbnails, type ThumbnailsOptions } from './thumbnails/mod.ts';
export { JoinTraces, openTracing, type TraceSpan, type Tracing } from './tracing/mod.ts';
export {
  type ChildReport,
  type EncoderReport,
  type RungMakers,
  type RungReport,
  type RungStanding,
  Transcoding,
  type TranscodingReport,
} from './transcode/mod.ts';
export { type HookEvent, Webhooks } from './webhooks/mod.ts';
export {
  type Kernel,
  type KernelModule,
  loadKernel,
  type ReceiverCounts,
  type SrtpProfile,
  WebrtcServer,
  type WebrtcServerOptions,
  type WebrtcStats,
  WHIP_ROUTE_DEFAULTS,
  WhipRoute,
  type WhipRouteOptions,
} from './webrtc/mod.ts';

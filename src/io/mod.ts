export type { BroadcastOptions, BroadcastStats } from './broadcast.ts';
export { type Clock, systemClock } from './clock.ts';
export { DemoSource } from './demo/mod.ts';
export { FlvRoute, type FlvRouteOptions, type FlvStats } from './flv/mod.ts';
export { HLS_DEFAULTS, HlsRoute, type HlsRouteOptions, type HlsSource, type HlsStats } from './hls/mod.ts';
export { HttpServer, type HttpServerOptions, type HttpServerStats, type UpgradeRoute } from './http/http-server.ts';
export { createWeb, type WebOptions } from './http/web.ts';
export { type ListenPlace, listenError, listenHost } from './listen-error.ts';
export { createLog, type LogFormat, type LogLevel } from './log.ts';
export type { MediaRoute } from './media-route.ts';
export { type MetricSource, Metrics, type Sample } from './metrics.ts';
export { isLoopback, remoteAddress } from './remote-address.ts';
export { nodeRtmpCrypto, RtmpListener, type RtmpListenerOptions, type RtmpListenerStats } from './rtmp/mod.ts';
export { Secrets, type StoredApiKey } from './secrets.ts';
export { type ChildReport, type EncoderReport, type RungReport, Transcoding, type TranscodingReport } from './transcode/mod.ts';
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

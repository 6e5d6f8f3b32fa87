/** One rung of a ladder of its own; 0 stands for "choose". */
export interface RungConfig {
  name: string;
  codec: 'h264' | 'vp8' | 'vp9' | 'av1' | 'hevc' | 'aac' | 'opus';
  height: number;
  frameRateMax: number;
  bitrateBps: number;
  preset: 'ultrafast' | 'superfast' | 'veryfast' | 'faster' | 'fast' | 'medium';
  encoder: string;
  channels: number;
}

/** The qualities that an app's streams are offered in. */
export interface LadderConfig {
  template: 'off' | 'webrtc' | 'abr' | 'custom';
  rungs: RungConfig[];
  always: boolean;
  lingerMs: number;
}

/** An input that the server fetches by itself. */
export interface SourceConfig {
  url: string;
  mode: 'on-demand' | 'always';
  rtspTransport: 'tcp' | 'udp';
  lingerMs: number;
  stallMs: number;
}

/** One place that an app's streams are pushed to. */
export interface TargetConfig {
  name: string;
  url: string;
  token: string;
  streams: string;
  rendition: string;
}

/** The settings of one app. */
export interface AppConfig {
  keys: string[];
  publishFromLoopback: boolean;
  secondPublisher: 'reject' | 'takeover' | 'standby';
  limits: {
    streams: number;
    viewers: number;
    bitrateInBps: number;
    bitrateOutBps: number;
    transcodeMinutes: number;
    recordingMinutes: number;
  };
  recording: { mode: 'off' | 'always'; fileMinutes: number; keepDays: number };
  ladder: LadderConfig;
  targets: TargetConfig[];
  sources: Record<string, SourceConfig>;
}

export interface TlsFiles {
  certFile: string;
  keyFile: string;
}

/** The whole configuration, checked and with defaults filled in. What each key means stands in the schema and in docs/configuration.md. */
export interface Config {
  dataFolder: string;
  log: {
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    format: 'auto' | 'pretty' | 'json';
  };
  http: {
    host: string;
    port: number;
    tls: TlsFiles & { hstsMaxAgeS: number };
    headersTimeoutMs: number;
    requestTimeoutMs: number;
    keepAliveTimeoutMs: number;
    headersBytesMax: number;
    bodyBytesMax: number;
    connectionsMax: number;
    connectionsPerAddressMax: number;
  };
  rtmp: {
    enabled: boolean;
    host: string;
    port: number;
    tls: TlsFiles & { port: number };
    chunkSizeMax: number;
    messageSizeMax: number;
    connectionsMax: number;
    connectionsPerAddressMax: number;
    handshakeTimeoutMs: number;
    idleTimeoutMs: number;
  };
  webrtc: {
    enabled: boolean;
    host: string;
    port: number;
    tcp: boolean;
    publicAddresses: string[];
    iceServers: string[];
    sessionsMax: number;
    sessionsPerAddressMax: number;
    keyframeIntervalMs: number;
    segmentationOffload: 'auto' | 'off';
  };
  flv: { batchMs: number; sendQueueBytesMax: number; stalledMs: number; viewersMax: number };
  hls: {
    partMs: number;
    segmentMs: number;
    windowSegments: number;
    windowBytesMax: number;
    packaging: 'always' | 'on-demand';
    waitingPerStreamMax: number;
    waitingMax: number;
  };
  hub: { holdMs: number; waitMs: number; waitingMax: number; streamsMax: number; gopCacheBytesMax: number; tracksMax: number };
  transcode: { enabled: boolean; tasksMax: number; encoder: string };
  targets: { allowedNetworks: string[]; tlsCaFile: string; max: number; queueBytesMax: number };
  sources: { allowedNetworks: string[]; allowedFolders: string[] };
  access: { allowedNetworks: string[] };
  apps: Record<string, AppConfig>;
  cluster: {
    found: boolean;
    name: string;
    nodeName: string;
    region: string;
    roles: ('mono' | 'manager' | 'origin' | 'edge' | 'transcode')[];
    advertise: string;
    join: { url: string; token: string; tokenFile: string; caFile: string; insecure: boolean };
    coordination: 'nats-server' | 'nats' | 'embedded';
    nats: { servers: string[]; user: string; password: string; caFile: string; port: number };
    relay: { host: string; port: number; childrenMax: number };
    staleMs: number;
    lingerMs: number;
    drainMs: number;
    networks: Record<string, string[]>;
    regionHeader: string;
    geoIp: { file: string; countries: Record<string, string>; continents: Record<string, string> };
  };
  api: { publicReads: boolean };
  metrics: { streamsMax: number };
  tracing: { endpoint: string; samplePercent: number; trustCallers: boolean };
  demo: { enabled: boolean };
}

/** The settings of one app. */
export interface AppConfig {
  keys: string[];
  publishFromLoopback: boolean;
  secondPublisher: 'reject' | 'takeover';
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
    tls: TlsFiles;
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
  hub: { holdMs: number; streamsMax: number; gopCacheBytesMax: number; tracksMax: number };
  apps: Record<string, AppConfig>;
  api: { publicReads: boolean };
  demo: { enabled: boolean };
}

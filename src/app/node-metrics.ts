import type { Hub, LiveStream } from '../hub/mod.ts';
import type {
  BroadcastStats,
  ChildReport,
  FlvRoute,
  HlsRoute,
  HttpServer,
  MetricSource,
  RtmpListener,
  RtmpListenerStats,
  Sample,
  Transcoding,
  WebrtcServer,
  WebrtcStats,
} from '../io/mod.ts';
import type { WhipEndpoint } from '../protocols/whip/mod.ts';

/** A counter or gauge without labels. */
const single = (name: string, kind: 'counter' | 'gauge', help: string, read: () => number): MetricSource => ({
  name,
  kind,
  help,
  read: () => [{ value: read() }],
});

/** What the hub and the HTTP server tell. `retired` has the totals of streams that are over, so that totals never go back. */
export function hubMetrics(hub: Hub, retired: { bytesIn: number; framesIn: number }): MetricSource[] {
  const streams = (): LiveStream[] => [...hub.streams()];
  const sum = (read: (stream: LiveStream) => number): number => streams().reduce((total, stream) => total + read(stream), 0);
  return [
    {
      name: 'sluice_streams',
      kind: 'gauge',
      help: 'Streams by state',
      labels: ['state'],
      read: () =>
        (['live', 'held'] as const).map((state) => ({
          labels: { state },
          value: streams().filter((stream) => stream.state === state).length,
        })),
    },
    { name: 'sluice_viewers', kind: 'gauge', help: 'Viewers by protocol', labels: ['protocol'], read: () => viewers(streams()) },
    single(
      'sluice_received_bytes_total',
      'counter',
      'Bytes of media received from publishers',
      () => retired.bytesIn + sum((stream) => stream.stats().bytesIn),
    ),
    single(
      'sluice_received_frames_total',
      'counter',
      'Frames received from publishers',
      () => retired.framesIn + sum((stream) => stream.stats().framesIn),
    ),
  ];
}

function viewers(streams: readonly LiveStream[]): Sample[] {
  const counts = new Map([
    ['flv', 0],
    ['hls', 0],
    ['rtmp', 0],
    ['webrtc', 0],
  ]);
  for (const stream of streams) for (const [protocol, count] of stream.viewers) counts.set(protocol, (counts.get(protocol) ?? 0) + count);
  return [...counts].map(([protocol, value]) => ({ labels: { protocol }, value }));
}

export function httpMetrics(http: HttpServer): MetricSource[] {
  return [
    single('sluice_http_connections', 'gauge', 'Open HTTP connections', () => http.stats().connections),
    single('sluice_http_connections_total', 'counter', 'HTTP connections accepted', () => http.stats().connectionsTotal),
    single('sluice_http_requests_total', 'counter', 'HTTP requests', () => http.stats().requestsTotal),
    byCode('sluice_http_refused_total', 'HTTP connections and requests refused, by code', () => http.stats().refusedByCode),
  ];
}

export function hlsMetrics(hls: HlsRoute): MetricSource[] {
  return [
    single('sluice_hls_requests_total', 'counter', 'HLS requests answered', () => hls.stats().requests),
    single('sluice_hls_sent_bytes_total', 'counter', 'Bytes of HLS answers', () => hls.stats().bytesSent),
    single('sluice_hls_refused_total', 'counter', 'HLS requests answered with an error', () => hls.stats().refused),
    single('sluice_hls_waiting_requests', 'gauge', 'HLS requests held until what they ask for is there', () => hls.stats().waiting),
    single('sluice_hls_window_bytes', 'gauge', 'Bytes of segments in memory', () => hls.stats().sizeBytes),
  ];
}

export function flvMetrics(flv: FlvRoute): MetricSource[] {
  return [
    ...broadcastMetrics('flv', () => [flv.stats()]),
    single('sluice_flv_joined_total', 'counter', 'FLV viewers that joined', () => flv.stats().joined),
    byCode('sluice_flv_refused_total', 'FLV requests refused, by code', () => flv.stats().refusedByCode),
  ];
}

export function rtmpMetrics(listeners: readonly RtmpListener[]): MetricSource[] {
  const stats = (): RtmpListenerStats[] => listeners.map((listener) => listener.stats());
  const sum = (read: (of: RtmpListenerStats) => number): number => stats().reduce((total, each) => total + read(each), 0);
  return [
    single('sluice_rtmp_connections', 'gauge', 'Open RTMP connections', () => sum((of) => of.connections)),
    single('sluice_rtmp_publishers', 'gauge', 'RTMP publishers', () => sum((of) => of.publishers)),
    single('sluice_rtmp_connections_total', 'counter', 'RTMP connections accepted', () => sum((of) => of.connectionsTotal)),
    single('sluice_rtmp_received_bytes_total', 'counter', 'Bytes received over RTMP', () => sum((of) => of.bytesReceivedTotal)),
    byCode('sluice_rtmp_closed_total', 'RTMP connections ended or refused, by code', () =>
      mergeCounts(stats().map((of) => of.closedByCode)),
    ),
    ...broadcastMetrics('rtmp', () => stats().flatMap((of) => of.broadcasts)),
  ];
}

export function webrtcMetrics(server: WebrtcServer, endpoint: WhipEndpoint): MetricSource[] {
  const kernel = (name: string, help: string, read: (of: WebrtcStats['kernel']) => number): MetricSource =>
    single(`sluice_webrtc_${name}_total`, 'counter', help, () => read(server.stats().kernel));
  const ice = (name: string, help: string, read: (of: WebrtcStats['ice']) => number): MetricSource =>
    single(`sluice_webrtc_${name}_total`, 'counter', help, () => read(server.stats().ice));
  return [
    single('sluice_webrtc_publishers', 'gauge', 'WebRTC publishers', () => server.stats().publishers),
    single('sluice_webrtc_viewers', 'gauge', 'WebRTC viewers', () => server.stats().viewers),
    single('sluice_webrtc_tcp_connections', 'gauge', 'Connections of WebRTC over TCP', () => server.stats().tcpConnections),
    single('sluice_webrtc_sessions_total', 'counter', 'WebRTC sessions made', () => endpoint.stats().created),
    byCode('sluice_webrtc_refused_total', 'WHIP and WHEP requests refused, by code', () => endpoint.stats().refusedByCode),
    byCode('sluice_webrtc_ended_total', 'WebRTC sessions that ended, by code', () => server.stats().endedByCode),
    kernel('sent_packets', 'Datagrams sent to WebRTC peers', (of) => of.sent),
    kernel('sent_bytes', 'Bytes sent to WebRTC peers', (of) => of.sentBytes),
    kernel('received_packets', 'Datagrams received on the WebRTC port', (of) => of.received),
    kernel('received_bytes', 'Bytes received on the WebRTC port', (of) => of.receivedBytes),
    kernel('malformed_packets', 'Datagrams that are no STUN, DTLS, RTP or RTCP', (of) => of.malformed),
    kernel('unknown_source_packets', 'Datagrams from addresses of no session', (of) => of.unknownSource),
    kernel('unauthenticated_packets', 'Media packets whose authentication failed', (of) => of.unauthenticated),
    kernel('replayed_packets', 'Media packets that came before', (of) => of.replayed),
    ice('checks', 'ICE checks that were right', (of) => of.checks),
    ice('unknown_ufrag', 'ICE checks for sessions that are not here', (of) => of.unknownUfrag),
    ice('unauthenticated_checks', 'ICE checks with a wrong password', (of) => of.unauthenticated),
    ice('malformed_checks', 'STUN messages that are malformed', (of) => of.malformed),
    kernel('handshakes_failed', 'DTLS handshakes that failed', (of) => of.handshakesFailed),
    kernel('socket_full', 'How often the socket took no more packets', (of) => of.blocked),
    kernel('send_errors', 'Datagrams that could not be sent', (of) => of.sendErrors),
    single(
      'sluice_webrtc_frame_latency_p50_seconds',
      'gauge',
      'From frame in to its last packet to the last WebRTC viewer who keeps up, median',
      () => server.stats().latencyP50Ms / 1000,
    ),
    single(
      'sluice_webrtc_frame_latency_p99_seconds',
      'gauge',
      'From frame in to its last packet to the last WebRTC viewer who keeps up, 99th percentile',
      () => server.stats().latencyP99Ms / 1000,
    ),
  ];
}

export function transcodingMetrics(transcoding: Transcoding): MetricSource[] {
  const sum = (read: (of: ChildReport) => number): number =>
    transcoding.report().streams.reduce((total, { child }) => total + read(child), 0);
  return [
    single('sluice_transcode_tasks', 'gauge', 'Rungs that are being made', () => transcoding.report().tasksRunning),
    single('sluice_transcode_tasks_max', 'gauge', 'Rungs that may be made at a time', () => transcoding.report().tasksMax),
    single('sluice_transcode_children_restarted', 'gauge', "Restarts of the present streams' children after failures", () =>
      sum(({ restarts }) => restarts),
    ),
  ];
}

function broadcastMetrics(protocol: 'flv' | 'rtmp', stats: () => readonly BroadcastStats[]): MetricSource[] {
  const sum = (read: (of: BroadcastStats) => number): number => stats().reduce((total, each) => total + read(each), 0);
  const name = protocol.toUpperCase();
  return [
    single(`sluice_${protocol}_sent_bytes_total`, 'counter', `Bytes sent to ${name} viewers`, () => sum((of) => of.bytesOut)),
    single(`sluice_${protocol}_skips_total`, 'counter', `How often ${name} viewers fell behind and lost frames`, () =>
      sum((of) => of.skips),
    ),
    single(`sluice_${protocol}_stalled_viewers_total`, 'counter', `${name} viewers disconnected for not reading`, () =>
      sum((of) => of.stalledViewers),
    ),
    single(`sluice_${protocol}_batch_latency_p99_seconds`, 'gauge', `From frame in to last ${name} viewer's write, 99th percentile`, () =>
      Math.max(0, ...stats().map((of) => of.latencyP99Ms / 1000)),
    ),
  ];
}

const byCode = (name: string, help: string, read: () => ReadonlyMap<string, number>): MetricSource => ({
  name,
  kind: 'counter',
  help,
  labels: ['code'],
  read: () => [...read()].map(([code, value]) => ({ labels: { code }, value })),
});

function mergeCounts(all: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const merged = new Map<string, number>();
  for (const counts of all) for (const [code, count] of counts) merged.set(code, (merged.get(code) ?? 0) + count);
  return merged;
}

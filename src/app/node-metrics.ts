import {
  type FlvRoute,
  type HlsRoute,
  type HttpServer,
  type MetricSource,
  oncePerScrape,
  type RtmpListener,
  type RtmpListenerStats,
  sumHistograms,
  type Transcoding,
  type WebrtcServer,
  type WebrtcStats,
} from '../io/mod.ts';
import type { WhipEndpoint } from '../protocols/whip/mod.ts';

/** A counter or gauge without labels. */
const single = (name: string, kind: 'counter' | 'gauge', help: string, read: () => number): MetricSource => ({
  name,
  kind,
  help,
  read: () => [{ value: read() }],
});

export function httpMetrics(http: HttpServer): MetricSource[] {
  return [
    single('sluice_http_connections', 'gauge', 'Open HTTP connections', () => http.stats().connections),
    single('sluice_http_connections_total', 'counter', 'HTTP connections accepted', () => http.stats().connectionsTotal),
    single('sluice_http_requests_total', 'counter', 'HTTP requests', () => http.stats().requestsTotal),
    byCode('sluice_http_refused_total', 'HTTP connections and requests refused, by code', () => http.stats().refusedByCode),
  ];
}

export function hlsMetrics(hls: HlsRoute): MetricSource[] {
  const stats = oncePerScrape(() => hls.stats());
  return [
    single('sluice_hls_requests_total', 'counter', 'HLS requests answered', () => stats().requests),
    single('sluice_hls_sent_bytes_total', 'counter', 'Bytes of HLS answers', () => stats().bytesSent),
    single('sluice_hls_refused_total', 'counter', 'HLS requests answered with an error', () => stats().refused),
    single('sluice_hls_streams', 'gauge', 'Streams and renditions that are packaged for HLS', () => stats().streams),
    single('sluice_hls_waiting_requests', 'gauge', 'HLS requests held until what they ask for is there', () => stats().waiting),
    single('sluice_hls_window_bytes', 'gauge', 'Bytes of segments in memory', () => stats().sizeBytes),
  ];
}

export function flvMetrics(flv: FlvRoute): MetricSource[] {
  const stats = oncePerScrape(() => flv.stats());
  return [
    ...broadcastMetrics('flv', stats),
    single('sluice_flv_joined_total', 'counter', 'FLV viewers that joined', () => stats().joined),
    byCode('sluice_flv_refused_total', 'FLV requests refused, by code', () => stats().refusedByCode),
  ];
}

/** All listeners share the viewers. */
export function rtmpMetrics(listeners: readonly RtmpListener[]): MetricSource[] {
  const stats = oncePerScrape((): RtmpListenerStats[] => listeners.map((listener) => listener.stats()));
  const sum = (read: (of: RtmpListenerStats) => number): number => stats().reduce((total, each) => total + read(each), 0);
  return [
    single('sluice_rtmp_connections', 'gauge', 'Open RTMP connections', () => sum((of) => of.connections)),
    single('sluice_rtmp_publishers', 'gauge', 'RTMP publishers', () => sum((of) => of.publishers)),
    single('sluice_rtmp_connections_total', 'counter', 'RTMP connections accepted', () => sum((of) => of.connectionsTotal)),
    single('sluice_rtmp_received_bytes_total', 'counter', 'Bytes received over RTMP', () => sum((of) => of.bytesReceivedTotal)),
    byCode('sluice_rtmp_closed_total', 'RTMP connections ended or refused, by code', () =>
      mergeCounts(stats().map((of) => of.closedByCode)),
    ),
    ...broadcastMetrics('rtmp', () => mergeViewers(stats().flatMap((of) => of.broadcasts))),
  ];
}

export function webrtcMetrics(server: WebrtcServer, endpoint: WhipEndpoint): MetricSource[] {
  const stats = oncePerScrape(() => server.stats());
  const counter = (name: string, help: string, read: (of: WebrtcStats) => number): MetricSource =>
    single(`sluice_webrtc_${name}_total`, 'counter', help, () => read(stats()));
  const kernel = (name: string, help: string, read: (of: WebrtcStats['kernel']) => number): MetricSource =>
    counter(name, help, (of) => read(of.kernel));
  const ice = (name: string, help: string, read: (of: WebrtcStats['ice']) => number): MetricSource =>
    counter(name, help, (of) => read(of.ice));
  const media = (name: string, help: string, read: (of: WebrtcStats['media']) => number): MetricSource =>
    counter(name, help, (of) => read(of.media));
  return [
    single('sluice_webrtc_publishers', 'gauge', 'WebRTC publishers', () => stats().publishers),
    single('sluice_webrtc_viewers', 'gauge', 'WebRTC viewers', () => stats().viewers),
    single('sluice_webrtc_tcp_connections', 'gauge', 'Connections of WebRTC over TCP', () => stats().tcpConnections),
    single('sluice_webrtc_sessions_total', 'counter', 'WebRTC sessions made', () => endpoint.stats().created),
    single('sluice_webrtc_ice_restarts_total', 'counter', 'ICE restarts of WebRTC sessions', () => endpoint.stats().restarts),
    byCode('sluice_webrtc_refused_total', 'WHIP and WHEP requests refused, by code', () => endpoint.stats().refusedByCode),
    byCode('sluice_webrtc_ended_total', 'WebRTC sessions that ended, by code', () => stats().endedByCode),
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
    media('viewer_lost_packets', 'Packets that viewers have lost and asked for again', (of) => of.viewerLost),
    media('retransmitted_packets', 'Packets sent to viewers again', (of) => of.retransmitted),
    media('viewer_keyframe_requests', 'Keyframes that viewers have asked for', (of) => of.viewerKeyframeWishes),
    media('publisher_packets', 'Media packets of publishers', (of) => of.publisherPackets),
    media('publisher_nacked_packets', 'Packets that publishers were asked for again, repetitions counted', (of) => of.publisherNacked),
    media('publisher_repaired_packets', 'Packets that publishers have sent again and that were of use', (of) => of.publisherRepaired),
    media('publisher_lost_packets', 'Packets of publishers that were given up', (of) => of.publisherLost),
    media('publisher_keyframe_requests', 'Keyframes that publishers were asked for', (of) => of.publisherKeyframeWishes),
    {
      name: 'sluice_webrtc_frame_latency_seconds',
      kind: 'histogram',
      help: 'From frame in to its last packet to the last WebRTC viewer who keeps up',
      read: () => [{ value: stats().latency }],
    },
    single(
      'sluice_webrtc_frame_latency_p50_seconds',
      'gauge',
      'From frame in to its last packet to the last WebRTC viewer who keeps up, median of the last 512 frames',
      () => stats().latencyP50Ms / 1000,
    ),
    single(
      'sluice_webrtc_frame_latency_p99_seconds',
      'gauge',
      'From frame in to its last packet to the last WebRTC viewer who keeps up, 99th percentile of the last 512 frames',
      () => stats().latencyP99Ms / 1000,
    ),
  ];
}

export function transcodingMetrics(transcoding: Transcoding): MetricSource[] {
  const children = oncePerScrape(() => transcoding.childSums());
  const ofChildren = (name: string, help: string, read: (of: ReturnType<typeof children>) => number): MetricSource =>
    single(`sluice_transcode_children_${name}`, 'gauge', help, () => read(children()));
  return [
    single('sluice_transcode_tasks', 'gauge', 'Rungs that are being made', () => transcoding.tasksRunning),
    single('sluice_transcode_tasks_max', 'gauge', 'Rungs that may be made at a time', () => transcoding.tasksMax),
    single(
      'sluice_transcode_queue',
      'gauge',
      'Rungs that are wanted and wait for others to end, the limit being reached',
      () => transcoding.tasksWaiting,
    ),
    single('sluice_transcode_streams', 'gauge', 'Streams that rungs are made or offered of', () => transcoding.streamCount),
    ofChildren('restarted', "Restarts of the present streams' children after failures", ({ restarts }) => restarts),
    ofChildren('frames_dropped', 'Frames that the present children did not take, being too slow', ({ framesDropped }) => framesDropped),
    ofChildren('frames_corrupt', 'Frames that the present children could not decode', ({ framesCorrupt }) => framesCorrupt),
    ofChildren('cpu_seconds', 'Processor time of the present children', ({ cpuS }) => cpuS),
    single(
      'sluice_transcode_backlog_seconds',
      'gauge',
      'How much of a stream waits in its child, of the slowest one',
      () => children().queuedMsMax / 1000,
    ),
  ];
}

type Viewers = RtmpListenerStats['broadcasts'][number];

function broadcastMetrics(protocol: 'flv' | 'rtmp', stats: () => Viewers): MetricSource[] {
  const name = protocol.toUpperCase();
  return [
    single(`sluice_${protocol}_sent_bytes_total`, 'counter', `Bytes sent to ${name} viewers`, () => stats().bytesOut),
    single(`sluice_${protocol}_skips_total`, 'counter', `How often ${name} viewers fell behind and lost frames`, () => stats().skips),
    single(
      `sluice_${protocol}_stalled_viewers_total`,
      'counter',
      `${name} viewers disconnected for not reading`,
      () => stats().stalledViewers,
    ),
    {
      name: `sluice_${protocol}_batch_latency_seconds`,
      kind: 'histogram',
      help: `From frame in to last ${name} viewer's write`,
      read: () => [{ value: stats().latency }],
    },
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

const mergeViewers = (all: readonly Viewers[]): Viewers =>
  all.reduce((left, right) => ({
    viewers: left.viewers + right.viewers,
    bytesOut: left.bytesOut + right.bytesOut,
    skips: left.skips + right.skips,
    stalledViewers: left.stalledViewers + right.stalledViewers,
    latency: sumHistograms([left.latency, right.latency]),
  }));

import type { Hub } from '../hub/mod.ts';
import {
  type FlvRoute,
  type HlsRoute,
  type HttpServer,
  Metrics,
  type PullSources,
  type Recordings,
  type RtmpListener,
  type StreamDoor,
  type Targets,
  type Thumbnails,
  type Transcoding,
} from '../io/mod.ts';
import type { Access } from './access.ts';
import type { ClusterMember } from './cluster-member.ts';
import { clusterMetrics } from './cluster-metrics.ts';
import { flvMetrics, hlsMetrics, httpMetrics, rtmpMetrics, transcodingMetrics, webrtcMetrics } from './node-metrics.ts';
import { type ProcessNeeds, processMetrics } from './process-metrics.ts';
import { recordingMetrics } from './recordings.ts';
import { sourceMetrics } from './sources.ts';
import { storeMetrics } from './store-metrics.ts';
import { type RetiredStreams, streamMetrics } from './stream-metrics.ts';
import { targetMetrics } from './targets.ts';
import { thumbnailMetrics } from './thumbnail-metrics.ts';
import type { Webrtc } from './webrtc-output.ts';

/** The parts of a node that have something to tell. Undefined: the node has no such part. */
export interface MeasuredParts extends Omit<ProcessNeeds, 'clusterCertificateExpiresMs'> {
  readonly hub: Hub;
  readonly retired: RetiredStreams;
  readonly access: Access;
  readonly http: HttpServer;
  readonly hls: HlsRoute;
  readonly flv: FlvRoute;
  readonly rtmp: readonly RtmpListener[];
  readonly webrtc: Webrtc | undefined;
  readonly transcoding: Transcoding | undefined;
  readonly targets: Targets;
  readonly sources: PullSources;
  readonly door: StreamDoor;
  readonly thumbnails: Thumbnails;
  readonly recordings: Recordings;
  readonly cluster: ClusterMember | undefined;
}

/** Everything that a node tells at `/metrics`. */
export function createMetrics(parts: MeasuredParts): Metrics {
  const { access, cluster, config, hub, retired, transcoding, webrtc } = parts;
  const { ownStore } = access;
  const streams = streamMetrics(hub, retired, config.metrics.streamsMax);
  const sources = [
    ...processMetrics({ ...parts, clusterCertificateExpiresMs: () => cluster?.health().certificateExpiresWallMs }),
    ...streams.sources,
    ...(ownStore === undefined ? [] : storeMetrics(() => ownStore.health())),
    ...httpMetrics(parts.http),
    ...hlsMetrics(parts.hls),
    ...flvMetrics(parts.flv),
    ...rtmpMetrics(parts.rtmp),
    ...(webrtc === undefined ? [] : webrtcMetrics(webrtc.server, webrtc.endpoint)),
    ...(transcoding === undefined ? [] : transcodingMetrics(transcoding)),
    ...targetMetrics(parts.targets),
    ...access.usage.metrics,
    ...access.webhooks.metrics,
    ...sourceMetrics(parts.sources, parts.door),
    ...thumbnailMetrics(parts.thumbnails),
    ...recordingMetrics(parts.recordings),
    ...(cluster === undefined ? [] : clusterMetrics(cluster)),
  ];
  return new Metrics(sources, [streams.survey]);
}

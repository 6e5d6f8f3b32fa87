import { durationMs, sizeBytes } from '../core/mod.ts';
import { Hub, type HubListener, type HubOptions } from '../hub/mod.ts';
import type { ClusterMember } from './cluster-member.ts';
import type { Config } from './config/mod.ts';

/** The streams of a node; in a cluster, with what is known of them elsewhere. */
export function createHub(events: HubListener, { hub, hls }: Config, cluster: ClusterMember | undefined): Hub {
  const options: HubOptions = {
    holdMs: durationMs(hub.holdMs),
    segmentTargetMs: durationMs(hls.segmentMs),
    partTargetMs: durationMs(hls.partMs),
    streamsMax: hub.streamsMax,
    gopCacheBytesMax: sizeBytes(hub.gopCacheBytesMax),
    tracksMax: hub.tracksMax,
    ...(cluster === undefined
      ? {}
      : { startedBefore: (path: string) => cluster.startedBefore(path), isGivenUp: (path: string) => cluster.isGivenUp(path) }),
  };
  return new Hub(events, options);
}

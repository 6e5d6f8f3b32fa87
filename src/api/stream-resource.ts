import type { StreamRef, WallMs } from '../core/mod.ts';
import type { Track } from '../media/mod.ts';
import type { LocalStreamResource, TrackResource } from './contract.ts';
import { type LeftOutSource, leftOutResource, type RungSource, rungResource } from './transcoding.ts';

/** What the API needs to see of a rendition. */
export interface RenditionSource {
  readonly name: string;
  readonly kind: 'video' | 'audio';
  readonly expected: { readonly codec: string } | undefined;
}

/** What the API needs to see of a live stream; the hub's `LiveStream` is one. */
export interface StreamSource {
  readonly ref: StreamRef;
  readonly publisher: { readonly protocol: string; readonly address: string; readonly agent: string };
  readonly tracks: readonly Track[];
  readonly state: 'live' | 'held';
  readonly startedWallMs: WallMs;
  readonly hasReorderedFrames: boolean;
  /** Those beside the source, by name. */
  readonly renditions: ReadonlyMap<string, RenditionSource>;
  readonly viewers: ReadonlyMap<string, number>;
  stats(): {
    readonly framesIn: number;
    readonly bytesIn: number;
    readonly bitrateBps: number;
    readonly frameRate: number;
    readonly keyframeIntervalMs: number;
    readonly timestampJumps: number;
    readonly driftMs: number;
  };
  readonly latency?: { readonly p50Ms: number; readonly p95Ms: number } | undefined;
}

/** What is shown of a stream beside what the stream itself tells. */
export interface StreamResourceOptions {
  /** The time now, for uptimes. */
  readonly wall: () => WallMs;
  /** What WebRTC viewers get of a stream; null when this server has no WebRTC. It goes by tracks, their order of frames and renditions, and by nothing else. */
  readonly webrtcOf: (stream: StreamSource) => LocalStreamResource['webrtc'];
  /** How the rungs of a stream stand. */
  readonly rungsOf: (path: string) => readonly RungSource[];
  /** The rungs of its ladder that a stream does not get. */
  readonly leftOutOf: (path: string) => readonly LeftOutSource[];
}

/** What of a stream stays as it is while its publisher and its tracks do. */
export type SettledPart = Pick<LocalStreamResource, 'path' | 'app' | 'name' | 'startedAt' | 'tracks' | 'publisher' | 'playback' | 'webrtc'>;
/** What of a stream is another with each frame, viewer or second. */
export type CurrentPart = Omit<LocalStreamResource, keyof SettledPart>;

/** A stream as the API shows it. */
export const streamResource = (stream: StreamSource, options: StreamResourceOptions, isPrivileged: boolean): LocalStreamResource => ({
  ...settledPart(stream, options, isPrivileged),
  ...currentPart(stream, options, options.wall()),
});

export function settledPart(
  stream: StreamSource,
  { webrtcOf }: Pick<StreamResourceOptions, 'webrtcOf'>,
  isPrivileged: boolean,
): SettledPart {
  const { ref, publisher } = stream;
  const webrtc = webrtcOf(stream);
  return {
    path: ref.path,
    app: ref.app,
    name: ref.name,
    startedAt: new Date(stream.startedWallMs).toISOString(),
    tracks: stream.tracks.map(trackResource),
    publisher: { protocol: publisher.protocol, ...(isPrivileged ? { address: publisher.address, agent: publisher.agent } : {}) },
    playback: {
      watch: `/watch/${ref.path}`,
      hls: `/${ref.path}/index.m3u8`,
      flv: `/${ref.path}.flv`,
      ...(webrtc === null ? {} : { whep: `/${ref.path}/whep` }),
    },
    webrtc,
  };
}

export function currentPart(
  stream: StreamSource,
  { rungsOf, leftOutOf }: Pick<StreamResourceOptions, 'rungsOf' | 'leftOutOf'>,
  now: WallMs,
): CurrentPart {
  const stats = stream.stats();
  const { latency } = stream;
  let total = 0;
  for (const count of stream.viewers.values()) total += count;
  return {
    state: stream.state,
    uptimeSeconds: Math.max(0, Math.floor((now - stream.startedWallMs) / 1000)),
    renditions: ['source', ...stream.renditions.keys()],
    rungs: [...rungsOf(stream.ref.path).map(rungResource), ...leftOutOf(stream.ref.path).map(leftOutResource)],
    viewers: { total, byProtocol: Object.fromEntries(stream.viewers) },
    bitrateBps: Math.round(stats.bitrateBps),
    frameRate: Math.round(stats.frameRate * 100) / 100,
    keyframeIntervalMs: Math.round(stats.keyframeIntervalMs),
    bytesIn: stats.bytesIn,
    framesIn: stats.framesIn,
    timestampJumps: stats.timestampJumps,
    driftMs: stats.driftMs,
    ...(latency === undefined ? {} : { latency: { ...latency } }),
  };
}

function trackResource(track: Track): TrackResource {
  const { kind, codec, codecString } = track;
  if (track.kind === 'audio') return { kind, codec, codecString, sampleRate: track.sampleRate, channels: track.channels };
  const { width, height, frameRate } = track;
  return { kind, codec, codecString, width, height, ...(frameRate === undefined ? {} : { frameRate }) };
}

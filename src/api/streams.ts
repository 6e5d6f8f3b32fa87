import type { StreamRef, WallMs } from '../core/mod.ts';
import type { Track } from '../media/mod.ts';
import type { StreamPage, StreamResource, TrackResource } from './contract.ts';
import type { Operation, OperationContext } from './operation.ts';
import { pageOf } from './page.ts';
import { ApiError } from './problem.ts';
import { pageQuerySchema, streamPageSchema, streamParamsSchema, streamSchema } from './schemas.ts';
import { type RungSource, rungResource } from './transcoding.ts';

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
  };
}

/** What the API needs of the hub. */
export interface StreamDirectory {
  streams(): Iterable<StreamSource>;
  stream(path: string): StreamSource | undefined;
  /** Evicts the publisher and ends the stream; false when there is none. */
  remove(path: string): boolean;
}

/** What the operations on streams need beside the streams. */
export interface StreamOperationsOptions {
  /** The time now, for uptimes. */
  readonly wall: () => WallMs;
  /** What WebRTC viewers get of a stream; null when this server has no WebRTC. */
  readonly webrtcOf: (stream: StreamSource) => StreamResource['webrtc'];
  /** How the rungs of a stream stand. */
  readonly rungsOf: (path: string) => readonly RungSource[];
}

/** The operations on streams. */
export function streamOperations(directory: StreamDirectory, options: StreamOperationsOptions): readonly Operation[] {
  return [
    {
      id: 'listStreams',
      method: 'GET',
      path: '/streams',
      summary: 'List the streams',
      description: 'All streams that are live or held, ordered by path, in pages.',
      scope: 'public',
      query: pageQuerySchema,
      success: { status: 200, schema: streamPageSchema },
      handle: (context) => listStreams(directory, options, context),
    },
    {
      id: 'getStream',
      method: 'GET',
      path: '/streams/:app/:name',
      summary: 'Look at one stream',
      description: 'Tracks, publisher, viewers by protocol, bitrate, uptime.',
      scope: 'public',
      params: streamParamsSchema,
      success: { status: 200, schema: streamSchema },
      handle: ({ params, isPrivileged }) => {
        const path = pathOf(params);
        const stream = directory.stream(path);
        if (stream === undefined) throw notFound(path);
        return streamResource(stream, options, isPrivileged);
      },
    },
    {
      id: 'deleteStream',
      method: 'DELETE',
      path: '/streams/:app/:name',
      summary: 'End a stream',
      description: 'Closes the publisher and ends the stream for its viewers. The publisher may come back: to keep it out, change the key.',
      scope: 'admin',
      params: streamParamsSchema,
      success: { status: 204 },
      handle: ({ params }) => {
        const path = pathOf(params);
        if (!directory.remove(path)) throw notFound(path);
      },
    },
  ];
}

const pathOf = (params: OperationContext['params']): string => `${params['app']}/${params['name']}`;
const notFound = (path: string): ApiError => new ApiError('api.stream-not-found', `${JSON.stringify(path)} is not live now`);

function listStreams(directory: StreamDirectory, options: StreamOperationsOptions, { query, isPrivileged }: OperationContext): StreamPage {
  const { items, ...rest } = pageOf(directory.streams(), ({ ref }) => ref.path, query);
  return { items: items.map((stream) => streamResource(stream, options, isPrivileged)), ...rest };
}

/** A stream as the API shows it. */
export function streamResource(
  stream: StreamSource,
  { wall, webrtcOf, rungsOf }: StreamOperationsOptions,
  isPrivileged: boolean,
): StreamResource {
  const { ref, publisher } = stream;
  const stats = stream.stats();
  const byProtocol = Object.fromEntries(stream.viewers);
  const webrtc = webrtcOf(stream);
  return {
    path: ref.path,
    app: ref.app,
    name: ref.name,
    state: stream.state,
    startedAt: new Date(stream.startedWallMs).toISOString(),
    uptimeSeconds: Math.max(0, Math.floor((wall() - stream.startedWallMs) / 1000)),
    tracks: stream.tracks.map(trackResource),
    renditions: ['source', ...stream.renditions.keys()],
    rungs: rungsOf(ref.path).map(rungResource),
    publisher: { protocol: publisher.protocol, ...(isPrivileged ? { address: publisher.address, agent: publisher.agent } : {}) },
    viewers: { total: Object.values(byProtocol).reduce((sum, count) => sum + count, 0), byProtocol },
    bitrateBps: Math.round(stats.bitrateBps),
    frameRate: Math.round(stats.frameRate * 100) / 100,
    keyframeIntervalMs: Math.round(stats.keyframeIntervalMs),
    bytesIn: stats.bytesIn,
    framesIn: stats.framesIn,
    timestampJumps: stats.timestampJumps,
    playback: {
      watch: `/watch/${ref.path}`,
      hls: `/${ref.path}/index.m3u8`,
      flv: `/${ref.path}.flv`,
      ...(webrtc === null ? {} : { whep: `/${ref.path}/whep` }),
    },
    webrtc,
  };
}

function trackResource(track: Track): TrackResource {
  const { kind, codec, codecString } = track;
  if (track.kind === 'audio') return { kind, codec, codecString, sampleRate: track.sampleRate, channels: track.channels };
  const { width, height, frameRate } = track;
  return { kind, codec, codecString, width, height, ...(frameRate === undefined ? {} : { frameRate }) };
}

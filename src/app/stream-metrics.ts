import type { Hub, LiveStream, StreamStats } from '../hub/mod.ts';
import { type MetricSource, oncePerScrape } from '../io/mod.ts';

interface Seen {
  readonly stream: LiveStream;
  readonly stats: StreamStats;
  readonly labels: { readonly app: string; readonly stream: string };
}

/** Streams by name: the `streamsMax` that began first, so that those that are told stay the same. None when it is 0. */
export function streamMetrics(hub: Hub, streamsMax: number): readonly MetricSource[] {
  const seen = oncePerScrape((): readonly Seen[] => chosen(hub, streamsMax));
  const each = (
    name: string,
    kind: 'counter' | 'gauge',
    help: string,
    read: (of: StreamStats, stream: LiveStream) => number,
  ): MetricSource => ({
    name: `sluice_stream_${name}`,
    kind,
    help,
    labels: ['app', 'stream'],
    read: () => seen().map(({ stats, stream, labels }) => ({ labels, value: read(stats, stream) })),
  });
  return [
    {
      name: 'sluice_streams_untold',
      kind: 'gauge',
      help: 'Streams that are not told by name, there being more than metrics.streamsMax',
      read: () => [{ value: [...hub.streams()].length - seen().length }],
    },
    each('live', 'gauge', 'Whether somebody publishes the stream; 0: it is held', (_stats, { state }) => Number(state === 'live')),
    each('received_bytes_total', 'counter', 'Bytes of media received of the stream', ({ bytesIn }) => bytesIn),
    each('received_frames_total', 'counter', 'Frames received of the stream', ({ framesIn }) => framesIn),
    each('timestamp_jumps_total', 'counter', "How often the publisher's timestamps have jumped", ({ timestampJumps }) => timestampJumps),
    each(
      'dropped_frames_total',
      'counter',
      'Frames that came before the first keyframe',
      ({ droppedBeforeKeyframe }) => droppedBeforeKeyframe,
    ),
    each('keyframe_interval_seconds', 'gauge', 'Between the last two keyframes', ({ keyframeIntervalMs }) => keyframeIntervalMs / 1000),
    each('renditions', 'gauge', 'Renditions beside the stream itself', (_stats, { renditions }) => renditions.size),
    {
      name: 'sluice_stream_viewers',
      kind: 'gauge',
      help: 'Viewers of the stream on this node by protocol',
      labels: ['app', 'stream', 'protocol'],
      read: () =>
        seen().flatMap(({ stream, labels }) =>
          [...stream.viewers].map(([protocol, value]) => ({ labels: { ...labels, protocol }, value })),
        ),
    },
  ];
}

function chosen(hub: Hub, streamsMax: number): readonly Seen[] {
  if (streamsMax === 0) return [];
  const streams = [...hub.streams()];
  const told = streams.length <= streamsMax ? streams : streams.sort((a, b) => a.startedWallMs - b.startedWallMs).slice(0, streamsMax);
  return told.map((stream) => ({ stream, stats: stream.stats(), labels: { app: stream.ref.app, stream: stream.ref.name } }));
}

import type { Hub } from '../hub/mod.ts';
import { type MetricSource, oncePerScrape, type Sample, type Survey } from '../io/mod.ts';
import { type NamedStream, StreamSurvey } from './stream-survey.ts';

/** The totals of streams that are over, so that totals never go back. */
export interface RetiredStreams {
  readonly bytesIn: number;
  readonly framesIn: number;
}

/** What the streams of a node are, all together and `streamsMax` of them by name. */
export function streamMetrics(
  hub: Hub,
  retired: RetiredStreams,
  streamsMax: number,
): { readonly sources: readonly MetricSource[]; readonly survey: Survey } {
  const seen = oncePerScrape(() => new StreamSurvey(hub, streamsMax));
  return { survey: () => seen().walk(), sources: [...totals(seen, retired), ...byName(seen)] };
}

function totals(seen: () => StreamSurvey, retired: RetiredStreams): MetricSource[] {
  const single = (name: string, kind: 'counter' | 'gauge', help: string, read: (survey: StreamSurvey) => number): MetricSource => ({
    name: `sluice_${name}`,
    kind,
    help,
    read: () => [{ value: read(seen()) }],
  });
  const by = (label: string, counts: Iterable<[string, number]>): Sample[] =>
    Array.from(counts, ([name, value]) => ({ labels: { [label]: name }, value }));
  return [
    {
      name: 'sluice_streams',
      kind: 'gauge',
      help: 'Streams by state',
      labels: ['state'],
      read: () => by('state', Object.entries(seen().states)),
    },
    {
      name: 'sluice_publishers',
      kind: 'gauge',
      help: 'Streams that somebody publishes, by how they come in; relay: from another node',
      labels: ['protocol'],
      read: () => by('protocol', Object.entries(seen().publishers)),
    },
    {
      name: 'sluice_viewers',
      kind: 'gauge',
      help: 'Viewers by protocol',
      labels: ['protocol'],
      read: () => by('protocol', seen().viewers),
    },
    single(
      'received_bytes_total',
      'counter',
      'Bytes of media received from publishers and other nodes',
      ({ bytesIn }) => retired.bytesIn + bytesIn,
    ),
    single(
      'received_frames_total',
      'counter',
      'Frames received from publishers and other nodes',
      ({ framesIn }) => retired.framesIn + framesIn,
    ),
    single('gop_cache_bytes', 'gauge', 'Bytes kept for new viewers to start from', ({ gopBytes }) => gopBytes),
    single('renditions', 'gauge', 'Renditions of streams beside the streams themselves', ({ renditions }) => renditions),
    single(
      'streams_untold',
      'gauge',
      'Streams that are not told by name, there being more than metrics.streamsMax',
      ({ untold }) => untold,
    ),
  ];
}

function byName(seen: () => StreamSurvey): MetricSource[] {
  const each = (name: string, kind: 'counter' | 'gauge', help: string, read: (of: NamedStream) => number): MetricSource => ({
    name: `sluice_stream_${name}`,
    kind,
    help,
    labels: ['app', 'stream'],
    read: () => seen().named.map((stream) => ({ labels: stream.labels, value: read(stream) })),
  });
  return [
    each('live', 'gauge', 'Whether somebody publishes the stream; 0: it is held', ({ state }) => Number(state === 'live')),
    each('received_bytes_total', 'counter', 'Bytes of media received of the stream', ({ counts }) => counts.bytesIn),
    each('received_frames_total', 'counter', 'Frames received of the stream', ({ counts }) => counts.framesIn),
    each('timestamp_jumps_total', 'counter', "How often the publisher's timestamps have jumped", ({ counts }) => counts.timestampJumps),
    each('dropped_frames_total', 'counter', 'Frames that came before the first keyframe', ({ counts }) => counts.droppedBeforeKeyframe),
    each('keyframe_interval_seconds', 'gauge', 'Between the last two keyframes', ({ counts }) => counts.keyframeIntervalMs / 1000),
    each('renditions', 'gauge', 'Renditions beside the stream itself', ({ renditions }) => renditions),
    {
      name: 'sluice_stream_viewers',
      kind: 'gauge',
      help: 'Viewers of the stream on this node by protocol',
      labels: ['app', 'stream', 'protocol'],
      read: () => seen().namedViewers,
    },
  ];
}

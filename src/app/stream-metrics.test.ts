import { expect, it } from 'vitest';
import { streamRef, wallMs } from '../core/mod.ts';
import type { Hub, LiveStream } from '../hub/mod.ts';
import { Metrics } from '../io/mod.ts';
import { streamMetrics } from './stream-metrics.ts';

const COUNTS = { framesIn: 20, bytesIn: 3_000, keyframeIntervalMs: 2_500, timestampJumps: 1, gopBytes: 400, droppedBeforeKeyframe: 5 };

const stream = (name: string, startedMs: number, of: Partial<LiveStream> = {}): LiveStream =>
  ({
    ref: streamRef('live', name),
    publisher: { protocol: 'rtmp', address: '', agent: '' },
    state: 'live',
    startedWallMs: wallMs(startedMs),
    viewers: new Map([['flv', 2]]),
    renditionCount: 3,
    counts: () => COUNTS,
    ...of,
  }) as unknown as LiveStream;

async function linesOf(streams: readonly LiveStream[], streamsMax: number): Promise<readonly string[]> {
  const hub = { streams: () => streams } as unknown as Hub;
  const { sources, survey } = streamMetrics(hub, { bytesIn: 100, framesIn: 7 }, streamsMax);
  const text = String(await new Metrics(sources, [survey]).text());
  return text.split('\n').filter((line) => line.startsWith('sluice_'));
}

it('tells all of a stream by name, each figure with its labels', async () => {
  const lines = await linesOf([stream('a', 1)], 10);
  const of = 'app="live",stream="a"';
  expect(lines.filter((line) => line.startsWith('sluice_stream_'))).toEqual([
    `sluice_stream_live{${of}} 1`,
    `sluice_stream_received_bytes_total{${of}} 3000`,
    `sluice_stream_received_frames_total{${of}} 20`,
    `sluice_stream_timestamp_jumps_total{${of}} 1`,
    `sluice_stream_dropped_frames_total{${of}} 5`,
    `sluice_stream_keyframe_interval_seconds{${of}} 2.5`,
    `sluice_stream_renditions{${of}} 3`,
    `sluice_stream_viewers{${of},protocol="flv"} 2`,
  ]);
});

it('sums over all streams and those that are over, and names those alone that began first', async () => {
  const held = stream('c', 3, { state: 'held', viewers: new Map([['hls', 4]]) });
  const streams = [held, stream('b', 2, { publisher: { protocol: 'relay', address: '', agent: '' } }), stream('a', 1)];
  const lines = await linesOf(streams, 2);
  expect(lines).toEqual(
    expect.arrayContaining([
      'sluice_streams{state="live"} 2',
      'sluice_streams{state="held"} 1',
      'sluice_publishers{protocol="rtmp"} 1',
      'sluice_publishers{protocol="relay"} 1',
      'sluice_viewers{protocol="flv"} 4',
      'sluice_viewers{protocol="hls"} 4',
      'sluice_viewers{protocol="webrtc"} 0',
      'sluice_received_bytes_total 9100',
      'sluice_received_frames_total 67',
      'sluice_gop_cache_bytes 1200',
      'sluice_renditions 9',
      'sluice_streams_untold 1',
    ]),
  );
  expect(lines.filter((line) => line.startsWith('sluice_stream_live'))).toEqual([
    'sluice_stream_live{app="live",stream="a"} 1',
    'sluice_stream_live{app="live",stream="b"} 1',
  ]);
  expect(lines.filter((line) => line.startsWith('sluice_stream_viewers'))).toHaveLength(2);
});

it('tells no stream by name unless it is to, and counts all the same', async () => {
  const lines = await linesOf([stream('a', 1), stream('b', 2)], 0);
  expect(lines.filter((line) => line.startsWith('sluice_stream_'))).toEqual([]);
  expect(lines).toContain('sluice_streams_untold 2');
  expect(lines).toContain('sluice_viewers{protocol="flv"} 4');
});

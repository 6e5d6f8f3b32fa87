import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { sizeBytes, streamRef, ticksToMs } from '../src/core/mod.ts';
import { makeHub } from '../src/hub/hub.fixture.ts';
import type { FrameSource, Hub, Publication } from '../src/hub/mod.ts';
import { systemClock, Transcoding } from '../src/io/mod.ts';
import { later, makeSource } from '../src/io/transcode/test-media.fixture.ts';
import type { Frame } from '../src/media/mod.ts';
import type { Ladder } from '../src/transcode/mod.ts';
import type { BenchCase } from './bench-case.ts';
import { percentile } from './transcode-bench.ts';

const SOURCE_S = 6;
const SETTLE_S = 4;
const MEASURE_S = 30;
const RUNG = '720p';
const LADDER: Ladder = {
  rungs: [{ name: RUNG, kind: 'video', height: 720, codec: 'h264', bitrateBps: 2_500_000, preset: 'veryfast', encoder: 'libx264' }],
  always: true,
  lingerMs: 0,
};

/** How long a picture takes from the hub through the child and back into the hub: 1080p30 to 720p30, without B-frames, at real time. */
export const transcodeLatency: BenchCase = {
  name: 'transcode-latency',
  run: async () => {
    const latencies = await measure();
    const [p50, p95, max] = [percentile(latencies, 0.5), percentile(latencies, 0.95), Math.max(...latencies)].map(tenths);
    const note = `${latencies.length} pictures of 1080p30 to 720p30, veryfast, max ${max} ms`;
    return [
      { name: 'transcode: source frame to rendition frame in the hub', value: p50 ?? -1, unit: 'ms p50', bar: { atMost: 60 }, note },
      { name: 'transcode: the same, 95th percentile', value: p95 ?? -1, unit: 'ms p95', bar: { atMost: 120 }, note },
    ];
  },
};

const tenths = (value: number): number => Math.round(value * 10) / 10;

async function measure(): Promise<number[]> {
  const source = await makeSource({
    video: { codec: 'h264', width: 1920, height: 1080, frameRate: 30, keyframeEvery: 60, preset: 'veryfast' },
    seconds: SOURCE_S,
  });
  const hub = makeHub({ streamsMax: 1, gopCacheBytesMax: sizeBytes(8_000_000) });
  const transcoding = new Transcoding({
    hub,
    ladderOf: () => LADDER,
    tasksMax: 1,
    clock: systemClock,
    log: pino({ level: 'silent' }),
  });
  try {
    transcoding.start();
    const publication = publish(hub);
    const latencies = latenciesOf(publication);
    await play(publication, source.frames);
    return latencies();
  } finally {
    await transcoding.close();
  }
}

function publish(hub: Hub): Publication {
  const publisher = { protocol: 'rtmp', address: '127.0.0.1', agent: 'bench' } as const;
  const ref = streamRef('live', 'bench');
  const publication = hub.publish(ref, publisher, { evicted: () => undefined }, 'reject', systemClock.monotonic(), systemClock.wall());
  if (typeof publication === 'string') throw new Error(`the hub refused the stream: ${publication}`);
  return publication;
}

/** Notes when each picture comes into the hub and when its rendition does; returns what was measured after the settling. */
function latenciesOf({ stream }: Publication): () => number[] {
  const cameMs = new Map<number, number>();
  const latencies: number[] = [];
  const startMs = performance.now();
  const follow = (source: FrameSource, take: (ms: number) => void): void => {
    source.attach({
      tracks: () => undefined,
      frame: ({ track, pts }) => {
        if (track.kind === 'video') take(Math.round(ticksToMs(pts, track.timescale)));
      },
      paused: () => undefined,
      ended: () => undefined,
    });
  };
  follow(stream, (ptsMs) => cameMs.set(ptsMs, performance.now()));
  const look = setInterval(() => {
    const rendition = stream.renditions.get(RUNG);
    if (rendition === undefined) return;
    clearInterval(look);
    follow(rendition, (ptsMs) => {
      const came = cameMs.get(ptsMs);
      if (came !== undefined && performance.now() - startMs > SETTLE_S * 1000) latencies.push(performance.now() - came);
    });
  }, 50);
  return () => {
    clearInterval(look);
    if (latencies.length < MEASURE_S * 20) throw new Error(`only ${latencies.length} pictures came out of the transcoder`);
    return latencies;
  };
}

async function play(publication: Publication, frames: readonly Frame[]): Promise<void> {
  const startMs = performance.now();
  const [first] = frames;
  if (first === undefined) throw new Error('the source has no frames');
  const zeroMs = ticksToMs(first.dts, first.track.timescale);
  for (let loop = 0; loop * SOURCE_S < SETTLE_S + MEASURE_S; loop++) {
    for (const frame of later(frames, loop * SOURCE_S)) {
      const dueMs = startMs + ticksToMs(frame.dts, frame.track.timescale) - zeroMs;
      if (dueMs > performance.now()) await sleep(dueMs - performance.now());
      publication.write(frame, systemClock.monotonic(), systemClock.wall());
    }
  }
}

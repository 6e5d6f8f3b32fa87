// One of two nodes between which streams are relayed: `relay-process.ts`, told by its parent's messages what to be.
import pino from 'pino';
import { durationMs, type MonotonicMs, mediaTime, monotonicMs, Slab, sizeBytes, streamRef } from '../src/core/mod.ts';
import { RelayToHub } from '../src/gateways/mod.ts';
import { Hub, type Publication } from '../src/hub/mod.ts';
import { countPayloadsAsHeap, RelayClient, RelayServer, type RelayTls, systemClock } from '../src/io/mod.ts';
import { audioTrack, videoTrack } from '../src/media/source-frames.fixture.ts';
import type { RelayOrder, RelayReport } from './relay.ts';

const FRAME_MS = 1000 / 30;
const AUDIO_MS = 1024 / 48;
const GOP_FRAMES = 60;
const BITRATE_BPS = 2_500_000;
const AUDIO_BYTES = 340;
/** Keyframes are eight times the others. */
const FRAME_BYTES = Math.round(((BITRATE_BPS / 8 - (AUDIO_BYTES * 1000) / AUDIO_MS) * (GOP_FRAMES / 30)) / (GOP_FRAMES + 7));
const FEED_MS = 4;
const LATENCIES_MAX = 1_000_000;

countPayloadsAsHeap();

const nothing = (): void => undefined;
const hub = new Hub(
  {
    streamStarted: nothing,
    streamHeld: nothing,
    streamResumed: nothing,
    streamEnded: nothing,
    renditionsChanged: nothing,
    sinkFailed: console.error,
  },
  {
    holdMs: durationMs(10_000),
    segmentTargetMs: durationMs(2_000),
    partTargetMs: durationMs(500),
    streamsMax: 10_000,
    gopCacheBytesMax: sizeBytes(20_000_000),
    tracksMax: 4,
  },
);
const log = pino({ level: 'warn' });
const latencies = new Float64Array(LATENCIES_MAX);
let latencyCount = 0;
let frames = 0;
let bytes = 0;
let cpu = process.cpuUsage();
let atMs = performance.now();

/** A synthetic publisher whose frames fall due in real time. */
class Feed {
  private readonly publication: Publication;
  private readonly offsetMs: number;
  /** As the readers of a publisher's messages have one. */
  private readonly slab = new Slab();
  private video = 0;
  private audio = 0;

  constructor(index: number, startMs: number) {
    const info = { protocol: 'rtmp', address: '127.0.0.1', agent: 'bench' } as const;
    const ref = streamRef('bench', `stream-${index}`);
    const publication = hub.publish(ref, info, { evicted: nothing }, 'reject', systemClock.monotonic(), systemClock.wall());
    if (typeof publication === 'string') throw new Error(publication);
    this.publication = publication;
    // Publishers do not send in step, nor do their keyframes come together.
    this.offsetMs = startMs + ((index * 373.3) % (GOP_FRAMES * FRAME_MS));
  }

  write(now: MonotonicMs): void {
    for (; this.offsetMs + this.audio * AUDIO_MS <= now; this.audio++) {
      this.put(audioTrack, this.audio * 1024, true, AUDIO_BYTES, now);
    }
    for (; this.offsetMs + this.video * FRAME_MS <= now; this.video++) {
      const isKeyframe = this.video % GOP_FRAMES === 0;
      this.put(videoTrack, this.video * 3000, isKeyframe, isKeyframe ? 8 * FRAME_BYTES : FRAME_BYTES, now);
    }
  }

  private put(track: typeof audioTrack | typeof videoTrack, dts: number, isKeyframe: boolean, size: number, now: MonotonicMs): void {
    const frame = { track, dts: mediaTime(dts), pts: mediaTime(dts), isKeyframe, payload: this.slab.take(size) };
    this.publication.write(frame, now, systemClock.wall());
  }
}

async function hold(tls: RelayTls, streams: number): Promise<void> {
  const feeds = Array.from({ length: streams }, (_, index) => new Feed(index, performance.now()));
  setInterval(() => {
    const now = monotonicMs(performance.now());
    for (const feed of feeds) feed.write(now);
  }, FEED_MS);
  const server = new RelayServer({
    ...{ host: '127.0.0.1', port: 0, portKey: 'relay.port', portVariable: 'SLUICE_RELAY_PORT', tls, node: 'holder', cluster: 'bench' },
    mayConnect: () => true,
    sources: {
      open: ({ ref }) => {
        const stream = hub.stream(ref.path);
        return stream === undefined ? { refused: 'unknown', message: 'no such stream' } : { stream, epoch: 1, hops: [] };
      },
    },
    clock: systemClock,
    log,
  });
  await server.listen();
  report({ port: server.port });
}

function pull(tls: RelayTls, streams: number, port: number): void {
  const client = new RelayClient({ tls, node: 'puller', cluster: 'bench', clock: systemClock, log });
  const out = {
    wanted: nothing,
    keyframeWanted: nothing,
    accepted: nothing,
    path: nothing,
    broken: nothing,
    ended: nothing,
    evicted: nothing,
  };
  for (let index = 0; index < streams; index++) {
    const ref = streamRef('bench', `stream-${index}`);
    const toHub = new RelayToHub(hub, ref, { ...out, refused: (_rendition, code) => log.error({ code }, 'refused') });
    const deliver = toHub.frame.bind(toHub);
    toHub.frame = (frame, now) => {
      deliver(frame, now);
      frames++;
      bytes += frame.payload.length;
      latencies[latencyCount++ % LATENCIES_MAX] = now - frame.receivedMs;
    };
    client.pull({ upstream: { node: 'holder', host: '127.0.0.1', port }, ref, rendition: '', epoch: 0 }, toHub);
  }
}

function measure(): void {
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - atMs) / 1000;
  const sorted = latencies.slice(0, Math.min(latencyCount, LATENCIES_MAX)).sort();
  const quantile = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  report({
    cpuShare: (used.user + used.system) / 1e6 / seconds,
    framesPerSecond: frames / seconds,
    bitsPerSecond: (bytes * 8) / seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  });
}

function begin(): void {
  cpu = process.cpuUsage();
  atMs = performance.now();
  [latencyCount, frames, bytes] = [0, 0, 0];
}

const report = (what: RelayReport): void => void process.send?.(what);

process.on('message', (order: RelayOrder) => {
  if (order.kind === 'hold') void hold(order.tls, order.streams);
  else if (order.kind === 'pull') pull(order.tls, order.streams, order.port);
  else if (order.kind === 'begin') begin();
  else measure();
});
process.on('disconnect', () => process.exit(0));

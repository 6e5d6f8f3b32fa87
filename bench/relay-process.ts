// One of two nodes between which streams are relayed: `relay-process.ts`, told by its parent's messages what to be.
import pino from 'pino';
import { durationMs, monotonicMs, sizeBytes, streamRef } from '../src/core/mod.ts';
import { RelayToHub } from '../src/gateways/mod.ts';
import { Hub } from '../src/hub/mod.ts';
import { countPayloadsAsHeap, RelayClient, RelayServer, type RelayTls, systemClock } from '../src/io/mod.ts';
import type { RelayOrder, RelayReport } from './relay.ts';
import { SyntheticFeed } from './synthetic-feed.ts';

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

async function hold(tls: RelayTls, streams: number): Promise<void> {
  const feeds = Array.from({ length: streams }, (_, index) => new SyntheticFeed(hub, index, monotonicMs(performance.now())));
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

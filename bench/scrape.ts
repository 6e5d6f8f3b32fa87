import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../test/fixtures/server-process.ts';
import { type BenchCase, type BenchRow, median } from './bench-case.ts';
import { LOAD_CPU, withPublishers, withServer } from './bench-server.ts';
import { LoadProcess } from './load-process.ts';

const STREAMS = 1000;
const BITRATE_BPS = 100_000;
const VIEWERS = 10;
const MEASURED_S = 20;
/** Prometheus asks each 15 s; here each second, so that a disturbance would be seen. */
const SCRAPE_EACH_MS = 1000;
/** A Prometheus has asked for hours: V8 has compiled what a scrape runs through. */
const WARM_UP_S = 15;
const WARM_UP_EACH_MS = 250;
/** By turns, without and with scrapes: a pause of V8's falls into one or the other. */
const ROUNDS = 3;

interface Round {
  readonly calm: number;
  readonly scraped: number;
  readonly scrapes: Scrapes;
}

/** What a scrape of `/metrics` with 1,000 streams takes, each told by name, and whether viewers notice. */
export const scrape: BenchCase = {
  name: 'scrape',
  run: () =>
    withServer(
      (server) =>
        withPublishers(server, STREAMS, BITRATE_BPS, async () => {
          await scrapeFor(server, WARM_UP_S, WARM_UP_EACH_MS);
          const rounds: Round[] = [];
          while (rounds.length < ROUNDS) {
            const calm = await flvP99(server);
            const [scraped, scrapes] = await Promise.all([flvP99(server), scrapeFor(server, MEASURED_S, SCRAPE_EACH_MS)]);
            rounds.push({ calm, scraped, scrapes });
          }
          return rowsOf(rounds);
        }),
      { SLUICE_METRICS_STREAMS_MAX: String(STREAMS) },
    ),
};

function rowsOf(rounds: readonly Round[]): BenchRow[] {
  const sorted = rounds.flatMap(({ scrapes }) => scrapes.ms).toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0) * 10) / 10;
  const bytes = Math.max(...rounds.map(({ scrapes }) => scrapes.bytes));
  const latencies = rounds.map(({ calm, scraped }) => `${calm} ms without and ${scraped} with`).join(', ');
  return [
    {
      name: `metrics: scrape with ${STREAMS.toLocaleString('en')} streams, each by name`,
      value: at(0.95),
      unit: 'ms p95',
      bar: { atMost: 50 },
      note: `p50 ${at(0.5)} ms, max ${at(1)} ms, ${sorted.length} scrapes of ${Math.round(bytes / 1000)} kB, to the last byte`,
    },
    {
      name: 'metrics: what a scrape a second adds to FLV latency',
      value: median(rounds.map(({ calm, scraped }) => scraped - calm)),
      unit: 'ms p99',
      bar: { atMost: 10 },
      note: `median of ${rounds.length} rounds; p99 ${latencies}; ${VIEWERS} viewers of one of the ${STREAMS.toLocaleString('en')} streams`,
    },
  ];
}

async function flvP99(server: ServerProcess): Promise<number> {
  const viewers = ['flv', `${server.httpUrl}/live/bench-0.flv`, '--viewers', String(VIEWERS), '--duration', String(MEASURED_S)];
  const { latencyMs } = await new LoadProcess(LOAD_CPU, viewers).result;
  if (latencyMs === null) throw new Error('no latency came out of the stream');
  return latencyMs.p99;
}

interface Scrapes {
  readonly ms: readonly number[];
  readonly bytes: number;
}

async function scrapeFor(server: ServerProcess, durationS: number, eachMs: number): Promise<Scrapes> {
  const ms: number[] = [];
  let bytes = 0;
  for (const endMs = performance.now() + durationS * 1000; performance.now() < endMs; await sleep(eachMs)) {
    const startMs = performance.now();
    bytes = await sizeOf(`${server.httpUrl}/metrics`);
    ms.push(performance.now() - startMs);
  }
  return { ms, bytes };
}

/** Reads an answer to its last byte, and does as little with it as can be: the time is to be the server's. */
function sizeOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get(url, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once('end', () => resolve(bytes)).once('error', reject);
    });
    request.once('error', reject);
  });
}

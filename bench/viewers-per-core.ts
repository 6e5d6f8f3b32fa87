import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadResult } from '../src/app/load/mod.ts';
import type { BenchCase, BenchRow } from './bench-case.ts';
import { cpuShare, LOAD_CPU, withPublishers, withServer } from './bench-server.ts';
import { LoadProcess } from './load-process.ts';

const BITRATE_BPS = 2_500_000;
const MEASURE_S = 15;
const SETTLE_S = 3;
const VIEWERS_PER_SECOND = 200;
/** Tried from the largest down; the first that nobody stalls at counts. */
const STEPS = [2500, 2000, 1500, 1000, 500, 250];

interface Step {
  readonly viewers: number;
  readonly result: LoadResult;
  readonly share: number;
  readonly lateJoin: LoadResult;
}

/**
 * Viewers that one core of the server carries: viewers held without a stall, divided by the share of a core the server used
 * for them. The number of viewers is what the generator's core can read; the server's share says how many more would fit.
 */
export function viewersPerCore(kind: 'flv' | 'rtmp' | 'hls', bar: number): BenchCase {
  return {
    name: kind,
    run: async () => {
      const failed: string[] = [];
      for (const viewers of STEPS) {
        const step = await withServer((server) => withPublishers(server, 1, BITRATE_BPS, () => measure(kind, viewers, server)));
        const { result } = step;
        if (result.stalls === 0 && result.failed === 0 && result.joined === viewers) return rows(kind, bar, step, failed);
        failed.push(
          `${viewers}: ${result.stalledClients} stalled, ${result.failed} failed, generator ${Math.round(result.generatorCpuShare * 100)} %`,
        );
        console.log(`  ${kind} ${failed.at(-1)}`);
      }
      throw new Error(`no number of ${kind} viewers was carried without stalls: ${failed.join('; ')}`);
    },
  };
}

async function measure(
  kind: 'flv' | 'rtmp' | 'hls',
  viewers: number,
  server: { httpUrl: string; rtmpUrl: string; cpuS(): number },
): Promise<Step> {
  const url = {
    flv: `${server.httpUrl}/live/bench.flv`,
    hls: `${server.httpUrl}/live/bench/index.m3u8`,
    rtmp: `${server.rtmpUrl}/live/bench`,
  }[kind];
  const rampS = viewers / VIEWERS_PER_SECOND;
  const load = new LoadProcess(LOAD_CPU, [
    kind,
    url,
    '--viewers',
    String(viewers),
    '--ramp',
    String(rampS),
    '--duration',
    String(SETTLE_S + MEASURE_S + 6),
  ]);
  await sleep((rampS + SETTLE_S) * 1000);
  const share = await cpuShare(server as Parameters<typeof cpuShare>[0], MEASURE_S);
  const late = new LoadProcess(LOAD_CPU, [kind, url, '--viewers', '10', '--ramp', '1', '--duration', '2']);
  return { viewers, share, lateJoin: await late.result, result: await load.result };
}

function rows(kind: string, bar: number, { viewers, result, share, lateJoin }: Step, failed: readonly string[]): BenchRow[] {
  const note = `${viewers} viewers at ${Math.round(share * 100)} % of a core, generator ${Math.round(result.generatorCpuShare * 100)} %, ${((result.bytesPerSecond * 8) / 1e9).toFixed(2)} Gbit/s${failed.length > 0 ? `; not held: ${failed.join('; ')}` : ''}`;
  const row = (name: string, value: number, unit: string, limit: BenchRow['bar'], text: string): BenchRow => ({
    name,
    value,
    unit,
    bar: limit,
    note: text,
  });
  const latency = result.latencyMs;
  return [
    row(`${kind}: viewers a core`, Math.round(viewers / share), 'viewers', { atLeast: bar }, note),
    row(
      `${kind}: a new viewer's first keyframe at that load`,
      lateJoin.joinFirstKeyframeMs?.p50 ?? -1,
      'ms p50',
      { atMost: kind === 'hls' ? 1000 : 50 },
      `max ${lateJoin.joinFirstKeyframeMs?.max} ms`,
    ),
    ...(latency === null
      ? []
      : kind === 'hls'
        ? [row('hls: behind live', latency.p50, 'ms p50', { atMost: 2200 }, `p99 ${latency.p99} ms`)]
        : [
            row(
              `${kind}: frame in to frame out`,
              latency.p99,
              'ms p99',
              { atMost: 70 },
              `p50 ${latency.p50} ms, at ${viewers} viewers, batching 50 ms`,
            ),
          ]),
  ];
}

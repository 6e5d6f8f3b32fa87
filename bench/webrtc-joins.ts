import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../test/fixtures/server-process.ts';
import type { BenchCase, BenchRow } from './bench-case.ts';
import { HeapCollector } from './heap-collector.ts';
import type { LoadProcess } from './load-process.ts';
import { webrtcOf, whepLoad, withSource } from './webrtc-bench.ts';

const WARM_UP = 300;
const VIEWERS = 1000;
const VIEWERS_PER_SECOND = 150;
/** So little media that what is measured is joining. */
const SMALL = { bitrateBps: 60_000, frameRate: 2 };

const RAMP_S = VIEWERS / VIEWERS_PER_SECOND;
const NO_PROBES = ['--probes', '0'];

/** CPU time of joining, and memory of staying. */
export const webrtcJoins: BenchCase = {
  name: 'whep-joins',
  run: async () => {
    const collector = await HeapCollector.open();
    return [
      await withSource(SMALL, (server, url) => joins(server, url)),
      await withSource(SMALL, (server, url) => memory(server, url, collector), collector.environment),
    ];
  },
};

/** What the first viewers cost once (compiled code, grown heaps) is not a viewer's share. */
async function firstViewers(url: string, staysS: number): Promise<LoadProcess> {
  const rampS = WARM_UP / VIEWERS_PER_SECOND;
  const load = whepLoad(url, { viewers: WARM_UP, rampS, durationS: staysS, more: NO_PROBES });
  await sleep((rampS + 2) * 1000);
  return load;
}

async function joins(server: ServerProcess, url: string): Promise<BenchRow> {
  const warmUp = await firstViewers(url, 3 * RAMP_S + 10);
  const idle = await busyFor(server, 2);
  const [cpuBefore, startMs] = [server.cpuS(), performance.now()];
  const load = whepLoad(url, { viewers: VIEWERS, rampS: RAMP_S, durationS: 6, more: NO_PROBES });
  await sleep((RAMP_S + 1) * 1000);
  const [cpuS, seconds] = [server.cpuS() - cpuBefore, (performance.now() - startMs) / 1000];
  // Those who have joined cost something as well, more and more of them.
  const idleAfter = await busyFor(server, 2);
  const joining = cpuS - ((idle + idleAfter) / 2) * seconds;
  const result = await load.result;
  await warmUp.stop();
  const { connected, connectedMs } = webrtcOf(result);
  return {
    name: 'whep: joins, offer to DTLS done',
    value: Math.round(connected / joining),
    unit: 'per CPU second',
    bar: { atLeast: 300 },
    note: `${connected} of ${VIEWERS} joined at ${VIEWERS_PER_SECOND} a second, ${connectedMs?.p95} ms p95; generator ${Math.round(result.generatorCpuShare * 100)} %; ${Math.round((cpuS / seconds) * 100)} % of a core while they join, ${Math.round(idle * 100)} % before and ${Math.round(idleAfter * 100)} % after, whose mean is taken off`,
  };
}

async function memory(server: ServerProcess, url: string, collector: HeapCollector): Promise<BenchRow> {
  const warmUp = await firstViewers(url, 3 * RAMP_S + 30);
  await collector.collect();
  const before = server.rssBytes();
  const load = whepLoad(url, { viewers: VIEWERS, rampS: RAMP_S, durationS: 15, more: NO_PROBES });
  await sleep((RAMP_S + 3) * 1000);
  await collector.collect();
  const perViewer = (server.rssBytes() - before) / VIEWERS;
  const { connected } = webrtcOf(await load.result);
  await warmUp.stop();
  return {
    name: 'memory for each WHEP viewer',
    value: Math.round(perViewer / 1e3),
    unit: 'KB',
    bar: { atMost: 64 },
    note: `resident, native and JavaScript, ${connected} viewers after the first ${WARM_UP}, after V8 has collected its heap`,
  };
}

async function busyFor(server: ServerProcess, seconds: number): Promise<number> {
  const before = server.cpuS();
  await sleep(seconds * 1000);
  return (server.cpuS() - before) / seconds;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../test/fixtures/server-process.ts';
import type { BenchCase, BenchRow } from './bench-case.ts';
import { webrtcOf, whepLoad, withSource } from './webrtc-bench.ts';

const WARM_UP = 300;
const VIEWERS = 1000;
const VIEWERS_PER_SECOND = 150;
/** So little media that what is measured is joining. */
const SMALL = { bitrateBps: 60_000, frameRate: 2 };

/** CPU time of joining, and memory of staying. */
export const webrtcJoins: BenchCase = {
  name: 'whep-joins',
  run: () => withSource(SMALL, (server, url) => measure(server, url)),
};

async function measure(server: ServerProcess, url: string): Promise<BenchRow[]> {
  const rampS = VIEWERS / VIEWERS_PER_SECOND;
  // What the first viewers cost once (compiled code, grown heaps) is not a viewer's share.
  const warmUp = whepLoad(url, {
    viewers: WARM_UP,
    rampS: WARM_UP / VIEWERS_PER_SECOND,
    durationS: 3 * rampS + 10,
    more: ['--probes', '0'],
  });
  await sleep((WARM_UP / VIEWERS_PER_SECOND + 2) * 1000);
  const idle = await busyFor(server, 2);
  const rssBefore = server.rssBytes();
  const [cpuBefore, startMs] = [server.cpuS(), performance.now()];
  const load = whepLoad(url, { viewers: VIEWERS, rampS, durationS: 6, more: ['--probes', '0'] });
  await sleep((rampS + 1) * 1000);
  const [cpuS, seconds] = [server.cpuS() - cpuBefore, (performance.now() - startMs) / 1000];
  // Those who have joined cost something as well, more and more of them.
  const idleAfter = await busyFor(server, 2);
  const joining = cpuS - ((idle + idleAfter) / 2) * seconds;
  const perViewer = (server.rssBytes() - rssBefore) / VIEWERS;
  const result = await load.result;
  await warmUp.stop();
  const { connected, connectedMs } = webrtcOf(result);
  return [
    {
      name: 'whep: joins, offer to DTLS done',
      value: Math.round(connected / joining),
      unit: 'per CPU second',
      bar: { atLeast: 300 },
      note: `${connected} of ${VIEWERS} joined at ${VIEWERS_PER_SECOND} a second, ${connectedMs?.p95} ms p95; generator ${Math.round(result.generatorCpuShare * 100)} %; ${Math.round((cpuS / seconds) * 100)} % of a core while they join, ${Math.round(idle * 100)} % before and ${Math.round(idleAfter * 100)} % after, whose mean is taken off`,
    },
    {
      name: 'memory for each WHEP viewer',
      value: Math.round(perViewer / 1e3),
      unit: 'KB',
      bar: { atMost: 64 },
      note: `resident, native and JavaScript, ${VIEWERS} viewers after the first ${WARM_UP}`,
    },
  ];
}

async function busyFor(server: ServerProcess, seconds: number): Promise<number> {
  const before = server.cpuS();
  await sleep(seconds * 1000);
  return (server.cpuS() - before) / seconds;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../test/fixtures/server-process.ts';
import type { BenchCase, BenchRow } from './bench-case.ts';
import { metric, sentIn, webrtcOf, whepLoad, withSource } from './webrtc-bench.ts';

const VIEWERS = 1000;
const RAMP_S = 8;
const SETTLE_S = 3;
const LATE_VIEWERS = 40;
const LATE_RAMP_S = 4;
/** More frames than the latency's ring holds (512), so that none of the ramp's is left in it. */
const MEASURE_S = 18;

/** 1,000 viewers on one process: what they lose, how long frames take, and how fast others join meanwhile. */
export const webrtcViewers: BenchCase = {
  name: 'whep-viewers',
  run: async () => [
    ...(await withSource({ keyframeSize: 1 }, (server, url) => hold(server, url))),
    ...(await withSource({}, async (server, url) => {
      const load = loadOf(url, 0);
      await sleep((RAMP_S + SETTLE_S + MEASURE_S) * 1000);
      const row = await latencyRow(server, 'with keyframes 6 times as large as other frames');
      await load.result;
      return [row];
    })),
  ],
};

const loadOf = (url: string, moreS: number): ReturnType<typeof whepLoad> =>
  whepLoad(url, { viewers: VIEWERS, rampS: RAMP_S, durationS: SETTLE_S + MEASURE_S + moreS + 2, more: ['--probes', '0'] });

async function hold(server: ServerProcess, url: string): Promise<BenchRow[]> {
  const many = loadOf(url, LATE_RAMP_S + 2);
  await sleep((RAMP_S + SETTLE_S) * 1000);
  const { packets, seconds, cpuS } = await sentIn(server, MEASURE_S);
  const latency = await latencyRow(server, 'frames of equal size');
  const late = await whepLoad(url, { viewers: LATE_VIEWERS, rampS: LATE_RAMP_S, durationS: 2, more: ['--probes', '0'] }).result;
  const result = await many.result;
  const { lostPackets, lostPercent } = webrtcOf(result);
  const { connectedMs } = webrtcOf(late);
  const errors = (await metric(server, 'sluice_webrtc_send_errors_total')) + (await metric(server, 'sluice_webrtc_socket_full_total'));
  const load = `${result.joined} viewers, ${result.failed} failed, ${Math.round(packets / seconds).toLocaleString('en')} packets/s at ${Math.round((cpuS / seconds) * 100)} % of a core, generator ${Math.round(result.generatorCpuShare * 100)} %`;
  return [
    {
      name: `whep: packets lost with ${VIEWERS.toLocaleString('en')} viewers`,
      value: lostPackets,
      unit: 'packets',
      bar: { atMost: 0 },
      note: `${lostPercent} %, ${errors} refused by the server's socket, ${result.stalls} freezes; ${load}`,
    },
    latency,
    {
      name: 'whep: offer to DTLS done at that load',
      value: connectedMs?.p95 ?? -1,
      unit: 'ms p95',
      bar: { atMost: 500 },
      note: `${late.joined} of ${LATE_VIEWERS} joined within ${LATE_RAMP_S} s, p50 ${connectedMs?.p50} ms, max ${connectedMs?.max} ms`,
    },
  ];
}

async function latencyRow(server: ServerProcess, stream: string): Promise<BenchRow> {
  const p50 = (await metric(server, 'sluice_webrtc_frame_latency_p50_seconds')) * 1000;
  const p99 = (await metric(server, 'sluice_webrtc_frame_latency_p99_seconds')) * 1000;
  return {
    name: `whep: frame in to last viewer's last packet out, ${stream}`,
    value: Math.round(p99 * 10) / 10,
    unit: 'ms p99',
    bar: { atMost: 30 },
    note: `p50 ${Math.round(p50 * 10) / 10} ms, as the server counts the last 512 frames, for ${VIEWERS.toLocaleString('en')} viewers`,
  };
}

import { NetworkPath } from '../test/fixtures/network-path.ts';
import type { BenchCase } from './bench-case.ts';
import { webrtcOf, whepLoad, withSource } from './webrtc-bench.ts';

const VIEWERS = 4;
const DURATION_S = 20;
const PATH = { loss: 0.05, delayMs: 25, seed: 4711 };

/** How many frames are whole for viewers behind a bad network who ask for lost packets again. */
export const webrtcLoss: BenchCase = {
  name: 'whep-loss',
  run: () =>
    withSource({ hasSentTime: true }, async (server, whepUrl) => {
      const path = new NetworkPath(PATH);
      try {
        const url = (await path.open(server.httpUrl)) + new URL(whepUrl).pathname;
        const result = await whepLoad(url, {
          viewers: VIEWERS,
          rampS: 1,
          durationS: DURATION_S,
          more: ['--nack', '--probes', String(VIEWERS)],
        }).result;
        const { framesCompletePercent, frames, repairedPackets, lostPercent, keyframeRequests } = webrtcOf(result);
        return [
          {
            name: 'whep: whole frames at 5 % loss and 50 ms round trip',
            value: framesCompletePercent,
            unit: '%',
            bar: { atLeast: 99.5 },
            note: `${frames} frames of ${result.joined} viewers, ${path.dropped} of ${path.dropped + path.forwarded} datagrams dropped, ${lostPercent} % of packets lost at first, ${repairedPackets} repaired by RTX, ${keyframeRequests} keyframes asked for; latency ${result.latencyMs?.p50} ms p50, ${result.latencyMs?.p99} ms p99`,
          },
        ];
      } finally {
        path.close();
      }
    }),
};

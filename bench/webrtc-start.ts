import type { BenchCase } from './bench-case.ts';
import { webrtcOf, whepLoad, withSource } from './webrtc-bench.ts';

const VIEWERS = 80;
const RAMP_S = 12;

/** How soon a viewer has a picture, and is up to date, on a stream with a keyframe each 2 s. */
export const webrtcStart: BenchCase = {
  name: 'whep-start',
  run: () =>
    withSource({ hasSentTime: true }, async (_, url) => {
      const result = await whepLoad(url, { viewers: VIEWERS, rampS: RAMP_S, durationS: 4, more: ['--probes', String(VIEWERS)] }).result;
      const { liveMs, connectedMs, keyframeRequests, framesCompletePercent } = webrtcOf(result);
      const picture = result.joinFirstKeyframeMs;
      return [
        {
          name: 'whep: offer to first decodable picture',
          value: picture?.p95 ?? -1,
          unit: 'ms p95',
          bar: { atMost: 300 },
          note: `p50 ${picture?.p50} ms, max ${picture?.max} ms, ${result.joined} of ${VIEWERS} viewers, DTLS done after ${connectedMs?.p50} ms p50, keyframes asked for: ${keyframeRequests}`,
        },
        {
          name: 'whep: offer to live',
          value: liveMs?.p95 ?? -1,
          unit: 'ms p95',
          bar: { atMost: 2000 },
          note: `p50 ${liveMs?.p50} ms, first frame less than 250 ms old; ${framesCompletePercent} % of frames whole`,
        },
      ];
    }),
};

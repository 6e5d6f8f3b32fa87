import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase, BenchRow } from './bench-case.ts';
import { withDatachannelServer } from './datachannel-process.ts';
import { type Sent, sentIn, webrtcOf, whepLoad, withSource } from './webrtc-bench.ts';

const VIEWERS = 1000;
/** About as many as it can serve on one core. */
const PEER_VIEWERS = 200;
const SETTLE_S = 4;
/** Bytes are counted, in packets of this size: small ones (reports, handshakes) make the figure no better. */
const PACKET_BYTES = 1200;
const MEASURE_S = 6;
const VIEWERS_PER_SECOND = 125;

interface FanOut {
  /** Packets of 1,200 bytes for each CPU second of the server. */
  readonly perCpuS: number;
  readonly note: string;
}

type Profile = 'gcm' | 'cm';

async function measure(viewers: number, profile: Profile, url: string, sent: () => Promise<Sent>): Promise<FanOut> {
  const rampS = viewers / VIEWERS_PER_SECOND;
  const load = whepLoad(url, { viewers, rampS, durationS: SETTLE_S + MEASURE_S + 2, more: ['--srtp', profile, '--probes', '0'] });
  await sleep((rampS + SETTLE_S) * 1000);
  const { packets, bytes, cpuS, seconds } = await sent();
  const result = await load.result;
  const { lostPercent } = webrtcOf(result);
  const share = Math.round((cpuS / seconds) * 100);
  return {
    perCpuS: bytes / PACKET_BYTES / cpuS,
    note: `${result.joined} viewers, ${thousands(packets / seconds)} packets/s of ${Math.round(bytes / packets)} bytes at ${share} % of a core, generator ${Math.round(result.generatorCpuShare * 100)} %, ${lostPercent} % lost`,
  };
}

const sluice = (viewers: number, profile: Profile, offload: 'auto' | 'off'): Promise<FanOut> =>
  // Frames of equal size are cut into packets of nearly the largest size.
  withSource({ keyframeSize: 1 }, (server, url) => measure(viewers, profile, url, () => sentIn(server, MEASURE_S)), {
    SLUICE_WEBRTC_SEGMENTATION_OFFLOAD: offload,
  });

const thousands = (value: number): string => Math.round(value).toLocaleString('en');
const NAMES = { gcm: 'AES-GCM', cm: 'AES-CM with HMAC-SHA1' } as const;

/** RTP packets sent to 1,000 viewers for each CPU second, with and without segmentation offload, by both SRTP profiles. */
export const webrtcFanout: BenchCase = {
  name: 'whep',
  run: async () => {
    const rows: BenchRow[] = [];
    for (const offload of ['auto', 'off'] as const) {
      for (const profile of ['gcm', 'cm'] as const) {
        const { perCpuS, note } = await sluice(VIEWERS, profile, offload);
        rows.push({
          name: `whep: RTP packets sent, ${NAMES[profile]}, ${offload === 'auto' ? 'with' : 'without'} segmentation offload`,
          value: Math.round(perCpuS),
          unit: 'per CPU second',
          bar: { atLeast: offload === 'auto' ? 400_000 : 200_000 },
          note,
        });
      }
    }
    return rows;
  },
};

/** The same fan-out by node-datachannel (libdatachannel), one after the other in one run. */
export const webrtcPeers: BenchCase = {
  name: 'whep-peers',
  run: async () => {
    const own = await sluice(VIEWERS, 'cm', 'auto');
    const other = await withDatachannelServer((url, sent) => measure(PEER_VIEWERS, 'cm', url, () => sent(MEASURE_S)));
    return [
      {
        name: 'whep: RTP packets sent against node-datachannel',
        value: Math.round((own.perCpuS / other.perCpuS) * 100) / 100,
        unit: 'times',
        bar: { atLeast: 4 },
        note: `${NAMES.cm}; ${thousands(own.perCpuS)} to ${thousands(other.perCpuS)} per CPU second; Sluice: ${own.note}; node-datachannel: ${other.note}`,
      },
    ];
  },
};

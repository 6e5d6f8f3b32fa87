import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase } from './bench-case.ts';
import { cpuShare, LOAD_CPU, withServer } from './bench-server.ts';
import { LoadProcess } from './load-process.ts';

const BITRATE_BPS = 600_000;
const STEPS = [600, 400, 200, 100];
const MEASURE_S = 15;
const SETTLE_S = 3;

/** Publishers of 600 kbit/s that one core holds with nobody watching. */
export const publishersPerCore: BenchCase = {
  name: 'publishers',
  run: async () => {
    const failed: string[] = [];
    for (const publishers of STEPS) {
      const { result, share } = await withServer(async (server) => {
        const rampS = publishers / 100;
        const load = new LoadProcess(LOAD_CPU, [
          ...['publish', `${server.rtmpUrl}/live/bench`, '--publishers', String(publishers), '--bitrate', String(BITRATE_BPS)],
          ...['--ramp', String(rampS), '--duration', String(SETTLE_S + MEASURE_S + 2)],
        ]);
        await sleep((rampS + SETTLE_S) * 1000);
        const measured = await cpuShare(server, MEASURE_S);
        return { share: measured, result: await load.result };
      });
      const wantedBps = publishers * BITRATE_BPS * 0.9;
      const note = `${publishers} publishers at ${Math.round(share * 100)} % of a core, generator ${Math.round(result.generatorCpuShare * 100)} %`;
      if (result.stalls === 0 && result.failed === 0 && result.bytesPerSecond * 8 >= wantedBps) {
        return [
          {
            name: 'rtmp: publishers a core',
            value: Math.round(publishers / share),
            unit: 'publishers of 600 kbit/s',
            bar: { atLeast: 1000 },
            note,
          },
        ];
      }
      failed.push(note);
      console.log(`  not held: ${note} ${JSON.stringify(result.errors)}`);
    }
    throw new Error(`no number of publishers was held: ${failed.join('; ')}`);
  },
};

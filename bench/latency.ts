import type { BenchCase } from './bench-case.ts';
import { LOAD_CPU, withPublishers, withServer } from './bench-server.ts';
import { LoadProcess } from './load-process.ts';

/** How long a frame takes through the server to an FLV viewer: few viewers (sent at once), and so many that frames are gathered. */
export const latency: BenchCase = {
  name: 'latency',
  run: () =>
    withServer((server) =>
      withPublishers(server, 1, 2_500_000, async () => {
        const measure = async (viewers: number): Promise<{ p50: number; p99: number }> => {
          const load = new LoadProcess(LOAD_CPU, [
            'flv',
            `${server.httpUrl}/live/bench.flv`,
            '--viewers',
            String(viewers),
            '--duration',
            '15',
          ]);
          const { latencyMs } = await load.result;
          if (latencyMs === null) throw new Error('no latency came out of the stream');
          return latencyMs;
        };
        const few = await measure(10);
        const many = await measure(300);
        return [
          {
            name: 'flv: frame in to frame out, 10 viewers',
            value: few.p99,
            unit: 'ms p99',
            bar: { atMost: 20 },
            note: `p50 ${few.p50} ms, sent at once`,
          },
          {
            name: 'flv: frame in to frame out, 300 viewers',
            value: many.p99,
            unit: 'ms p99',
            bar: { atMost: 70 },
            note: `p50 ${many.p50} ms, batching 50 ms`,
          },
        ];
      }),
    ),
};

import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase } from './bench-case.ts';
import { LOAD_CPU, withPublishers, withServer } from './bench-server.ts';
import { LoadProcess } from './load-process.ts';

const STREAMS = 20;
const BITRATE_BPS = 2_500_000;
const VIEWERS = 1000;
// Longer than a window and what is kept behind it.
const FILL_S = 50;
/** Also of streams that nobody watches. */
const WHOLE_WINDOWS = { SLUICE_HLS_PACKAGING: 'always' };

/** Resident memory for each stream at default windows, and for each FLV viewer that keeps up. */
export const memory: BenchCase = {
  name: 'memory',
  run: async () => {
    const perStream = await withServer(async (server) => {
      const emptyBytes = server.rssBytes();
      return withPublishers(server, STREAMS, BITRATE_BPS, async () => {
        await sleep(FILL_S * 1000);
        return (server.rssBytes() - emptyBytes) / STREAMS;
      });
    }, WHOLE_WINDOWS);
    const perViewer = await withServer((server) =>
      withPublishers(server, 1, BITRATE_BPS, async () => {
        await sleep(FILL_S * 1000);
        const before = server.rssBytes();
        const load = new LoadProcess(LOAD_CPU, [
          'flv',
          `${server.httpUrl}/live/bench.flv`,
          '--viewers',
          String(VIEWERS),
          '--duration',
          String(FILL_S),
        ]);
        await sleep((VIEWERS / 200 + FILL_S - 3) * 1000);
        const bytes = (server.rssBytes() - before) / VIEWERS;
        await load.stop();
        return bytes;
      }),
    );
    return [
      {
        name: 'memory for each stream',
        value: Math.round(perStream / 1e5) / 10,
        unit: 'MB',
        bar: { atMost: 30 },
        note: `${STREAMS} streams of 2.5 Mbit/s, each with a whole HLS window`,
      },
      {
        name: 'memory for each FLV viewer',
        value: Math.round(perViewer / 1e3),
        unit: 'KB',
        bar: { atMost: 50 },
        note: `${VIEWERS} viewers of one stream`,
      },
    ];
  },
};

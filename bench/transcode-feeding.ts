import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type BenchCase, type BenchRow, median } from './bench-case.ts';
import { hundredths, type Turns, turnsText } from './transcode-bench.ts';

/** What the process is told; it answers with {@link FeedingReport}, or ends. */
export interface FeedingOrder {
  readonly streams: number;
  readonly hasPictures: boolean;
  readonly rounds: number;
}

export interface FeedingReport extends Turns {
  /** In all rounds, with those that the hub had kept for a new reader and those of the settling. */
  readonly framesFed: number;
  readonly framesTaken: number;
}

const PROCESS = fileURLToPath(new URL('./transcode-feeding-process.ts', import.meta.url));
const ROUNDS = 5;
const MS_MAX = 180_000;
const LOADS = [
  { streams: 24, hasPictures: false, what: '24 streams of sound' },
  { streams: 1, hasPictures: true, what: '1 stream of 720p30, 2.5 Mbit/s, and sound' },
  { streams: 6, hasPictures: true, what: '6 streams of 720p30, 2.5 Mbit/s, and sound' },
];

/** What it costs a process to give the frames of its hub's streams to transcoding children, by itself. */
export const transcodeFeeding: BenchCase = {
  name: 'transcode-feeding',
  run: async () => {
    const rows: BenchRow[] = [];
    for (const { what, ...load } of LOADS) {
      const turns = await measured({ ...load, rounds: ROUNDS });
      rows.push({
        name: `transcode: what feeding children alone costs the server, ${what}`,
        value: hundredths(median(turns.fed.map((fed, round) => fed - (turns.bare[round] ?? Number.NaN)))),
        unit: '% of a core a stream',
        bar: { atMost: 1 },
        note: `hub, lanes and pipes in one process, children that read and count; ${turns.framesTaken} of ${turns.framesFed} frames arrived; median of ${ROUNDS} rounds; ${turnsText(turns, 'children fed')}`,
      });
    }
    return rows;
  },
};

async function measured(order: FeedingOrder): Promise<FeedingReport> {
  const child = spawn(process.execPath, [PROCESS], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const gone = once(child, 'close').then(([code]) => Promise.reject(new Error(`the process that feeds ended with exit code ${code}`)));
  try {
    const answer = once(child, 'message', { signal: AbortSignal.timeout(MS_MAX) });
    child.send(order);
    const [report] = (await Promise.race([answer, gone])) as [FeedingReport];
    return report;
  } finally {
    gone.catch(() => undefined);
    child.kill();
  }
}

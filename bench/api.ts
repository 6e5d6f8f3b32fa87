import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ServerProcess } from '../test/fixtures/server-process.ts';
import type { BenchCase, BenchRow } from './bench-case.ts';
import { LOAD_CPU, withPublishers, withServer } from './bench-server.ts';

const STREAMS = 100;
const BITRATE_BPS = 200_000;
const SECONDS = 5;
const CONNECTIONS = 16;
const BAR = { atLeast: 3000 } as const;
const LOAD = fileURLToPath(new URL('./request-load.ts', import.meta.url));

interface Read {
  readonly name: string;
  readonly path: string;
  readonly key: boolean;
}

const READS: readonly Read[] = [
  { name: `API: list of ${STREAMS} streams, 50 a page`, path: '/api/v1/streams', key: false },
  { name: 'API: one stream', path: `/api/v1/streams/live/bench-${STREAMS - 1}`, key: false },
  { name: 'API: list of apps, with a key', path: '/api/v1/apps', key: true },
];

/** Answers for each CPU second of the server's process that reads cost: what the streams cost meanwhile is taken off. */
export const api: BenchCase = {
  name: 'api',
  run: () =>
    withServer(
      (server) =>
        withPublishers(server, STREAMS, BITRATE_BPS, async () => {
          const idle = await shareOf(server, async () => undefined);
          const rows: BenchRow[] = [];
          for (const read of READS) rows.push(await measured(server, read, idle));
          return rows;
        }),
      { SLUICE_TRANSCODE_ENABLED: 'false' },
    ),
};

async function measured(server: ServerProcess, { name, path, key }: Read, idle: number): Promise<BenchRow> {
  const ask = async (seconds: number): Promise<{ answers: number; bytes: number }> => {
    const args = [LOAD, server.httpUrl + path, String(seconds), String(CONNECTIONS), ...(key ? [server.adminKey] : [])];
    const { stdout } = await promisify(execFile)('taskset', ['-c', String(LOAD_CPU), process.execPath, ...args]);
    return JSON.parse(stdout) as { answers: number; bytes: number };
  };
  // The first thousands of answers are the compiler's.
  await ask(2);
  let asked = { answers: 0, bytes: 0 };
  const startMs = performance.now();
  const share = await shareOf(server, async () => {
    asked = await ask(SECONDS);
  });
  const elapsedS = (performance.now() - startMs) / 1000;
  const cpuS = Math.max(0.001, (share - idle) * elapsedS);
  const kilobytes = Math.round(asked.bytes / Math.max(1, asked.answers) / 100) / 10;
  return {
    name,
    value: Math.round(asked.answers / cpuS),
    unit: 'answers a CPU second',
    bar: BAR,
    note: `${asked.answers} answers of ${kilobytes} kB in ${SECONDS} s over ${CONNECTIONS} connections; ${STREAMS} streams meanwhile, whose ${Math.round(idle * 100)} % of a core are taken off`,
  };
}

/** The share of a core that the server uses while `work` goes on; for nothing to do, over some seconds. */
async function shareOf(server: ServerProcess, work: () => Promise<void>): Promise<number> {
  const [cpuS, atMs] = [server.cpuS(), performance.now()];
  await work();
  if (performance.now() - atMs < 1000) await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  return (server.cpuS() - cpuS) / ((performance.now() - atMs) / 1000);
}

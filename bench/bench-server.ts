import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServerProcess } from '../test/fixtures/server-process.ts';
import { LoadProcess } from './load-process.ts';

/** The server has one CPU to itself; everything that loads it shares the other. */
export const SERVER_CPU = 0;
export const LOAD_CPU = 1;

const READY_MS_MAX = 20_000;
const PUBLISH_S = 3600;

/** Starts a server on its own CPU, which this process keeps off meanwhile, gives it to `work`, and ends it. */
export async function withServer<T>(
  work: (server: ServerProcess) => Promise<T>,
  environment: Readonly<Record<string, string>> = {},
): Promise<T> {
  const server = await ServerProcess.start({
    cpu: SERVER_CPU,
    environment: { SLUICE_LOG_LEVEL: 'info', SLUICE_HTTP_CONNECTIONS_MAX: '100000', SLUICE_RTMP_CONNECTIONS_MAX: '100000', ...environment },
  });
  moveThisProcess(String(LOAD_CPU));
  try {
    return await work(server);
  } finally {
    moveThisProcess(`0-${cpus().length - 1}`);
    await server.close();
  }
}

/** What asks the server in the middle of a measurement is load too: all threads of this process go to these CPUs. */
function moveThisProcess(to: string): void {
  execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', to, String(process.pid)]);
}

/** Publishes `count` synthetic streams `live/bench` (or `live/bench-0` …) for as long as `work` takes. */
export async function withPublishers<T>(server: ServerProcess, count: number, bitrateBps: number, work: () => Promise<T>): Promise<T> {
  const publishers = new LoadProcess(LOAD_CPU, [
    ...['publish', `${server.rtmpUrl}/live/bench`, '--publishers', String(count), '--bitrate', String(bitrateBps)],
    ...['--duration', String(PUBLISH_S), '--ramp', String(count / 100)],
  ]);
  try {
    await untilPlayable(`${server.httpUrl}/live/${count === 1 ? 'bench' : `bench-${count - 1}`}/index.m3u8`);
    // A full window of segments, so that playlists have their usual length.
    await sleep(8000);
    return await work();
  } finally {
    await publishers.stop();
  }
}

/** Waits until a stream's playlist is there. */
export async function untilPlayable(url: string): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    const answer = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      (error: unknown) => String(error),
    );
    if (answer === 200) return;
    if (performance.now() - startMs > READY_MS_MAX) throw new Error(`${url} answers ${answer} after ${READY_MS_MAX} ms`);
    await sleep(100);
  }
}

/** The share of a core the server uses over `durationS` from now. */
export async function cpuShare(server: ServerProcess, durationS: number): Promise<number> {
  const [cpuS, atMs] = [server.cpuS(), performance.now()];
  await sleep(durationS * 1000);
  return (server.cpuS() - cpuS) / ((performance.now() - atMs) / 1000);
}

import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onPath } from '../scripts/prepare-tests.mjs';
import { parsePlaylist } from '../src/app/load/mod.ts';
import { type BenchCase, type BenchRow, median } from './bench-case.ts';
import { LOAD_CPU, withPublishers, withServer } from './bench-server.ts';

// Parts of half a second at this bitrate are about 62 KB.
const BITRATE_BPS = 1_000_000;
const PART_BYTES = 62_000;
const SECONDS = 2;
// All rounds together are shorter than a part stays available.
const ROUNDS = 5;
const CONNECTIONS = 32;
const CLOCK_TICKS_PER_SECOND = 100;
const LOAD = fileURLToPath(new URL('./request-load.ts', import.meta.url));

interface Part {
  readonly url: string;
  readonly bytes: Uint8Array;
}

/** Answers for each CPU second, measured one after the other. */
interface Pair {
  readonly own: number;
  readonly nginx: number;
}

async function askFor(url: string, cpuS: () => number): Promise<number> {
  const before = cpuS();
  const { stdout } = await promisify(execFile)('taskset', [
    '-c',
    String(LOAD_CPU),
    process.execPath,
    LOAD,
    url,
    String(SECONDS),
    String(CONNECTIONS),
  ]);
  return (JSON.parse(stdout) as { answers: number }).answers / (cpuS() - before);
}

/** Whole part requests that a CPU second of the server answers, next to nginx sending the same bytes from a file. */
export const partRequests: BenchCase = {
  name: 'parts',
  run: () =>
    withServer((server) =>
      withPublishers(server, 1, BITRATE_BPS, async () => {
        const part = await choosePart(server.httpUrl);
        const own = (): Promise<number> => askFor(part.url, () => server.cpuS());
        if (!onPath('nginx') && !onPath('../sbin/nginx')) {
          console.log('  nginx is not on the PATH: no comparison with it');
          return [ownRow(await own(), part)];
        }
        return withNginx(part.bytes, async (nginx) => {
          // In turn, so that what else the machine does befalls both alike.
          const pairs: Pair[] = [];
          // The first round is left out: a virtual machine compiles in it what is often used.
          await own();
          await nginx();
          for (let round = 0; round < ROUNDS; round++) pairs.push({ own: await own(), nginx: await nginx() });
          const ratios = pairs.map((pair) => pair.own / pair.nginx).sort((a, b) => a - b);
          return [ownRow(median(pairs.map((pair) => pair.own)), part), nginxRow(median(pairs.map((pair) => pair.nginx)), ratios)];
        });
      }),
    ),
};

const ownRow = (perCpuS: number, part: Part): BenchRow => ({
  name: 'hls: part requests',
  value: Math.round(perCpuS),
  unit: 'per CPU second',
  bar: { atLeast: 20_000 },
  note: `${part.bytes.length} bytes each, ${CONNECTIONS} connections`,
});

const nginxRow = (nginxPerCpuS: number, ratios: readonly number[]): BenchRow => ({
  name: 'hls: part requests against nginx with sendfile',
  value: hundredths(median(ratios)),
  unit: 'times',
  bar: { atLeast: 0.5 },
  note: `nginx ${Math.round(nginxPerCpuS).toLocaleString('en')} per CPU second; ${ROUNDS} pairs of runs: ${ratios.map(hundredths).join(', ')}`,
});

const hundredths = (value: number): number => Math.round(value * 100) / 100;

async function choosePart(httpUrl: string): Promise<Part> {
  const media = new URL('/live/bench/source/media.m3u8', httpUrl);
  const { parts } = parsePlaylist(await (await fetch(media)).text());
  const files = await Promise.all(
    parts.map(async ({ uri }) => {
      const { href } = new URL(uri, media);
      return { url: href, bytes: new Uint8Array(await (await fetch(href)).arrayBuffer()) };
    }),
  );
  // The last part of a segment can be a short one: take the one that is most like the size in question.
  const off = (file: Part): number => Math.abs(file.bytes.length - PART_BYTES);
  const chosen = files.sort((a, b) => off(a) - off(b))[0];
  if (chosen === undefined) throw new Error('the playlist has no parts');
  return chosen;
}

/** Gives `work` a function that asks nginx for the same bytes as often as it can, and tells how many answers a CPU second gave. */
async function withNginx<T>(bytes: Uint8Array, work: (ask: () => Promise<number>) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
  const port = await freePort();
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'part.m4s'), bytes);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=100;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port}; root ${folder}; } }`,
  );
  const nginx = spawn('taskset', ['-c', '0', 'nginx', '-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: 'inherit',
    env: { PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  const exited = new Promise((resolve) => nginx.once('close', resolve));
  try {
    const url = `http://127.0.0.1:${port}/part.m4s`;
    for (let attempt = 0; attempt < 100; attempt++) {
      if (
        await fetch(url).then(
          (response) => response.arrayBuffer().then(() => response.ok),
          () => false,
        )
      )
        break;
      await sleep(50);
    }
    return await work(() => askFor(url, () => processCpuS(nginx.pid ?? 0)));
  } finally {
    nginx.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

function processCpuS(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

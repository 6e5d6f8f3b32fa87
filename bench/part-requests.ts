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
import type { BenchCase, BenchRow } from './bench-case.ts';
import { LOAD_CPU, withPublishers, withServer } from './bench-server.ts';

// Parts of half a second at this bitrate are about 62 KB.
const BITRATE_BPS = 1_000_000;
const PART_BYTES = 62_000;
const SECONDS = 5;
const CONNECTIONS = 32;
const CLOCK_TICKS_PER_SECOND = 100;
const LOAD = fileURLToPath(new URL('./request-load.ts', import.meta.url));

interface Rate {
  readonly perCpuS: number;
  readonly partBytes: number;
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
  run: async () => {
    const { bytes, own } = await withServer((server) => withPublishers(server, 1, BITRATE_BPS, () => askServer(server)));
    const rows: BenchRow[] = [
      {
        name: 'hls: part requests',
        value: Math.round(own.perCpuS),
        unit: 'per CPU second',
        bar: { atLeast: 20_000 },
        note: `${own.partBytes} bytes each, ${CONNECTIONS} connections`,
      },
    ];
    if (!onPath('nginx') && !onPath('../sbin/nginx')) {
      console.log('  nginx is not on the PATH: no comparison with it');
      return rows;
    }
    const nginx = await askNginx(bytes);
    rows.push({
      name: 'hls: part requests against nginx with sendfile',
      value: Math.round((own.perCpuS / nginx) * 100) / 100,
      unit: 'times',
      bar: { atLeast: 0.5 },
      note: `nginx ${Math.round(nginx).toLocaleString('en')} per CPU second`,
    });
    return rows;
  },
};

async function askServer(server: { httpUrl: string; cpuS(): number }): Promise<{ bytes: Uint8Array; own: Rate }> {
  const media = new URL('/live/bench/source/media.m3u8', server.httpUrl);
  const { parts } = parsePlaylist(await (await fetch(media)).text());
  const files = await Promise.all(
    parts.map(async ({ uri }) => {
      const url = new URL(uri, media);
      return { url, bytes: new Uint8Array(await (await fetch(url)).arrayBuffer()) };
    }),
  );
  // The last part of a segment can be a short one: take the one that is most like the size in question.
  const off = (file: { bytes: Uint8Array }): number => Math.abs(file.bytes.length - PART_BYTES);
  const chosen = files.sort((a, b) => off(a) - off(b))[0];
  if (chosen === undefined) throw new Error('the playlist has no parts');
  const { url, bytes } = chosen;
  return { bytes, own: { perCpuS: await askFor(url.href, () => server.cpuS()), partBytes: bytes.length } };
}

async function askNginx(bytes: Uint8Array): Promise<number> {
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
    return await askFor(url, () => processCpuS(nginx.pid ?? 0));
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

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SERVER_CPU } from './bench-server.ts';
import type { Sent } from './webrtc-bench.ts';

const SERVER = fileURLToPath(new URL('./datachannel-server.ts', import.meta.url));
const CLOCK_TICKS_PER_SECOND = 100;

/** Runs a WHEP server of node-datachannel on the server's CPU; `work` gets its URL and a function that measures it as sentIn does. */
export async function withDatachannelServer<T>(work: (url: string, sent: (durationS: number) => Promise<Sent>) => Promise<T>): Promise<T> {
  const child = spawn('taskset', ['-c', String(SERVER_CPU), process.execPath, SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'close');
  try {
    const [port] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited])) as [string | number | null];
    const url = `http://127.0.0.1:${port}`;
    const read = async (): Promise<Sent> => {
      const { packets, bytes } = (await (await fetch(`${url}/sent`)).json()) as { packets: number; bytes: number };
      return { packets, bytes, cpuS: processCpuS(child.pid ?? 0), seconds: performance.now() / 1000 };
    };
    return await work(`${url}/whep`, async (durationS) => {
      const before = await read();
      await sleep(durationS * 1000);
      const after = await read();
      return {
        packets: after.packets - before.packets,
        bytes: after.bytes - before.bytes,
        cpuS: after.cpuS - before.cpuS,
        seconds: after.seconds - before.seconds,
      };
    });
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

function processCpuS(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

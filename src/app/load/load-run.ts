import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadResult, summarise } from './load-result.ts';
import type { LoadClient } from './viewer-record.ts';

const TICK_MS = 1000;

export interface LoadRunOptions {
  readonly kind: string;
  readonly url: string;
  readonly count: number;
  readonly durationS: number;
  readonly rampS: number;
  /** Called about every second with how far it is. */
  progress(text: string): void;
  /** Aborting ends the run early with the result so far. */
  readonly signal: AbortSignal;
}

/** Starts `count` clients evenly over the ramp, keeps them for the duration after it, closes them and sums up. */
export async function runLoad(options: LoadRunOptions, makeClient: (index: number) => LoadClient): Promise<LoadResult> {
  const clients: LoadClient[] = [];
  const tick = setInterval(() => {
    tickAll(clients);
    options.progress(
      `${clients.length} of ${options.count} started, ${clients.filter((client) => client.record.error !== undefined).length} failed`,
    );
  }, TICK_MS);
  await ramp(options, (index) => clients.push(makeClient(index)));
  tickAll(clients);
  const before = snapshot(clients);
  await sleep(options.durationS * 1000, undefined, { signal: options.signal }).catch(() => undefined);
  clearInterval(tick);
  tickAll(clients);
  const after = snapshot(clients);
  for (const client of clients) client.close();
  return summarise(
    {
      ...options,
      steadyS: (after.atMs - before.atMs) / 1000,
      steadyBytes: after.bytes - before.bytes,
      steadyPackets: after.packets - before.packets,
      cpuS: after.cpuS - before.cpuS,
    },
    clients.map((client) => client.record),
  );
}

async function ramp(options: LoadRunOptions, start: (index: number) => void): Promise<void> {
  const startMs = performance.now();
  for (let index = 0; index < options.count && !options.signal.aborted; ) {
    const due =
      options.rampS === 0 ? options.count : Math.floor((options.count * (performance.now() - startMs)) / (options.rampS * 1000)) + 1;
    while (index < Math.min(due, options.count)) start(index++);
    await sleep(5);
  }
}

function tickAll(clients: readonly LoadClient[]): void {
  const nowMs = performance.now();
  for (const client of clients) client.tick(nowMs);
}

function snapshot(clients: readonly LoadClient[]): { atMs: number; bytes: number; packets: number; cpuS: number } {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    bytes: clients.reduce((sum, { record }) => sum + record.bytes, 0),
    packets: clients.reduce((sum, { record }) => sum + (record.webrtc?.packets ?? 0), 0),
    cpuS: (user + system) / 1e6,
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RelayTls } from '../src/io/mod.ts';
import { TestCa } from '../src/io/relay/relay-certificates.fixture.ts';
import type { BenchCase } from './bench-case.ts';

/** What a process is told. */
export type RelayOrder =
  | { readonly kind: 'hold'; readonly tls: RelayTls; readonly streams: number }
  | { readonly kind: 'pull'; readonly tls: RelayTls; readonly streams: number; readonly port: number }
  | { readonly kind: 'begin' | 'measure' };

/** What it answers to `hold` and to `measure` (since `begin`). */
export interface RelayReport {
  readonly port?: number;
  readonly cpuShare?: number;
  readonly framesPerSecond?: number;
  readonly bitsPerSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

const PROCESS = fileURLToPath(new URL('./relay-process.ts', import.meta.url));
const STREAMS = 60;
const SETTLE_S = 4;
const MEASURE_S = 12;

/** Streams of 2.5 Mbit/s from one node to another: what it costs either side, and how long frames take from hub to hub. */
export const relay: BenchCase = {
  name: 'relay',
  run: async () => {
    const ca = await TestCa.make();
    const holder = start();
    const puller = start();
    try {
      const { port = 0 } = await ask(holder, { kind: 'hold', tls: await ca.issue('holder'), streams: STREAMS });
      // The publishers are synthetic and in the holder's process: what they cost there is taken off.
      const [alone] = await measure([holder]);
      tell(puller, { kind: 'pull', tls: await ca.issue('puller'), streams: STREAMS, port });
      const [holding, pulling] = await measure([holder, puller]);
      const percent = (share = 0): number => Math.round((share / STREAMS) * 100_000) / 1000;
      const holderShare = (holding?.cpuShare ?? 0) - (alone?.cpuShare ?? 0);
      const carried = `${STREAMS} streams, ${Math.round(pulling?.framesPerSecond ?? 0)} frames/s, ${Math.round((pulling?.bitsPerSecond ?? 0) / 1e6)} Mbit/s`;
      const bar = { atMost: 0.5 };
      return [
        {
          name: 'relay: holder',
          value: percent(holderShare),
          unit: '% of a core a stream of 2.5 Mbit/s',
          bar,
          note: `${carried}; ${Math.round((holding?.cpuShare ?? 0) * 100)} % of a core, ${Math.round((alone?.cpuShare ?? 0) * 100)} % without`,
        },
        {
          name: 'relay: puller',
          value: percent(pulling?.cpuShare),
          unit: '% of a core a stream of 2.5 Mbit/s',
          bar,
          note: `${Math.round((pulling?.cpuShare ?? 0) * 100)} % of a core`,
        },
        {
          name: 'relay: hub to hub over one hop',
          value: Math.round((pulling?.p99Ms ?? 0) * 100) / 100,
          unit: 'ms p99',
          bar: { atMost: 5 },
          note: `p50 ${Math.round((pulling?.p50Ms ?? 0) * 100) / 100} ms, TLS over loopback, all streams on one connection`,
        },
      ];
    } finally {
      holder.kill();
      puller.kill();
    }
  },
};

function start(): ChildProcess {
  return spawn(process.execPath, [PROCESS], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function tell(child: ChildProcess, order: RelayOrder): void {
  child.send(order);
}

async function ask(child: ChildProcess, order: RelayOrder): Promise<RelayReport> {
  const answer = once(child, 'message', { signal: AbortSignal.timeout(20_000) });
  tell(child, order);
  const [report] = (await answer) as [RelayReport];
  return report;
}

async function measure(children: readonly ChildProcess[]): Promise<RelayReport[]> {
  await sleep(SETTLE_S * 1000);
  for (const child of children) tell(child, { kind: 'begin' });
  await sleep(MEASURE_S * 1000);
  return Promise.all(children.map((child) => ask(child, { kind: 'measure' })));
}

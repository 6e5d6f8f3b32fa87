// What the transcoding cases share: publishers with real pictures and sound, the server's children, and which rungs run.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PublisherOptions, PublisherProcess } from '../src/io/demo/mod.ts';
import type { ServerProcess } from '../test/fixtures/server-process.ts';

const CLOCK_TICKS_PER_SECOND = 100;
const WAIT_MS_MAX = 60_000;

/** The configuration of a ladder of these rungs, made without viewers too where `always` says so. */
export const ladder = (rungs: readonly object[], always: boolean): Record<string, string> => ({
  SLUICE_APPS_LIVE_LADDER_TEMPLATE: 'custom',
  SLUICE_APPS_LIVE_LADDER_RUNGS: JSON.stringify(rungs),
  SLUICE_APPS_LIVE_LADDER_ALWAYS: String(always),
  SLUICE_TRANSCODE_TASKS_MAX: '100',
});

/** Publishes real media, one process a stream, for as long as `work` takes. */
export async function withRealPublishers<T>(publications: readonly PublisherOptions[], work: () => Promise<T>): Promise<T> {
  const publishers = publications.map((options) => {
    const listener = { publishing: () => undefined, ended: () => undefined };
    return new PublisherProcess(options, listener);
  });
  try {
    return await work();
  } finally {
    await Promise.all(publishers.map((publisher) => publisher.close()));
  }
}

/** Waits until these rungs of a stream are in one of the states. */
export async function untilRungs(
  server: ServerProcess,
  stream: string,
  names: readonly string[],
  states: readonly string[],
): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    const response = await fetch(`${server.httpUrl}/api/v1/streams/live/${stream}`);
    const { rungs = [] } = (await response.json()) as { rungs?: readonly { readonly name: string; readonly state: string }[] };
    const isSo = names.every((name) => rungs.some((rung) => rung.name === name && states.includes(rung.state)));
    if (response.ok && isSo) return;
    if (performance.now() - startMs > WAIT_MS_MAX) throw new Error(`the rungs of ${stream} are ${JSON.stringify(rungs)}`);
    await sleep(100);
  }
}

export interface CpuUse {
  readonly serverS: number;
  readonly childrenS: number;
  readonly seconds: number;
}

/** The CPU time that the server and its transcoding children use in `durationS` from now. */
export async function cpuUse(server: ServerProcess, durationS: number): Promise<CpuUse> {
  const read = (): CpuUse => ({
    serverS: server.cpuS(),
    childrenS: childrenOf(server.pid).reduce((sum, pid) => sum + cpuS(pid), 0),
    seconds: performance.now() / 1000,
  });
  const before = read();
  await sleep(durationS * 1000);
  const after = read();
  return {
    serverS: after.serverS - before.serverS,
    childrenS: after.childrenS - before.childrenS,
    seconds: after.seconds - before.seconds,
  };
}

/** User and system time of a process, by /proc; 0 when it is gone. */
export function cpuS(pid: number): number {
  const stat = readProc(pid, 'stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / CLOCK_TICKS_PER_SECOND;
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((id) => id > 0 && new RegExp(`^PPid:\\s+${pid}$`, 'm').test(readProc(id, 'status')))
    .filter((id) => readProc(id, 'cmdline').includes('transcode-worker'));
}

/** Empty for a process that is gone by now. */
function readProc(pid: number, file: 'stat' | 'status' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

/** Of at least one value. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** What a process uses by turns, in percent of a core a stream, of each round. */
export interface Turns {
  /** With children that are fed. */
  readonly fed: readonly number[];
  readonly bare: readonly number[];
}

export const turnsText = ({ fed, bare }: Turns, withWhat: string): string => `${list(fed)} % with ${withWhat}, ${list(bare)} % without`;
export const hundredths = (value: number): number => Math.round(value * 100) / 100;
const list = (values: readonly number[]): string => values.map(hundredths).join(', ');

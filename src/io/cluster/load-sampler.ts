import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { NodeLoad } from '../../cluster/mod.ts';
import { CpuGroup } from './cpu-group.ts';

/** What the machine has to say of a node's load. */
export type MachineLoad = Pick<
  NodeLoad,
  'cpu' | 'memoryBytes' | 'memoryMaxBytes' | 'networkInBps' | 'networkOutBps' | 'networkMaxBps' | 'loopLagMs' | 'diskFreeBytes'
>;

export interface LoadSamplerOptions {
  readonly dataFolder: string;
  /** Of the machine's way out; 0: what its interfaces say, if they do. */
  readonly networkMaxBps: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** The disk and the speed of interfaces change slowly, and are asked for seldom. */
const SLOW_EACH_MS = 10_000;
const LOOP_RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

interface Counters {
  readonly at: number;
  readonly busyMs: number;
  readonly totalMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/**
 * Samples CPU, memory, network, event loop and disk. Inside a container with limits, CPU and memory are those of the container. Each {@link sample} covers the
 * time since the one before. Takes some tenths of a millisecond; without `/proc` (macOS) there is no network.
 */
export class LoadSampler {
  private readonly options: LoadSamplerOptions;
  private readonly loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  private readonly group = new CpuGroup('/sys/fs/cgroup');
  private before: Counters;
  private slowAt = Number.NEGATIVE_INFINITY;
  private diskFreeBytes = 0;
  private networkMaxBps = 0;

  constructor(options: LoadSamplerOptions) {
    this.options = options;
    this.loop.enable();
    this.before = this.read();
  }

  sample(): MachineLoad {
    const { before } = this;
    const now = this.read();
    const elapsedS = Math.max(0.001, (now.at - before.at) / 1000);
    const totalMs = now.totalMs - before.totalMs;
    this.before = now;
    if (now.at - this.slowAt >= SLOW_EACH_MS) this.sampleSlow(now.at);
    const memory = this.group.memory();
    const lag = this.loop.percentile(99) / NS_PER_MS - LOOP_RESOLUTION_MS;
    this.loop.reset();
    return {
      cpu: totalMs <= 0 ? 0 : Math.round(Math.min(1, Math.max(0, (now.busyMs - before.busyMs) / totalMs)) * 1000) / 1000,
      memoryBytes: memory?.usedBytes ?? totalmem() - freememory(),
      memoryMaxBytes: memory?.maxBytes ?? totalmem(),
      networkInBps: Math.max(0, Math.round(((now.receivedBytes - before.receivedBytes) * 8) / elapsedS)),
      networkOutBps: Math.max(0, Math.round(((now.sentBytes - before.sentBytes) * 8) / elapsedS)),
      networkMaxBps: this.networkMaxBps,
      loopLagMs: Math.max(0, Math.round(lag * 10) / 10),
      diskFreeBytes: this.diskFreeBytes,
    };
  }

  close(): void {
    this.loop.disable();
  }

  private read(): Counters {
    const at = this.options.now();
    const limited = this.group.cpu();
    const { busyMs, totalMs } = limited === undefined ? machineCpu() : { busyMs: limited.usedMs, totalMs: at * limited.cores };
    const { receivedBytes, sentBytes } = parseNetwork(readText('/proc/net/dev'));
    return { at, busyMs, totalMs, receivedBytes, sentBytes };
  }

  private sampleSlow(at: number): void {
    const { dataFolder, networkMaxBps } = this.options;
    this.slowAt = at;
    this.networkMaxBps = networkMaxBps > 0 ? networkMaxBps : interfaceSpeed();
    try {
      const { bavail, bsize } = statfsSync(dataFolder);
      this.diskFreeBytes = bavail * bsize;
    } catch {
      // A folder that is not there (yet) has nothing free.
      this.diskFreeBytes = 0;
    }
  }
}

/** `/proc/net/dev`: bytes of all interfaces but loopback, and those that carry what another one carries already (bridges, containers). */
export function parseNetwork(text: string): { receivedBytes: number; sentBytes: number } {
  let receivedBytes = 0;
  let sentBytes = 0;
  for (const line of text.split('\n').slice(2)) {
    const [name = '', figures = ''] = line.split(':');
    if (figures === '' || !isWayOut(name.trim())) continue;
    const columns = figures.trim().split(/\s+/);
    receivedBytes += Number(columns[0]) || 0;
    sentBytes += Number(columns[8]) || 0;
  }
  return { receivedBytes, sentBytes };
}

const isWayOut = (name: string): boolean => name !== 'lo' && !/^(veth|docker|br-|virbr|cni|flannel|cali|dummy|ifb)/.test(name);

/** The sum of what the interfaces say of their speed; 0 when none does, as in most virtual machines. */
function interfaceSpeed(): number {
  let megabits = 0;
  for (const line of readText('/proc/net/dev').split('\n').slice(2)) {
    const name = (line.split(':')[0] ?? '').trim();
    if (name === '' || !isWayOut(name)) continue;
    const speed = Number(readText(`/sys/class/net/${name}/speed`));
    if (speed > 0) megabits += speed;
  }
  return megabits * 1e6;
}

/** From the first line of `/proc/stat`, in ticks of 10 ms; elsewhere from what Node.js says. */
function machineCpu(): { busyMs: number; totalMs: number } {
  const [, user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0] =
    readText('/proc/stat').split('\n', 1)[0]?.split(/\s+/).map(Number) ?? [];
  const busy = user + nice + system + irq + softIrq + steal;
  if (busy > 0) return { busyMs: busy * 10, totalMs: (busy + idle + wait) * 10 };
  let busyMs = 0;
  let idleMs = 0;
  for (const { times } of cpus()) {
    busyMs += times.user + times.nice + times.sys + times.irq;
    idleMs += times.idle;
  }
  return { busyMs, totalMs: busyMs + idleMs || availableParallelism() };
}

/** What a process could still get: not what happens to be unused, for that is nearly nothing on a machine that caches files. */
function freememory(): number {
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(readText('/proc/meminfo'))?.[1];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

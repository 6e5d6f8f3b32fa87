import { AllocationCheckers } from './allocation-checkers.ts';
import { BOUNDS, Checkers } from './checkers.ts';
import { Faults } from './faults.ts';
import { World, type WorldOptions } from './world.ts';

export interface RunOptions extends Partial<WorldOptions> {
  readonly seed: number;
  readonly seconds: number;
  /** Without faults. */
  readonly isQuiet?: boolean;
  /** How often something goes wrong in times of trouble, on average. */
  readonly faultMeanMs?: number;
  readonly lookMs?: number;
  readonly progress?: (world: World) => void;
  /** Time of the processor that this process has used. */
  readonly cpuMs?: () => number;
}

export interface RunResult {
  readonly virtualMs: number;
  /** How much faster than real time it went between the start of all nodes and the end of all streams; 0 without {@link RunOptions.cpuMs}. */
  readonly speed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly worst: Readonly<Record<string, number>>;
  /** In quiet times, of all nodes: the mean and the busiest one. */
  readonly bytesPerNodeAndSecond: { readonly mean: number; readonly max: number; readonly deafMean: number };
  readonly served: number;
  readonly parties: number;
  /** How often a wanted rung was looked at in quiet times. */
  readonly decidedChecks: number;
}

const BOOT_MS = 10_000;
const TROUBLE_MS = 15_000;
const CALM_MS = 25_000;

/** Runs a world through trouble and calm, and throws a {@link Violation} with the first thing that must not be. */
export function run(options: RunOptions): RunResult {
  const nodes = options.nodes ?? 12;
  const world = new World({
    nodes,
    regions: Math.max(2, Math.min(10, Math.round(nodes / 6))),
    streams: nodes,
    viewers: nodes * 6,
    viewersEach: 1,
    tickMs: 50,
    streamLifeMs: 60_000,
    viewerStayMs: 40_000,
    relayChildrenMax: 2,
    makers: 0,
    ...options,
  });
  const faults = new Faults(world);
  const lookMs = options.lookMs ?? 500;
  const checkers = new Checkers(world, faults, lookMs);
  const allocation = new AllocationCheckers(world, faults);
  const traffic = new TrafficMeter(world, checkers);
  const advance = (ms: number): void => {
    for (const end = world.now + ms; world.now < end; ) {
      world.agenda.runUntil(Math.min(end, world.now + lookMs - 1));
      checkers.look();
      if (world.options.makers > 0) allocation.look();
      options.progress?.(world);
    }
  };
  for (const node of world.nodes) world.after(world.random.between(0, 1_000), () => world.start(node));
  world.shows.begin();
  world.audience.begin();
  advance(BOOT_MS);
  const { cpuMs = () => 0 } = options;
  const cpuAtStart = cpuMs();
  const end = BOOT_MS + options.seconds * 1_000;
  while (world.now < end) {
    if (options.isQuiet !== true) {
      faults.trouble(TROUBLE_MS, options.faultMeanMs ?? 12_000 / nodes);
      advance(TROUBLE_MS);
    }
    checkers.calm(true);
    allocation.calm(true);
    advance(BOUNDS.settledMs);
    traffic.begin();
    advance(CALM_MS - BOUNDS.settledMs);
    traffic.end();
    checkers.calm(false);
    allocation.calm(false);
  }
  const usedMs = cpuMs() - cpuAtStart;
  const speed = usedMs > 0 ? (world.now - BOOT_MS) / usedMs : 0;
  const served = [...world.audience.parties].filter(({ servedAt }) => world.now - servedAt < 1_000).length;
  const parties = world.audience.parties.size;
  world.shows.close();
  world.audience.close();
  advance(BOUNDS.storeMs);
  checkers.lookAtTheEnd();
  return {
    virtualMs: world.now,
    speed,
    faults: Object.fromEntries(faults.counts),
    worst: { ...checkers.worst, ...allocation.worst },
    bytesPerNodeAndSecond: { mean: traffic.mean, max: traffic.max, deafMean: traffic.deafMean },
    served,
    parties,
    decidedChecks: allocation.decidedChecks,
  };
}

/** Counts what nodes say in quiet times. */
class TrafficMeter {
  mean = 0;
  max = 0;
  /** Of nodes that hear nobody's heartbeats. */
  deafMean = 0;
  private readonly world: World;
  private readonly checkers: Checkers;
  private readonly before = new Map<string, { readonly bytes: number; readonly messages: number }>();
  private beganAt = 0;

  constructor(world: World, checkers: Checkers) {
    this.world = world;
    this.checkers = checkers;
  }

  begin(): void {
    this.beganAt = this.world.now;
    for (const { id, bytes, messages } of this.read()) this.before.set(id, { bytes, messages });
  }

  end(): void {
    const seconds = (this.world.now - this.beganAt) / 1_000;
    const sums = this.read().map(({ id, bytes, messages, heard }) => {
      const before = this.before.get(id) ?? { bytes: 0, messages: 0 };
      return { id, bytes: bytes - before.bytes, messages: messages - before.messages, heard };
    });
    const deaf = sums.filter(({ heard }) => heard === 0);
    this.deafMean = deaf.reduce((sum, { bytes }) => sum + bytes, 0) / seconds / Math.max(1, deaf.length);
    const each = sums.map(({ bytes }) => bytes / seconds);
    this.mean = each.reduce((sum, one) => sum + one, 0) / Math.max(1, each.length);
    this.max = Math.max(...each);
    // Who watches and makes what is told each second.
    if (this.world.options.makers === 0) this.checkers.lookAtTraffic(seconds, sums);
  }

  private read(): { readonly id: string; readonly bytes: number; readonly messages: number; readonly heard: number }[] {
    return this.world.nodes.map(({ id, process }) => {
      const { bytes = 0, messages = 0 } = process?.client.traffic ?? {};
      return { id, bytes, messages, heard: process?.membership.heardNodes ?? 0 };
    });
  }
}

import type { NodeRole } from '../src/cluster/mod.ts';
import { type MonotonicMs, monotonicMs, type WallMs, wallMs } from '../src/core/mod.ts';
import type { Agenda } from './agenda.ts';
import type { SimProcess } from './sim-process.ts';

export const WALL_START_MS: number = Date.UTC(2026, 0, 1);

/** A machine's clocks. */
export class SimClock {
  /** By how much the wall clock is wrong. */
  offsetMs = 0;
  private readonly agenda: Agenda;

  constructor(agenda: Agenda) {
    this.agenda = agenda;
  }

  monotonic(): MonotonicMs {
    return monotonicMs(this.agenda.now);
  }

  wall(): WallMs {
    return wallMs(WALL_START_MS + this.agenda.now + this.offsetMs);
  }
}

/** A machine with its place in the cluster; its process comes and goes. */
export class SimNode {
  readonly id: string;
  readonly region: string;
  readonly roles: readonly NodeRole[];
  readonly viewersMax: number;
  /** Rungs that it makes at a time. */
  readonly tasksMax: number;
  /** When in each period its timers run. */
  readonly phaseMs: number;
  readonly clock: SimClock;
  process: SimProcess | undefined = undefined;
  /** Cut off from the store and the bus. */
  isCut = false;
  extraLatencyMs = 0;
  private readonly baseLatencyMs: number;

  constructor(options: {
    readonly id: string;
    readonly region: string;
    readonly roles: readonly NodeRole[];
    readonly viewersMax: number;
    readonly tasksMax: number;
    readonly phaseMs: number;
    readonly engineLatencyMs: number;
    readonly agenda: Agenda;
  }) {
    this.id = options.id;
    this.region = options.region;
    this.roles = options.roles;
    this.viewersMax = options.viewersMax;
    this.tasksMax = options.tasksMax;
    this.phaseMs = options.phaseMs;
    this.clock = new SimClock(options.agenda);
    this.baseLatencyMs = options.engineLatencyMs;
  }

  get engineLatencyMs(): number {
    return this.baseLatencyMs + this.extraLatencyMs;
  }

  get isRunning(): boolean {
    return this.process !== undefined && !this.process.isPaused;
  }
}

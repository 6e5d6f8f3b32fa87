import type { NodeRole } from '../src/cluster/mod.ts';
import type { SimProcess } from './sim-process.ts';

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
  process: SimProcess | undefined = undefined;
  /** Cut off from the store and the bus. */
  isCut = false;
  wallOffsetMs = 0;
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
  }) {
    this.id = options.id;
    this.region = options.region;
    this.roles = options.roles;
    this.viewersMax = options.viewersMax;
    this.tasksMax = options.tasksMax;
    this.phaseMs = options.phaseMs;
    this.baseLatencyMs = options.engineLatencyMs;
  }

  get engineLatencyMs(): number {
    return this.baseLatencyMs + this.extraLatencyMs;
  }

  get isRunning(): boolean {
    return this.process !== undefined && !this.process.isPaused;
  }
}

import { Violation } from './checkers.ts';
import type { Faults } from './faults.ts';
import { RUNGS } from './sim-allocation.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

/** In ms. */
export interface AllocationBounds {
  /** No node is to make more than its limit for longer, by what the streams' origins were told. */
  readonly limitMs: number;
  /** Something was decided about each rung that is wanted, and by that it is made by a node that is there; from the last fault. */
  readonly decidedMs: number;
}

export const ALLOCATION_BOUNDS: AllocationBounds = { limitMs: 8_000, decidedMs: 10_000 };

/** As long as a claim may have been made when the store lost it, unheard by others. */
const UNHEARD_MS = 2_000;

/** Looks at who makes what while a world runs, and throws a {@link Violation} at the first thing that must not be. */
export class AllocationCheckers {
  /** The longest that each thing took, of what has a bound. */
  readonly worst: Record<string, number> = {};
  /** How often a rung was looked at in calm times: there is something to be decided. */
  decidedChecks = 0;
  private readonly world: World;
  private readonly faults: Faults;
  private readonly leaders = new Map<number, { readonly by: string; readonly at: number }>();
  private readonly since = new Map<string, number>();
  private calmSince: number | undefined = undefined;

  constructor(world: World, faults: Faults) {
    this.world = world;
    this.faults = faults;
    world.observer = { ...world.observer, leading: (process, epoch) => this.leads(process, epoch) };
  }

  calm(isCalm: boolean): void {
    this.calmSince = isCalm ? this.world.now : undefined;
  }

  /** To be called each half second or so. */
  look(): void {
    this.lookAtLimits();
    this.lookAtWanted();
  }

  /** Orders of one epoch are one leader's. */
  private leads({ place, streams, startedAt }: SimProcess, epoch: number): void {
    const by = `${place.id}/${streams.holder.incarnation}`;
    const known = this.leaders.get(epoch);
    const { lostAt } = this.world.engine;
    const isUnheard = lostAt !== undefined && (lostAt - (known?.at ?? 0) < UNHEARD_MS || startedAt > lostAt - UNHEARD_MS);
    const isForgotten = known !== undefined && lostAt !== undefined && known.at < lostAt && isUnheard;
    if (known !== undefined && known.by !== by && !isForgotten) this.fail(`${known.by} and ${by} both allocate by epoch ${epoch}`);
    this.leaders.set(epoch, { by, at: this.world.now });
  }

  private lookAtLimits(): void {
    const made = new Map<string, Set<string>>();
    for (const { process } of this.world.nodes) {
      if (process === undefined || process.isPaused) continue;
      for (const { path, publication } of process.streams.hub.values()) {
        if (publication === undefined) continue;
        for (const { name } of RUNGS) {
          const node = process.allocation?.follower.orderOf(path, name)?.node;
          if (node !== undefined) made.set(node, (made.get(node) ?? new Set()).add(`${path} ${name}`));
        }
      }
    }
    for (const { id, tasksMax } of this.world.nodes) {
      const tasks = made.get(id)?.size ?? 0;
      this.lasts(
        tasks > tasksMax,
        `${id} is to make ${tasks} rungs, and may make ${tasksMax}`,
        ALLOCATION_BOUNDS.limitMs,
        `limit ${id}`,
        0,
      );
    }
  }

  private lookAtWanted(): void {
    const { calmSince, world } = this;
    if (calmSince === undefined) return;
    const seen = new Set<string>();
    for (const { process } of world.nodes) {
      for (const { path, watchers } of process?.streams.hub.values() ?? []) {
        const origin = world.node(process?.streams.directory?.stream(path)?.holder.node ?? '')?.process;
        // Who is the origin is for others to check.
        if (watchers.size === 0 || origin === undefined || origin.streams.directory?.ownEpoch(path) === undefined) continue;
        for (const { name } of RUNGS) {
          const key = `wanted ${path} ${name}`;
          if (seen.has(key)) continue;
          seen.add(key);
          this.decidedChecks += 1;
          const problem = this.problemOf(origin, path, name);
          this.lasts(problem !== undefined, `${name} of ${path}: ${problem}`, ALLOCATION_BOUNDS.decidedMs, key, calmSince);
        }
      }
    }
    for (const key of this.since.keys()) if (key.startsWith('wanted ') && !seen.has(key)) this.since.delete(key);
  }

  private problemOf(origin: SimProcess, path: string, rung: string): string | undefined {
    const order = origin.allocation?.follower.orderOf(path, rung);
    if (order === undefined) {
      const { isLed, pool } = origin.allocation?.follower ?? {};
      return `nothing was decided; its origin ${origin.place.id} is led: ${isLed}, by ${pool?.leader} with epoch ${pool?.epoch}`;
    }
    if (order.node === undefined) return this.hasRoom() && order.reason === 'limit' ? 'it is refused, and there is room' : undefined;
    const maker = this.world.node(order.node)?.process;
    return maker?.allocation?.follower.isOrdered(path, rung) === true
      ? undefined
      : `${order.node} is to make it, and ${maker === undefined ? 'is down' : 'does not know it'}`;
  }

  /** Whether a node has a task left by what it heard itself. */
  private hasRoom(): boolean {
    return this.world.nodes.some(({ process, id, tasksMax }) => {
      if (process === undefined || process.isDraining || process.isPaused || tasksMax === 0) return false;
      const pool = process.allocation?.follower.pool?.pool.nodes.find(({ node }) => node === id);
      return pool !== undefined && pool.state === 'active' && pool.tasks < pool.tasksMax;
    });
  }

  private lasts(isSo: boolean, what: string, boundMs: number, key: string, from: number): void {
    if (!isSo) {
      this.since.delete(key);
      return;
    }
    const { now } = this.world;
    const since = Math.max(from, this.since.get(key) ?? now);
    this.since.set(key, since);
    const name = boundMs === ALLOCATION_BOUNDS.limitMs ? 'overLimitMs' : 'undecidedMs';
    this.worst[name] = Math.max(this.worst[name] ?? 0, now - since);
    if (now - since > boundMs) this.fail(`${what}, for ${now - since} ms`);
  }

  private fail(what: string): never {
    throw new Violation(`at ${this.world.now} ms: ${what}\nlast faults: ${this.faults.log.slice(-12).join(', ')}`);
  }
}

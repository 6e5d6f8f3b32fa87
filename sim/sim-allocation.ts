import { AllocationFollower, Allocator } from '../src/allocation/mod.ts';
import type { RungOrder, TranscodeOffer, WatchedRung } from '../src/cluster/mod.ts';
import { wallMs } from '../src/core/mod.ts';
import type { SimProcess } from './sim-process.ts';

/** What every stream is offered in. The first is what most viewers take. */
export const RUNGS: readonly { readonly name: string; readonly width: number; readonly height: number }[] = [
  { name: '720p', width: 1280, height: 720 },
  { name: '360p', width: 640, height: 360 },
];

/** A process's part in deciding which node makes which rung: the real machines, on the watchers of a simulated node. */
export class SimAllocation {
  readonly follower: AllocationFollower;
  private readonly process: SimProcess;
  private readonly allocator: Allocator | undefined;

  constructor(process: SimProcess, incarnation: number) {
    this.process = process;
    const { client, membership, place, streams, world } = process;
    const own = { node: place.id, incarnation };
    this.follower = new AllocationFollower({
      own,
      bus: client.bus,
      watched: () => this.watched(),
      audiences: () => [],
      offer: () => this.offer(),
      ordersChanged: () => undefined,
      now: () => process.monotonic(),
    });
    if (!place.roles.includes('manager')) return;
    this.allocator = new Allocator({
      own,
      store: client.store,
      bus: client.bus,
      world: {
        nodes: () => membership.nodes(),
        node: (id) => membership.node(id),
        isAlive: (id, run) => membership.isAlive(id, run),
        get isJudging() {
          return membership.isJudging;
        },
        claimed: (path) => streams.directory?.stream(path),
      },
      isDraining: () => process.isDraining,
      clock: { monotonic: () => process.monotonic(), wall: () => wallMs(world.now + place.clock.offsetMs) },
      listener: { leading: (epoch) => world.observer.leading(process, epoch), resigned: () => undefined },
    });
  }

  tick(): void {
    const now = this.process.monotonic();
    this.follower.tick(now);
    this.allocator?.tick(now);
  }

  nodesChanged(): void {
    this.allocator?.nodesChanged();
  }

  die(): void {
    this.follower.close();
    this.allocator?.close();
  }

  /** What was decided about a rung by what its origin heard. */
  orderOf(path: string, rung: string): RungOrder | undefined {
    const { world, streams } = this.process;
    const origin = streams.directory?.stream(path)?.holder.node;
    return origin === undefined ? undefined : world.node(origin)?.process?.allocation?.follower.orderOf(path, rung);
  }

  /** What is refused is offered to nobody, so nobody watches it. */
  private watched(): readonly WatchedRung[] {
    const { streams, world } = this.process;
    const watched: WatchedRung[] = [];
    for (const { path, watchers } of streams.hub.values()) {
      if (watchers.size === 0) continue;
      for (const [at, { name, width, height }] of RUNGS.entries()) {
        const order = this.orderOf(path, name);
        if (order !== undefined && order.node === undefined && order.reason !== 'no-node') continue;
        const viewers = Math.ceil((watchers.size * world.viewersEach) / (at + 1));
        watched.push({ stream: path, rung: name, viewers, kind: 'video', codec: 'h264', width, height, frameRate: 30 });
      }
    }
    return watched;
  }

  private offer(): TranscodeOffer | undefined {
    const { tasksMax } = this.process.place;
    return tasksMax === 0 ? undefined : { tasksMax, cpuMax: 100, costs: {}, hardwareCodecs: [] };
  }
}

import type { Random } from './random.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

type Heal = () => void;
type Fault = (faults: Faults, world: World, random: Random) => Heal | undefined;

const aNode = (world: World, random: Random): SimNode => random.pick(world.nodes) as SimNode;

/** What can go wrong, each with what makes it good again. */
const FAULTS: Readonly<Record<string, Fault>> = {
  crash: (_faults, world, random) => {
    const node = aNode(world, random);
    if (node.process === undefined) return undefined;
    world.kill(node);
    return () => world.start(node);
  },
  /** No fault, but as good as one for whoever is there: the node is left by all, and ends. */
  drain: (_faults, world, random) => {
    const node = aNode(world, random);
    const { process } = node;
    if (process === undefined || process.isPaused || process.isDraining) return undefined;
    world.drain(node, random.between(3_000, 10_000));
    return () => {
      if (node.process === process) world.kill(node);
      world.start(node);
    };
  },
  pause: (_faults, world, random) => {
    const node = aNode(world, random);
    if (!node.isRunning) return undefined;
    world.pause(node);
    return () => world.resume(node);
  },
  cutFromEngine: (_faults, world, random) => {
    const node = aNode(world, random);
    if (node.isCut) return undefined;
    world.cut(node, true);
    return () => world.cut(node, false);
  },
  cutNodes: (_faults, world, random) => {
    const [left, right] = [aNode(world, random), aNode(world, random)];
    if (left === right) return undefined;
    world.network.cutNodes(left.id, right.id);
    world.linksMayBreak();
    return () => world.network.joinNodes(left.id, right.id);
  },
  cutRegions: (_faults, world, random) => {
    const [left, right] = [random.pick(world.regions) ?? '', random.pick(world.regions) ?? ''];
    if (left === right) return undefined;
    world.network.cutRegion(left, right);
    world.linksMayBreak();
    return () => world.network.joinRegion(left, right);
  },
  cutRegionFromEngine: (_faults, world, random) => {
    const region = random.pick(world.regions);
    const nodes = world.nodes.filter((node) => node.region === region && !node.isCut);
    for (const node of nodes) world.cut(node, true);
    return () => {
      for (const node of nodes) world.cut(node, false);
    };
  },
  clockJump: (_faults, world, random) => {
    const node = aNode(world, random);
    node.clock.offsetMs = (random.chance(0.5) ? 1 : -1) * random.between(1_000, 3_600_000);
    return () => {
      node.clock.offsetMs = 0;
    };
  },
  slowLink: (_faults, world, random) => {
    const node = aNode(world, random);
    if (node.extraLatencyMs > 0) return undefined;
    world.slowDown(node, random.between(50, 800));
    return () => world.slowDown(node, 0);
  },
  messageTrouble: (_faults, world, random) => {
    Object.assign(world.engine.faults, { twice: 0.2, late: 0.2, lateMsMax: random.between(100, 3_000) });
    return () => Object.assign(world.engine.faults, { twice: 0, late: 0, lateMsMax: 0 });
  },
  engineAway: (faults, world) => faults.stopEngine(world, false),
  engineLostAll: (faults, world) => faults.stopEngine(world, true),
  dropPublisher: (_faults, world, random) => {
    const encoder = random.pick(world.shows.live)?.encoders[0];
    if (encoder?.publication !== undefined) encoder.drop(random.chance(0.5));
    return undefined;
  },
  secondPublisher: (_faults, world, random) => {
    const show = random.pick(world.shows.live);
    if (show !== undefined) world.shows.double(show);
    return undefined;
  },
  endStream: (_faults, world, random) => {
    const show = random.pick(world.shows.live);
    if (show !== undefined && world.shows.live.length > world.options.streams / 2) world.shows.end(show);
    return undefined;
  },
};
const OFTEN = [
  'crash',
  'crash',
  'drain',
  'pause',
  'cutFromEngine',
  'dropPublisher',
  'dropPublisher',
  'secondPublisher',
  'secondPublisher',
  'endStream',
];

/** Makes trouble for a time, then makes everything good. */
export class Faults {
  /** How often each kind was made. */
  readonly counts: Map<string, number> = new Map();
  /** With their times, for the report of a failure. */
  readonly log: string[] = [];
  private readonly world: World;
  private readonly random: Random;
  private readonly open = new Map<number, Heal>();
  private isEngineStopped = false;
  private next = 0;

  constructor(world: World) {
    this.world = world;
    this.random = world.random.fork();
  }

  /** From now for `ms`; each `meanMs` on average something goes wrong. */
  trouble(ms: number, meanMs: number): void {
    const until = this.world.now + ms;
    const step = (): void => {
      if (this.world.now >= until) return;
      this.make(until);
      this.world.after(this.random.waitMs(meanMs), step);
    };
    this.world.after(this.random.waitMs(meanMs), step);
    this.world.after(ms, () => this.healAll());
  }

  stopEngine(world: World, isLost: boolean): Heal | undefined {
    if (this.isEngineStopped) return undefined;
    this.isEngineStopped = true;
    world.engine.stop();
    return () => {
      this.isEngineStopped = false;
      if (isLost) world.engine.wipe();
      world.engine.start();
    };
  }

  private make(until: number): void {
    const { random, world } = this;
    const kinds = Object.keys(FAULTS);
    const kind = (random.chance(0.7) ? random.pick(OFTEN) : random.pick(kinds)) ?? 'crash';
    const heal = FAULTS[kind]?.(this, world, random);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    if (this.log.length < 10_000) this.log.push(`${world.now} ${kind}`);
    if (heal === undefined) return;
    const id = this.next++;
    this.open.set(id, heal);
    const ms = Math.min(random.waitMs(5_000), until - world.now);
    world.after(ms, () => this.heal(id));
  }

  private heal(id: number): void {
    const heal = this.open.get(id);
    this.open.delete(id);
    heal?.();
  }

  private healAll(): void {
    for (const id of [...this.open.keys()]) this.heal(id);
  }
}

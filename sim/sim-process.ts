import { CLUSTER_PROTOCOL, Membership, type NodeLoad } from '../src/cluster/mod.ts';
import { type MonotonicMs, monotonicMs } from '../src/core/mod.ts';
import { Due } from './agenda.ts';
import { EngineClient, type EventLoop } from './engine-client.ts';
import { NodeStreams } from './node-streams.ts';
import { SimAllocation } from './sim-allocation.ts';
import { type SimNode, WALL_START_MS } from './sim-node.ts';
import type { World } from './world.ts';

/** A process's timers run. */
class Turn extends Due {
  private readonly process: SimProcess;
  private readonly at: number;

  constructor(process: SimProcess, at: number) {
    super();
    this.process = process;
    this.at = at;
  }

  override run(): void {
    this.process.turn(this.at);
  }
}

/** One run of a node's process. What is meant for it while it stands still waits. */
export class SimProcess implements EventLoop {
  readonly world: World;
  readonly place: SimNode;
  readonly client: EngineClient;
  readonly membership: Membership;
  readonly streams: NodeStreams;
  readonly startedAt: number;
  /** In a world where something is transcoded, as soon as the node is registered. */
  allocation: SimAllocation | undefined = undefined;
  /** What it gets, it does at once: it lives, and does not stand still. */
  isRunning = true;
  isDead = false;
  isDraining = false;
  private readonly phaseMs: number;
  private hasBegun = false;
  private waiting: (() => void)[] | undefined = undefined;
  /** The same object as long as nothing has changed. */
  private loaded: NodeLoad | undefined = undefined;
  /** When its timers run next; they do so in their turn, which comes each so often. */
  private turnAt = Number.POSITIVE_INFINITY;
  /** When what is to be ticked of its streams is due, as far as nothing stirs it before. */
  private streamsAt = 0;

  constructor(world: World, place: SimNode) {
    this.world = world;
    this.startedAt = world.now;
    this.place = place;
    this.phaseMs = place.phaseMs;
    this.client = new EngineClient(world.engine, { latencyMs: place.engineLatencyMs, isCut: place.isCut, loop: this });
    this.streams = new NodeStreams(this);
    this.membership = new Membership(
      {
        nodeChanged: (id) => this.nodesChanged(id),
        nodeGone: (id) => this.nodesChanged(id),
        ownStatus: () => undefined,
        warning: () => undefined,
      },
      {
        store: this.client.store,
        bus: this.client.bus,
        clock: place.clock,
        own: {
          id: place.id,
          region: place.region,
          roles: place.roles,
          endpoints: {
            http: `https://${place.id}.example.org:8080`,
            rtmp: `rtmp://${place.id}.example.org:1935`,
            relay: `${place.id}.example.org:7350`,
          },
          version: '1.0.0',
          protocol: CLUSTER_PROTOCOL,
          joinedAtMs: WALL_START_MS,
          certificateSerial: `5e1a${place.id}`,
        },
        clusterId: 'simulated',
        load: () => (this.loaded ??= this.load()),
        reader: world.knowledge.reader,
        share: world.knowledge.membershipOf(this.client),
      },
    );
    this.membership.start();
    this.wake(0);
  }

  get isPaused(): boolean {
    return this.waiting !== undefined;
  }

  monotonic(): MonotonicMs {
    return monotonicMs(this.world.now);
  }

  /** Runs it in this process's event loop. */
  hand(run: () => void): void {
    if (this.isDead) return;
    if (this.waiting !== undefined) {
      this.waiting.push(run);
      return;
    }
    run();
    this.stirred();
    this.wake(this.membership.wakeAt);
  }

  /** What may have set a timer of its streams was done without {@link hand}. */
  stirred(): void {
    const at = this.streams.wakeAt;
    if (at >= this.streamsAt) return;
    this.streamsAt = at;
    this.wake(at);
  }

  pause(): void {
    this.world.network.changes += 1;
    this.waiting ??= [];
    this.isRunning = false;
    this.client.sleep();
  }

  resume(): void {
    const { waiting } = this;
    this.waiting = undefined;
    this.world.network.changes += 1;
    this.isRunning = !this.isDead;
    if (!this.isRunning) return;
    this.client.wake(() => {
      for (const run of waiting ?? []) this.hand(run);
    });
    this.wake(0);
  }

  drain(forMs: number): void {
    this.isDraining = true;
    this.membership.setOwnStatus('draining', { forMs, deadlineWallMs: this.place.clock.wall() + forMs });
    this.streams.drain();
  }

  kill(): void {
    if (this.isDead) return;
    this.world.network.changes += 1;
    this.client.close();
    this.membership.close();
    this.isDead = true;
    this.isRunning = false;
    this.waiting = undefined;
    this.allocation?.die();
    this.streams.die();
  }

  /** Lets its timers run in the first turn from `at` on. */
  private wake(at: number): void {
    const { world, phaseMs } = this;
    const { now, tickMs } = world;
    const from = Math.max(at, now + 1) - phaseMs;
    const turnAt = Math.ceil(from / tickMs) * tickMs + phaseMs;
    if (turnAt >= this.turnAt) return;
    this.turnAt = turnAt;
    world.agenda.add(turnAt - now, new Turn(this, turnAt));
  }

  /** The agenda's. */
  turn(at: number): void {
    // Another turn was wanted sooner, and has come.
    if (this.turnAt !== at) return;
    this.turnAt = Number.POSITIVE_INFINITY;
    if (this.isRunning) this.tick();
  }

  private tick(): void {
    const now = this.monotonic();
    const { membership } = this;
    if (now >= membership.wakeAt) membership.tick(now);
    if (!this.hasBegun && membership.incarnation !== undefined) this.begin(membership.incarnation);
    if (now >= this.streamsAt) {
      this.streams.tick(now);
      this.streamsAt = this.streams.wakeAt;
    }
    this.allocation?.tick();
    this.wake(this.allocation === undefined ? Math.min(membership.wakeAt, this.streamsAt) : now);
  }

  private begin(incarnation: number): void {
    this.hasBegun = true;
    this.streams.begin(incarnation);
    if (this.world.options.makers > 0) this.allocation = new SimAllocation(this, incarnation);
  }

  private nodesChanged(node: string): void {
    this.streams.directory?.nodesChanged(node);
    this.stirred();
    this.allocation?.nodesChanged();
  }

  /** Other viewers or streams are here. */
  loadChanged(): void {
    this.loaded = undefined;
  }

  private load(): NodeLoad {
    const { viewersMax } = this.place;
    const viewers = this.streams.watching * this.world.viewersEach;
    return {
      cpu: Math.min(1, viewers / viewersMax),
      memoryBytes: 1e9,
      memoryMaxBytes: 16e9,
      networkInBps: 1e8,
      networkOutBps: Math.round(viewers * 2.5e6),
      networkMaxBps: viewersMax * 3e6,
      loopLagMs: 1.5,
      viewers: { flv: 0, rtmp: 0, hls: viewers, webrtc: 0 },
      viewersMax,
      streams: this.streams.hub.size,
      tasks: 0,
      tasksMax: 4,
      diskFreeBytes: 1e11,
      mediaInBps: 1e8,
      mediaOutBps: Math.round(viewers * 2.5e6),
      latencyP50Ms: 4,
      latencyP95Ms: 9,
    };
  }
}

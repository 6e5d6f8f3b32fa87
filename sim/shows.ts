import type { SecondPublisher } from '../src/cluster/mod.ts';
import type { Publication } from './hub-stream.ts';
import type { Random } from './random.ts';
import type { SimNode } from './sim-node.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

const WALL_START_MS = Date.UTC(2026, 0, 1);
/** How long an encoder waits for a node that says nothing. */
const ENCODER_TIMEOUT_MS = 5_000;

/** A stream as its makers see it: with an encoder, at times with two. */
export interface Show {
  readonly path: string;
  readonly region: string;
  readonly policy: SecondPublisher;
  readonly startedWallMs: number;
  readonly encoders: Encoder[];
  /** Undefined while it goes on. */
  overAt: number | undefined;
}

/** Publishes a show to one node at a time; comes back when that goes away. */
export class Encoder {
  readonly show: Show;
  process: SimProcess | undefined = undefined;
  publication: Publication | undefined = undefined;
  connectedAt = 0;
  isOff = false;
  private readonly world: World;
  private readonly random: Random;
  private last: SimNode | undefined = undefined;
  private attempt = 0;

  constructor(world: World, show: Show, random: Random) {
    this.world = world;
    this.show = show;
    this.random = random;
  }

  connect(isElsewhere: boolean): void {
    const attempt = ++this.attempt;
    const { world, random, show } = this;
    if (this.isOff) return;
    const exclude = isElsewhere && this.last !== undefined ? new Set([this.last.id]) : new Set<string>();
    const node =
      (!isElsewhere && this.last) ||
      world.route({ kind: 'publish', region: show.region, exclude, isFullAccepted: true }, undefined, random);
    const later = (ms: number): void => world.after(ms, () => this.attempt === attempt && this.connect(random.chance(0.5)));
    if (!node || node.process === undefined) {
      this.last = undefined;
      later(random.between(500, 2_000));
      return;
    }
    const { process } = node;
    if (process.isPaused) {
      this.last = undefined;
      later(ENCODER_TIMEOUT_MS);
      return;
    }
    this.last = node;
    world.after(random.between(2, 40), () => {
      if (this.attempt !== attempt || process.isDead || process.isPaused) return later(ENCODER_TIMEOUT_MS);
      const publication: Publication = {
        path: show.path,
        startedWallMs: show.startedWallMs,
        closed: (reason) => this.publication === publication && this.lost(reason),
      };
      if (!process.streams.publish(publication)) return later(random.between(1_000, 4_000));
      this.publication = publication;
      this.process = process;
      this.connectedAt = world.now;
    });
  }

  /** The connection breaks without a word; the encoder comes back. */
  drop(isElsewhere: boolean): void {
    this.leave(false);
    const attempt = ++this.attempt;
    this.world.after(this.random.between(200, 4_000), () => this.attempt === attempt && this.connect(isElsewhere));
  }

  /** For good. */
  stop(isOver: boolean): void {
    this.isOff = true;
    this.attempt += 1;
    this.leave(isOver);
  }

  private leave(isOver: boolean): void {
    const { process, publication } = this;
    this.process = undefined;
    this.publication = undefined;
    if (process !== undefined && publication !== undefined) process.hand(() => process.streams.unpublish(publication, isOver));
  }

  private lost(reason: 'evicted' | 'died'): void {
    this.process = undefined;
    this.publication = undefined;
    const attempt = ++this.attempt;
    const isOther = this.show.encoders.some((other) => other !== this && other.publication !== undefined);
    if (reason === 'evicted' && isOther) {
      // Two encoders that throw each other out for ever prove nothing.
      this.isOff = true;
      this.show.encoders.splice(this.show.encoders.indexOf(this), 1);
      return;
    }
    this.world.after(this.random.between(300, 3_000), () => this.attempt === attempt && this.connect(this.random.chance(0.7)));
  }
}

/** All shows: as many as are wanted at a time, each for its while. */
export class Shows {
  readonly all: Map<string, Show> = new Map();
  /** In the order in which they began; those that are over are taken out. */
  readonly live: Show[] = [];
  private readonly world: World;
  private readonly random: Random;
  private readonly policies = new Map<string, SecondPublisher>();
  private isClosed = false;
  private count = 0;

  constructor(world: World) {
    this.world = world;
    this.random = world.random.fork();
  }

  begin(): void {
    for (let at = 0; at < this.world.options.streams; at++) this.world.after(this.random.between(0, 2_000), () => this.start());
  }

  policyOf(path: string): SecondPublisher {
    return this.policies.get(path) ?? 'reject';
  }

  /** A second publisher of a show, somewhere else. */
  double(show: Show): void {
    if (show.encoders.length > 1 || this.isClosed) return;
    const encoder = new Encoder(this.world, show, this.random);
    show.encoders.push(encoder);
    encoder.connect(false);
  }

  /** Encoders at a node that stands still notice after a while. */
  nodeStandsStill(node: SimNode): void {
    const { process } = node;
    this.world.after(ENCODER_TIMEOUT_MS, () => {
      if (process === undefined || !process.isPaused) return;
      for (const show of this.live) for (const encoder of [...show.encoders]) if (encoder.process === process) encoder.drop(true);
    });
  }

  /** Encoders that know the request to reconnect go elsewhere; the others stay to the end. */
  nodeDrains(node: SimNode): void {
    const { process } = node;
    for (const show of this.live)
      for (const encoder of [...show.encoders]) {
        if (encoder.process !== process || !this.random.chance(0.5)) continue;
        this.world.after(this.random.between(0, 1_000), () => encoder.process === process && encoder.drop(true));
      }
  }

  /** Since when somebody publishes it without a break; undefined while nobody does. */
  publishedSince(show: Show): number | undefined {
    let since: number | undefined;
    for (const { publication, process, connectedAt } of show.encoders) {
      if (publication === undefined || process === undefined || process.isDead || process.isPaused) continue;
      since = Math.min(since ?? connectedAt, connectedAt);
    }
    return since;
  }

  end(show: Show): void {
    if (show.overAt !== undefined) return;
    show.overAt = this.world.now;
    const isOver = this.random.chance(0.7);
    for (const encoder of [...show.encoders]) encoder.stop(isOver);
    this.live.splice(this.live.indexOf(show), 1);
    this.world.after(120_000, () => this.all.delete(show.path));
  }

  /** Everything ends. */
  close(): void {
    this.isClosed = true;
    for (const show of [...this.live]) this.end(show);
  }

  private start(): void {
    if (this.isClosed) return;
    const { world, random } = this;
    const path = `live/show${this.count++}`;
    const region = random.pick(world.regions) ?? '';
    const policy = random.pick<SecondPublisher>(['reject', 'reject', 'takeover', 'standby']) ?? 'reject';
    const show: Show = { path, region, policy, startedWallMs: WALL_START_MS + world.now, encoders: [], overAt: undefined };
    this.policies.set(path, policy);
    this.all.set(path, show);
    this.live.push(show);
    const encoder = new Encoder(world, show, random);
    show.encoders.push(encoder);
    encoder.connect(false);
    world.after(random.waitMs(world.options.streamLifeMs), () => {
      this.end(show);
      world.after(random.between(0, 1_000), () => this.start());
    });
  }
}

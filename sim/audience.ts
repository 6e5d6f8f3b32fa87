import type { HubStream } from './hub-stream.ts';
import type { Random } from './random.ts';
import type { Show } from './shows.ts';
import type { SimNode } from './sim-node.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

/** Viewers who watch the same in the same region, for a while. */
export class Party {
  /** Of all parties, in the order in which they came. */
  readonly number: number;
  readonly show: Show;
  readonly region: string;
  readonly since: number;
  process: SimProcess | undefined = undefined;
  isGone = false;
  /** It tries another node no sooner. */
  patientUntil = 0;
  /** Since when it is served by somebody who lost the stream. */
  misledSince: number | undefined = undefined;
  private readonly world: World;
  private readonly random: Random;
  private attempt = 0;
  private has: HubStream | undefined = undefined;
  private hasSince = 0;
  private seenServedAt: number;

  constructor(world: World, number: number, show: Show, region: string, random: Random) {
    this.number = number;
    this.world = world;
    this.show = show;
    this.region = region;
    this.random = random;
    this.since = world.now;
    this.seenServedAt = world.now;
  }

  /** As it has it from the node where it watches. */
  get stream(): HubStream | undefined {
    return this.has;
  }

  /** When it was last seen to get its stream, or came. */
  get servedAt(): number {
    const at = this.has?.servedAt ?? 0;
    return at >= this.hasSince ? Math.max(at, this.seenServedAt) : this.seenServedAt;
  }

  /** It is seen to get its stream. */
  served(): void {
    this.seenServedAt = this.world.now;
  }

  get path(): string {
    return this.show.path;
  }

  seek(): void {
    const attempt = ++this.attempt;
    if (this.isGone) return;
    if (this.show.overAt !== undefined && this.world.now - this.show.overAt > 2_000) {
      this.world.audience.go(this);
      return;
    }
    const { world, random, path, region } = this;
    const node = world.route({ kind: 'play', region, isFullAccepted: true }, path, random);
    const again = (): void => world.after(random.between(500, 1_500), () => this.attempt === attempt && this.seek());
    if (node === undefined) {
      again();
      return;
    }
    world.after(random.between(2, 40), () => {
      if (this.attempt !== attempt) return;
      const { process } = node;
      const stream = process === undefined || process.isPaused ? undefined : process.streams.watch(this);
      if (stream === undefined) again();
      else this.found(stream);
    });
  }

  private found(stream: HubStream): void {
    this.world.audience.seeking.delete(this);
    this.process = stream.owner.process;
    this.has = stream;
    this.hasSince = this.world.now;
  }

  private lost(): void {
    this.seenServedAt = this.servedAt;
    this.process = undefined;
    this.has = undefined;
    if (!this.isGone) this.world.audience.seeking.add(this);
  }

  /** The node ended the stream, or itself. */
  dropped(): void {
    this.lost();
    const attempt = ++this.attempt;
    this.world.after(this.random.between(200, 1_500), () => this.attempt === attempt && this.seek());
  }

  /** Tries another node: nothing comes any more. */
  move(): void {
    this.leave();
    this.seek();
  }

  leave(): void {
    const { process } = this;
    this.lost();
    this.attempt += 1;
    process?.hand(() => process.streams.unwatch(this));
  }
}

/** All viewers: as many as are wanted at a time. */
export class Audience {
  readonly parties: Set<Party> = new Set();
  /** Those that watch nowhere now. */
  readonly seeking: Set<Party> = new Set();
  private readonly world: World;
  private readonly random: Random;
  private isClosed = false;
  private count = 0;

  constructor(world: World) {
    this.world = world;
    this.random = world.random.fork();
  }

  begin(): void {
    const { viewers, viewersEach } = this.world.options;
    for (let at = 0; at < viewers / viewersEach; at++) this.world.after(this.random.between(2_000, 6_000), () => this.come());
  }

  /** Most players follow when they are sent elsewhere. */
  nodeDrains(node: SimNode): void {
    const { process } = node;
    for (const party of this.parties) {
      if (party.process !== process || !this.random.chance(0.8)) continue;
      this.world.after(this.random.between(0, 3_000), () => party.process === process && party.move());
    }
  }

  close(): void {
    this.isClosed = true;
    for (const party of [...this.parties]) this.go(party);
  }

  private come(): void {
    if (this.isClosed) return;
    const { world, random } = this;
    const { live } = world.shows;
    // Few streams have most of the viewers.
    const show = live[Math.floor(live.length * random.next() ** 2)];
    if (show === undefined) {
      world.after(1_000, () => this.come());
      return;
    }
    const region = (random.chance(0.6) ? show.region : random.pick(world.regions)) ?? '';
    const party = new Party(world, this.count++, show, region, random);
    this.parties.add(party);
    this.seeking.add(party);
    party.seek();
    world.after(random.waitMs(world.options.viewerStayMs), () => this.go(party));
  }

  /** Leaves; another one comes. */
  go(party: Party): void {
    if (!this.parties.delete(party)) return;
    party.isGone = true;
    this.seeking.delete(party);
    party.leave();
    this.world.after(this.random.between(10, 1_000), () => this.come());
  }
}

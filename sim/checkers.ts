import type { Party } from './audience.ts';
import type { Faults } from './faults.ts';
import type { HubStream, Source } from './hub-stream.ts';
import type { NodeStreams } from './node-streams.ts';
import type { RelayPull } from './relay-pull.ts';
import type { World } from './world.ts';

/** What a run must keep. Times in ms; the bounds count from the last fault. */
export interface Bounds {
  /** Every viewer of a stream that is published is served. */
  readonly servedMs: number;
  /** Each region is fed once. */
  readonly settledMs: number;
  /** A node that can know that its claim is lost has given way. */
  readonly staleOwnerMs: number;
  /** A relay loop lasts no longer. */
  readonly loopMs: number;
  /** Nothing is left in the store of what is over. */
  readonly storeMs: number;
  /** Of the store and the bus in quiet times, beside the heartbeats of nodes that a node hears. */
  readonly messagesPerNodeAndSecondMax: number;
  readonly bytesPerNodeAndSecondMax: number;
  readonly bytesPerHeartbeatMax: number;
}

export const BOUNDS: Bounds = {
  servedMs: 15_000,
  settledMs: 15_000,
  staleOwnerMs: 8_000,
  loopMs: 1_000,
  storeMs: 60_000,
  messagesPerNodeAndSecondMax: 60,
  bytesPerNodeAndSecondMax: 5_000,
  bytesPerHeartbeatMax: 600,
};

/** A viewer who gets nothing for so long tries another node, as players do. */
const PLAYER_PATIENCE_MS = 10_000;

/** A node that pulls from another node than before is without frames for so long at most; its viewers have as much in their buffers. */
const SWITCH_MS_MAX = 1_000;

const UNHEARD_MS = 2_000;

/** What comes through more nodes than this comes from itself. */
const HOPS_MAX = 16;

/** What a run must not do: told with the time and what was seen. */
export class Violation extends Error {}

/** Each stream at each node is looked up once at a time, for all who have it from there. */
export function sourceOf(world: World, stream: HubStream, hops = 0): Source {
  if (stream.seenAt === world.now) return stream.seen;
  const source = hops > HOPS_MAX ? 'loop' : lookUp(world, stream, hops);
  stream.seenAt = world.now;
  stream.seen = source;
  return source;
}

function lookUp(world: World, stream: HubStream, hops: number): Source {
  const { owner, pull } = stream;
  if (!owner.process.isRunning) return undefined;
  if (stream.publication !== undefined) return stream;
  const source = pull?.source;
  if (source === undefined || !world.isLinked(owner.process, source.process)) return undefined;
  const there = pull?.sourceStream;
  return there === undefined ? undefined : sourceOf(world, there, hops + 1);
}

/** Looks at a world while it runs, and throws a {@link Violation} at the first thing that must not be. */
export class Checkers {
  /** The longest that each thing took, of what has a bound. */
  readonly worst: Record<string, number> = {};
  servedChecks = 0;
  private readonly world: World;
  private readonly faults: Faults;
  private readonly lookMs: number;
  private readonly owners = new Map<string, { readonly by: string; readonly at: number }>();
  private readonly since = new Map<string, number>();
  /** From when on everything is as it should be; undefined in times of trouble. */
  private calmSince: number | undefined = undefined;

  /** `lookMs`: how often {@link look} is called. */
  constructor(world: World, faults: Faults, lookMs: number) {
    this.lookMs = lookMs;
    this.world = world;
    this.faults = faults;
    world.observer = { ...world.observer, held: (streams, path, epoch) => this.held(streams, path, epoch) };
  }

  calm(isCalm: boolean): void {
    this.calmSince = isCalm ? this.world.now : undefined;
  }

  /** Looks at everything; to be called each half second or so. */
  look(): void {
    for (const party of this.world.audience.parties) this.lookAtParty(party);
    this.lookAtOwners();
    const calmMs = this.calmSince === undefined ? 0 : this.world.now - this.calmSince;
    if (calmMs > BOUNDS.settledMs) this.lookAtRegions();
  }

  /** When everything has been over for {@link Bounds.storeMs}. */
  lookAtTheEnd(): void {
    const { engine, nodes } = this.world;
    for (const prefix of ['streams/', 'regions/']) {
      const left = engine.under(prefix);
      if (left.length > 0)
        this.fail(`${left.length} keys are left in the store, e.g. ${left[0]?.key}: ${new TextDecoder().decode(left[0]?.value)}`);
    }
    for (const { process, id } of nodes) {
      for (const [what, size] of Object.entries(process?.streams.sizes ?? {})) {
        if (size > 0) this.fail(`${id} still has ${size} entries in ${what}`);
      }
    }
  }

  /** What nodes sent and got in a quiet time of `seconds`. */
  lookAtTraffic(
    seconds: number,
    sums: readonly { readonly id: string; readonly messages: number; readonly bytes: number; readonly heard: number }[],
  ): void {
    for (const { id, messages, bytes, heard } of sums) {
      const perSecond = messages / seconds - heard;
      const bytesPerSecond = bytes / seconds - heard * BOUNDS.bytesPerHeartbeatMax;
      this.note('messagesPerNodeAndSecond', perSecond);
      this.note('bytesPerNodeAndSecond', bytesPerSecond);
      if (perSecond > BOUNDS.messagesPerNodeAndSecondMax) this.fail(`${id} had ${perSecond} control messages a second beside heartbeats`);
      if (bytesPerSecond > BOUNDS.bytesPerNodeAndSecondMax)
        this.fail(`${id} had ${bytesPerSecond} control bytes a second beside heartbeats`);
    }
  }

  private held(streams: NodeStreams, path: string, epoch: number): void {
    const key = `${path} ${epoch}`;
    const by = `${streams.id}/${streams.holder.incarnation}`;
    const owner = this.owners.get(key);
    const { lostAt } = this.world.engine;
    // Made before the store lost everything, and the claimant cannot have heard of it: it was made just then, or the claimant began after it.
    const isUnheard = lostAt !== undefined && (lostAt - (owner?.at ?? 0) < UNHEARD_MS || streams.process.startedAt > lostAt - UNHEARD_MS);
    const isForgotten = owner !== undefined && lostAt !== undefined && owner.at < lostAt && isUnheard;
    if (owner !== undefined && owner.by !== by && !isForgotten) this.fail(`epoch ${epoch} of ${path} is held by ${owner.by} and by ${by}`);
    this.owners.set(key, { by, at: this.world.now });
  }

  private lookAtParty(party: Party): void {
    const { world } = this;
    const { process, stream } = party;
    const source = stream === undefined ? undefined : sourceOf(world, stream);
    if (source === 'loop') this.lasts(`loop of ${party.path} at ${process?.place.id}`, BOUNDS.loopMs, 'loopMs');
    // Without anything that lasts, as nearly always, there is nothing to be looked up.
    else if (this.since.size > 0) this.since.delete(`loop of ${party.path} at ${process?.place.id}`);
    if (source !== undefined && source !== 'loop') {
      party.servedAt = world.now;
      this.lookForMisled(party, source);
      return;
    }
    this.lookForForgotten(party);
    if (world.now - party.servedAt > PLAYER_PATIENCE_MS && process !== undefined && world.now >= party.patientUntil) {
      party.patientUntil = world.now + PLAYER_PATIENCE_MS;
      party.move();
    }
  }

  /** Served, but by a node that lost the stream and could know it. */
  private lookForMisled(party: Party, source: HubStream): void {
    const { world } = this;
    const from = source.owner;
    const canKnow = this.isMisleading(source) && party.process?.client.isConnected === true && from.process.client.isConnected;
    if (!canKnow) {
      party.misledSince = undefined;
      return;
    }
    party.misledSince ??= world.now;
    const ms = world.now - party.misledSince;
    this.note('staleOwnerMs', ms);
    if (ms > BOUNDS.staleOwnerMs)
      this.fail(
        `viewers of ${party.path} at ${party.process?.place.id} are served by ${from.id}, whose claim was lost to ${from.directory?.stream(party.path)?.holder.node}`,
      );
  }

  /** Whether a node with a publisher goes on although it knows that the stream is another's. */
  private isMisleading(source: HubStream): boolean {
    if (source.misleadsAt === this.world.now) return source.misleads;
    const { owner, path } = source;
    const known = owner.directory?.stream(path);
    const isFromOwner = known === undefined || (known.holder.node === owner.id && known.holder.incarnation === owner.holder.incarnation);
    source.misleadsAt = this.world.now;
    source.misleads = !isFromOwner && !owner.standbys.has(path) && owner.directory?.ownEpoch(path) !== undefined;
    return source.misleads;
  }

  private lookForForgotten(party: Party): void {
    const { world } = this;
    const publishedSince = world.shows.publishedSince(party.show);
    if (this.calmSince === undefined || publishedSince === undefined) return;
    const from = Math.max(this.calmSince, publishedSince, party.since);
    const ms = world.now - from;
    this.servedChecks += 1;
    // The time between two upstreams is no outage.
    if (world.now - party.servedAt <= SWITCH_MS_MAX + this.lookMs - 500) return;
    this.note('servedMs', ms);
    if (ms <= BOUNDS.servedMs) return;
    const { process, path } = party;
    const upstream = process?.streams.directory?.upstreamOf(path);
    const known = process?.streams.directory?.stream(path);
    const publishers = party.show.encoders.map(
      (encoder) => `${encoder.process?.place.id} (epoch ${encoder.process?.streams.directory?.ownEpoch(path)})`,
    );
    const source = upstream === undefined ? undefined : world.node(upstream.node)?.process?.streams;
    const about = (streams: NodeStreams | undefined): string =>
      `${streams?.id} (hub ${streams?.hub.get(path)?.isRelayed}, pull from ${streams?.pulls.get(path)?.upstream?.node} ${streams?.pulls.get(path)?.source?.id}, epoch ${streams?.pulls.get(path)?.epoch}, hops ${streams?.pulls.get(path)?.hops}, upstreamOf ${streams?.directory?.upstreamOf(path)?.node}, regional ${streams?.directory?.isRegionalOrigin(path)})`;
    this.fail(
      `${about(process?.streams)} <- ${about(source)}: viewers of ${path} (${party.show.policy}) in ${party.region} at ${process?.place.id} (${process?.place.region}) are not served for ${ms} ms; published at ${publishers.join(', ')} in ${party.show.region}; ` +
        `known: ${JSON.stringify(known?.holder)} ${known?.epoch} alive ${process?.membership.isAlive(known?.holder.node ?? '', known?.holder.incarnation ?? 0)}; ` +
        `upstream ${JSON.stringify(upstream)}; stored: ${new TextDecoder().decode(world.engine.read(`streams/${path}`)?.value)}; ` +
        `regional: ${new TextDecoder().decode(world.engine.read(`regions/${process?.place.region}/${path}`)?.value)}`,
    );
  }

  /** No node goes on as an owner when the store has said otherwise for a while. */
  private lookAtOwners(): void {
    const { world } = this;
    for (const { process } of world.nodes) {
      if (process === undefined) continue;
      const { streams, client } = process;
      for (const stream of streams.hub.values()) {
        if (stream.publication === undefined) continue;
        const { path } = stream;
        const epoch = streams.directory?.ownEpoch(path);
        const stored = streams.directory?.stream(path);
        const isLost = epoch !== undefined && stored !== undefined && stored.epoch > epoch && stored.holder.node !== streams.id;
        if (!isLost && this.since.size === 0) continue;
        const key = `owner ${streams.id}/${streams.holder.incarnation} of ${path}`;
        if (isLost && client.isConnected && !process.isPaused)
          this.lasts(`${key}: lost to ${stored.holder.node}`, BOUNDS.staleOwnerMs, 'staleOwnerMs', key);
        else this.since.delete(key);
      }
    }
  }

  private lookAtRegions(): void {
    const { world } = this;
    for (const region of world.regions) {
      const feeds = new Map<string, RelayPull[]>();
      for (const { process } of world.nodesOf(region)) {
        for (const [path, pull] of process?.streams.pulls ?? []) {
          if (pull.source === undefined || pull.source.region === region) continue;
          const others = feeds.get(path);
          if (others === undefined) feeds.set(path, [pull]);
          else others.push(pull);
        }
      }
      for (const [path, pulls] of feeds) this.lookAtFeeds(`${path} into ${region}`, pulls);
    }
  }

  private lookAtFeeds(key: string, pulls: readonly RelayPull[]): void {
    if (pulls.length > 1) {
      const by = pulls.map(({ owner, source }) => `${owner.id} from ${source?.id}`).join(', ');
      this.lasts(`${key} is fed ${pulls.length} times: ${by}`, BOUNDS.settledMs, 'fedTwiceMs', `feed ${key}`);
    } else if (this.since.size > 0) {
      this.since.delete(`feed ${key}`);
    }
  }

  private lasts(what: string, boundMs: number, name: string, key: string = what): void {
    const since = this.since.get(key) ?? this.world.now;
    this.since.set(key, since);
    this.note(name, this.world.now - since);
    if (this.world.now - since > boundMs) this.fail(`${what}, for ${this.world.now - since} ms`);
  }

  private note(name: string, value: number): void {
    this.worst[name] = Math.max(this.worst[name] ?? 0, value);
  }

  private fail(what: string): never {
    throw new Violation(`at ${this.world.now} ms: ${what}\nlast faults: ${this.faults.log.slice(-12).join(', ')}`);
  }
}

import { type Claimed, readKnownClaim, STREAMS_PREFIX, type StoreEntry } from '../src/cluster/mod.ts';
import type { Party } from './audience.ts';
import type { Faults } from './faults.ts';
import type { HubStream } from './hub-stream.ts';
import type { NodeStreams } from './node-streams.ts';
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

/** What a run must not do: told with the time and what was seen. */
export class Violation extends Error {}

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
  /** Of the network, when everything was looked at last. */
  private lookedChanges = -1;
  /** Streams of nodes that lost them and could know it, and those who watch them. */
  private readonly misleading = new Set<HubStream>();
  private misled: ReadonlySet<Party> = new Set();
  private fedTwice: readonly string[] = [];
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

  /** Looks at everything that may not be as it was the last time; to be called each half second or so. */
  look(): void {
    const { service, network, audience, now } = this.world;
    const isAllNew = network.changes !== this.lookedChanges;
    this.lookedChanges = network.changes;
    for (const party of isAllNew ? audience.parties : this.concerned()) this.lookAtParty(party);
    for (const stream of service.unsettled) if (stream.isSettled || stream.watchers.size === 0) service.unsettled.delete(stream);
    this.lookAtOwners();
    this.lookForMisled();
    service.lookedAt = now;
    const calmMs = this.calmSince === undefined ? 0 : now - this.calmSince;
    if (calmMs > BOUNDS.settledMs) this.lookAtFeeds();
  }

  /** Parties that may not be served, in the order in which they came. */
  private concerned(): readonly Party[] {
    const { service, audience } = this.world;
    const parties = [...audience.seeking];
    for (const stream of service.unsettled) for (const party of stream.watchers) if (party.stream === stream) parties.push(party);
    return parties.sort((left, right) => left.number - right.number);
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
    const source = stream?.source();
    if (stream !== undefined) this.lookForLoop(stream, source === 'loop');
    if (source !== undefined && source !== 'loop') {
      party.served();
      return;
    }
    this.lookForForgotten(party);
    if (world.now - party.servedAt > PLAYER_PATIENCE_MS && process !== undefined && world.now >= party.patientUntil) {
      party.patientUntil = world.now + PLAYER_PATIENCE_MS;
      party.move();
    }
  }

  private lookForLoop(stream: HubStream, isLoop: boolean): void {
    stream.loopSince = isLoop ? (stream.loopSince ?? this.world.now) : undefined;
    if (stream.loopSince === undefined) return;
    const ms = this.world.now - stream.loopSince;
    this.note('loopMs', ms);
    if (ms > BOUNDS.loopMs) this.fail(`loop of ${stream.path} at ${stream.owner.id}, for ${ms} ms`);
  }

  /** Served, but by a node that lost the stream and could know it. */
  private lookForMisled(): void {
    const misled = new Set<Party>();
    if (this.misleading.size > 0) {
      for (const party of this.world.audience.parties) {
        const source = party.stream?.source();
        if (source !== undefined && source !== 'loop' && this.misleading.has(source) && party.process?.client.isConnected === true)
          this.isMisled(party, source, misled);
      }
    }
    for (const party of this.misled) {
      const source = party.stream?.source();
      if (misled.has(party)) continue;
      // Of one that is not served just now, it is not known.
      if (source === undefined || source === 'loop') misled.add(party);
      else party.misledSince = undefined;
    }
    this.misled = misled;
  }

  private isMisled(party: Party, { owner }: HubStream, misled: Set<Party>): void {
    misled.add(party);
    party.misledSince ??= this.world.now;
    const ms = this.world.now - party.misledSince;
    this.note('staleOwnerMs', ms);
    if (ms > BOUNDS.staleOwnerMs)
      this.fail(
        `viewers of ${party.path} at ${party.process?.place.id} are served by ${owner.id}, whose claim was lost to ${owner.directory?.stream(party.path)?.holder.node}`,
      );
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
    const { contested } = this.world.service;
    this.misleading.clear();
    for (const stream of contested) {
      this.lookAtOwner(stream);
      if (this.isOwned(stream)) contested.delete(stream);
    }
  }

  /** Whether the store and the node say the same: it is the node's. So it stays until the store says something else. */
  private isOwned({ owner: { directory, holder }, path }: HubStream): boolean {
    const entry = this.world.engine.read(STREAMS_PREFIX + path);
    const stored = entry === undefined ? undefined : claimOf(entry);
    const known = directory?.stream(path);
    if (stored === undefined || known === undefined || known.epoch !== stored.epoch) return false;
    return [stored, known].every((claim) => claim.holder.node === holder.node && claim.holder.incarnation === holder.incarnation);
  }

  private lookAtOwner(stream: HubStream): void {
    const { owner: streams, path } = stream;
    const { process, holder, directory } = streams;
    const known = directory?.stream(path);
    const isAnothers = known !== undefined && (known.holder.node !== streams.id || known.holder.incarnation !== holder.incarnation);
    if (!isAnothers && this.since.size === 0) return;
    const key = `owner ${streams.id}/${holder.incarnation} of ${path}`;
    const epoch = directory?.ownEpoch(path);
    const { isConnected } = process.client;
    // A publisher goes on there although the node knows, or could know, that the stream is another's.
    if (isAnothers && epoch !== undefined && isConnected && !streams.origins.has(path)) this.misleading.add(stream);
    const isLost = isAnothers && known.holder.node !== streams.id && epoch !== undefined && known.epoch > epoch;
    if (isLost && isConnected && !process.isPaused)
      this.lasts(`${key}: lost to ${known.holder.node}`, BOUNDS.staleOwnerMs, 'staleOwnerMs', key);
    else this.since.delete(key);
  }

  /** Regions that are fed more than once. */
  private lookAtFeeds(): void {
    const { doubled } = this.world.service;
    for (const key of this.fedTwice) if (!doubled.has(key)) this.since.delete(`feed ${key}`);
    for (const [key, pulls] of doubled) {
      const by = Array.from(pulls, ({ owner, source }) => `${owner.id} from ${source?.id}`).join(', ');
      this.lasts(`${key} is fed ${pulls.size} times: ${by}`, BOUNDS.settledMs, 'fedTwiceMs', `feed ${key}`);
    }
    this.fedTwice = [...doubled.keys()];
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

/** Who holds it, by the store. */
function claimOf(entry: StoreEntry): Claimed<unknown> | undefined {
  const claim = readKnownClaim(entry, STREAMS_PREFIX, () => null);
  return typeof claim === 'string' ? undefined : claim.claimed;
}

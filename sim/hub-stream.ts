import type { Party } from './audience.ts';
import type { NodeStreams } from './node-streams.ts';
import type { RelayPull } from './relay-pull.ts';

/** Who publishes: an encoder's connection to a node. */
export interface Publication {
  readonly path: string;
  readonly startedWallMs: number;
  /** The node ended it. */
  closed(reason: 'evicted' | 'died'): void;
}

/** Where a stream comes from at a node: as it is at the node whose publisher it is; `loop`: it comes from itself. */
export type Source = HubStream | 'loop' | undefined;

/** What comes through more nodes than this comes from itself. */
const HOPS_MAX = 16;

/** A stream in a node's hub: with a publisher of its own, or relayed. */
export class HubStream {
  readonly path: string;
  readonly owner: NodeStreams;
  isRelayed = false;
  /** It is not in the hub any more. */
  isOver = false;
  heldUntil: number | undefined = undefined;
  startedWallMs: number;
  /** Since when it is seen to come from itself. */
  loopSince: number | undefined = undefined;
  private readonly parties = new Set<Party>();
  private comesBy: RelayPull | undefined = undefined;
  private publishedBy: Publication | undefined = undefined;
  /** When it was looked at last, and what was seen then. */
  private seenAt = -1;
  private seen: Source = undefined;
  /** What was seen holds for as long as the network's changes are these, and nothing on the way there changes. */
  private settledIn = -1;
  /** Until when it was seen to come from somewhere. */
  private servedUntil = 0;

  constructor(owner: NodeStreams, path: string, startedWallMs: number) {
    this.owner = owner;
    this.path = path;
    this.startedWallMs = startedWallMs;
  }

  /** What brings it, where that is wanted. */
  get pull(): RelayPull | undefined {
    return this.comesBy;
  }

  set pull(pull: RelayPull | undefined) {
    this.unsettle();
    this.comesBy = pull;
  }

  get publication(): Publication | undefined {
    return this.publishedBy;
  }

  set publication(publication: Publication | undefined) {
    this.unsettle();
    this.publishedBy = publication;
    const { service } = this.owner.process.world;
    if (publication === undefined) service.publishesNoMore(this);
    else service.publishes(this);
  }

  get watchers(): ReadonlySet<Party> {
    return this.parties;
  }

  /** False where it watches already. */
  addWatcher(party: Party): boolean {
    if (this.parties.has(party)) return false;
    this.parties.add(party);
    if (!this.isSettled) this.owner.process.world.service.unsettled.add(this);
    return true;
  }

  deleteWatcher(party: Party): boolean {
    return this.parties.delete(party);
  }

  /** When it was last looked at and came from somewhere. */
  get servedAt(): number {
    return this.settledIn >= 0 ? this.owner.process.world.service.lookedAt : this.servedUntil;
  }

  /** Each stream at each node is looked up once at a time, and again when something has changed, for all who have it from there. */
  source(hops = 0): Source {
    const { now } = this.owner.process.world;
    if (this.isSettled || this.seenAt === now) return this.seen;
    const source = hops > HOPS_MAX ? 'loop' : this.lookUp(hops);
    this.seenAt = now;
    this.seen = source;
    if (source !== undefined && source !== 'loop') this.settledIn = this.owner.process.world.network.changes;
    else if (this.settledIn >= 0) this.unsettle();
    return source;
  }

  /** Whether it is known where it comes from, and nothing of that has changed since. */
  get isSettled(): boolean {
    return this.settledIn === this.owner.process.world.network.changes;
  }

  /** It, and what comes from here, may come from elsewhere now, or from nowhere. */
  unsettle(): void {
    if (this.settledIn < 0) return;
    const { service } = this.owner.process.world;
    this.servedUntil = service.lookedAt;
    this.settledIn = -1;
    this.seenAt = -1;
    if (this.parties.size > 0) service.unsettled.add(this);
    for (const { owner } of this.owner.pullers.of(this.path)) owner.hub.get(this.path)?.unsettle();
  }

  private lookUp(hops: number): Source {
    const { owner, pull } = this;
    if (!owner.process.isRunning) return undefined;
    if (this.publication !== undefined) return this;
    const source = pull?.source;
    if (source === undefined || !owner.process.world.isLinked(owner.process, source.process)) return undefined;
    return pull?.sourceStream?.source(hops + 1);
  }
}

import type pino from 'pino';
import type { Holder, Upstream } from '../../cluster/mod.ts';
import { type MonotonicMs, monotonicMs, type StreamRef } from '../../core/mod.ts';
import { RelayToHub, type RelayToHubOutput } from '../../gateways/mod.ts';
import type { Hub } from '../../hub/mod.ts';
import type { RelayClient, RelayPull, RelayUpstream } from '../relay/mod.ts';

export interface RelayedStreamOutput {
  /** The upstream is out of reach: another one may be better. It is tried again until there is. */
  broken(upstream: Upstream): void;
  /** The upstream is there, but refused. It is tried again, too. */
  refused(upstream: Upstream): void;
  /** The upstream has enough nodes below it, and names others that have the stream. */
  sentOn(upstream: Upstream, nodes: readonly string[]): void;
  /** It comes this way now: nodes that it passed, its origin first. */
  path(epoch: number, hops: readonly string[]): void;
  /** The stream is over, or this node may not have it: nothing more is pulled. */
  over(): void;
}

export interface RelayedStreamOptions {
  readonly hub: Hub;
  readonly ref: StreamRef;
  readonly client: RelayClient;
  /** Where a node gives its streams; undefined when that is not known. */
  readonly addressOf: (node: string) => RelayUpstream | undefined;
  /** The node that makes a rendition, where it is to be pulled straight from there and not from the stream's upstream. */
  readonly makerOf: (rendition: string, upstream: Upstream) => Holder | undefined;
  /** Whether this node makes the rendition itself. */
  readonly makes: (rendition: string) => boolean;
  readonly now: () => MonotonicMs;
  readonly log: pino.Logger;
}

/** A holder that refused is asked again after so long: it may not have the stream yet, or the directory is a moment ahead of it. */
const RETRY_MS = 200;
/** A rendition's maker may have to pull the stream first, and is asked again the sooner. */
const BEGIN_MS_MAX = 2_000;
const BEGIN_RETRY_MS = 50;
/** A maker that is out of reach, or refused, is left alone for so long: the upstream has the rendition, too. */
const AVOID_MS = 5_000;
/** The stream itself, as the relay names it. */
const SOURCE = '';

/** A stream that this node pulls from another one into its hub, with those of its renditions that are watched here. */
export class RelayedStream implements RelayToHubOutput {
  private readonly options: RelayedStreamOptions;
  private readonly out: RelayedStreamOutput;
  private readonly toHub: RelayToHub;
  private readonly wantedRenditions = new Set<string>([SOURCE]);
  private readonly pulls = new Map<string, RelayPull>();
  private readonly retries = new Map<string, MonotonicMs>();
  /** From which maker a rendition was pulled last, and since when; without one from the upstream. */
  private readonly takenFrom = new Map<string, { readonly maker: string | undefined; readonly since: MonotonicMs }>();
  private readonly avoided = new Map<string, { readonly maker: string; readonly until: MonotonicMs }>();
  private upstream: Upstream | undefined = undefined;

  constructor(options: RelayedStreamOptions, out: RelayedStreamOutput) {
    this.options = options;
    this.out = out;
    this.toHub = new RelayToHub(options.hub, options.ref, this);
  }

  /** Pulls from here from now on; what is in the hub goes on. */
  from(upstream: Upstream): void {
    this.upstream = upstream;
    for (const rendition of this.wantedRenditions) this.pull(rendition);
  }

  /** A rendition has another maker, or none, or this node makes it: what is watched comes from there. */
  makersChanged(): void {
    this.toHub.makersChanged(this.options.now());
    for (const rendition of [...this.wantedRenditions]) {
      const taken = this.takenFrom.get(rendition);
      if (rendition === SOURCE || taken === undefined || this.upstream === undefined) continue;
      if (taken.maker === makerKey(this.makerOf(rendition, this.upstream))) continue;
      // What flows from the upstream is the same as from the maker, and goes on without a gap.
      const isFlowing = taken.maker === undefined && this.toHub.receiver(rendition)?.assembler.position !== undefined;
      if (!isFlowing) this.pull(rendition);
    }
  }

  /** Nobody publishes it any more. */
  finish(): void {
    this.stop();
    this.toHub.finish(this.options.now());
  }

  /** Nobody needs it here any more. */
  release(): void {
    this.stop();
    this.toHub.release(this.options.now());
  }

  /** It goes on from elsewhere: what is in the hub is held for that. */
  leave(): void {
    this.stop();
    this.toHub.lost(this.options.now());
  }

  tick(now: MonotonicMs): void {
    this.toHub.tick(now);
    for (const [rendition, at] of [...this.retries]) if (now >= at) this.pull(rendition);
  }

  // What the relay says.

  wanted(rendition: string, isWanted: boolean): void {
    if (isWanted === this.wantedRenditions.has(rendition)) return;
    if (isWanted && this.toHub.receiver(rendition) === undefined) return;
    if (isWanted) {
      this.wantedRenditions.add(rendition);
      this.pull(rendition);
    } else {
      this.wantedRenditions.delete(rendition);
      this.takenFrom.delete(rendition);
      this.drop(rendition);
      this.toHub.rest(rendition);
    }
  }

  makes(rendition: string): boolean {
    return this.options.makes(rendition);
  }

  keyframeWanted(rendition: string): void {
    this.pulls.get(rendition)?.requestKeyframe();
  }

  accepted(rendition: string, { epoch, hops }: { readonly epoch: number; readonly hops: readonly string[] }): void {
    if (rendition === SOURCE) this.out.path(epoch, hops);
  }

  path(rendition: string, epoch: number, hops: readonly string[]): void {
    if (rendition === SOURCE) this.out.path(epoch, hops);
  }

  refused(rendition: string, code: string, message: string, _epoch: number, nodes: readonly string[] = []): void {
    const { ref, log, now } = this.options;
    log.debug({ code: 'cluster.relay-refused', stream: ref.path, upstream: this.upstream?.node, refusal: code }, message);
    this.drop(rendition);
    const isBeginning = code === 'unknown' && now() - (this.takenFrom.get(rendition)?.since ?? 0) < BEGIN_MS_MAX;
    const retryMs = isBeginning ? BEGIN_RETRY_MS : this.avoidMaker(rendition) ? 0 : RETRY_MS;
    this.retries.set(rendition, monotonicMs(now() + retryMs));
    if (rendition !== SOURCE || this.upstream === undefined) return;
    if (code === 'elsewhere') this.out.sentOn(this.upstream, nodes);
    else this.out.refused(this.upstream);
  }

  broken(rendition: string): void {
    if (this.avoidMaker(rendition)) this.pull(rendition);
    if (rendition === SOURCE && this.upstream !== undefined) this.out.broken(this.upstream);
  }

  ended(rendition: string): void {
    if (rendition !== SOURCE) {
      this.retries.set(rendition, monotonicMs(this.options.now() + RETRY_MS));
      return;
    }
    this.stop();
    this.out.over();
  }

  evicted(): void {
    this.stop();
    this.out.over();
  }

  private pull(rendition: string): void {
    this.drop(rendition);
    const { client, ref, addressOf, now } = this.options;
    if (this.upstream === undefined || this.toHub.receiver(rendition) === undefined) return;
    const maker = this.makerOf(rendition, this.upstream);
    this.take(rendition, makerKey(maker));
    const receiver = this.toHub.receiver(rendition);
    if (receiver === undefined) return;
    const upstream = addressOf(maker?.node ?? this.upstream.node);
    if (upstream === undefined) this.retries.set(rendition, monotonicMs(now() + RETRY_MS));
    else this.pulls.set(rendition, client.pull({ upstream, ref, rendition, epoch: this.upstream.epoch }, receiver));
  }

  private makerOf(rendition: string, upstream: Upstream): Holder | undefined {
    if (rendition === SOURCE) return undefined;
    const maker = this.options.makerOf(rendition, upstream);
    const avoided = this.avoided.get(rendition);
    return avoided !== undefined && avoided.maker === makerKey(maker) && this.options.now() < avoided.until ? undefined : maker;
  }

  /** True if the rendition came from its maker, and is to come from the upstream now. */
  private avoidMaker(rendition: string): boolean {
    const maker = this.takenFrom.get(rendition)?.maker;
    if (maker === undefined) return false;
    this.avoided.set(rendition, { maker, until: monotonicMs(this.options.now() + AVOID_MS) });
    return true;
  }

  private take(rendition: string, maker: string | undefined): void {
    const taken = this.takenFrom.get(rendition);
    if (taken !== undefined && taken.maker === maker) return;
    if (taken !== undefined) this.toHub.remade(rendition);
    this.takenFrom.set(rendition, { maker, since: this.options.now() });
  }

  private drop(rendition: string): void {
    this.retries.delete(rendition);
    this.pulls.get(rendition)?.close();
    this.pulls.delete(rendition);
  }

  private stop(): void {
    this.upstream = undefined;
    for (const rendition of [...this.wantedRenditions]) this.drop(rendition);
  }
}

const makerKey = (maker: Holder | undefined): string | undefined =>
  maker === undefined ? undefined : `${maker.node} ${maker.incarnation}`;

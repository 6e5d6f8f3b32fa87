import type pino from 'pino';
import type { Upstream } from '../../cluster/mod.ts';
import { type MonotonicMs, monotonicMs, type StreamRef } from '../../core/mod.ts';
import { RelayToHub, type RelayToHubOutput } from '../../gateways/mod.ts';
import type { Hub } from '../../hub/mod.ts';
import type { RelayClient, RelayPull, RelayUpstream } from '../relay/mod.ts';

export interface RelayedStreamOutput {
  /** The upstream is out of reach, or refused: another one may be better. It is tried again until there is. */
  broken(upstream: Upstream): void;
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
  readonly now: () => MonotonicMs;
  readonly log: pino.Logger;
}

/** A holder that refused is asked again after so long: it may not have the stream yet, or the directory is a moment ahead of it. */
const RETRY_MS = 200;
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

  /** Nobody needs it here any more, or nobody publishes it: it ends in this node's hub. */
  finish(): void {
    this.stop();
    this.toHub.finish(this.options.now());
  }

  /** It goes on from elsewhere: what is in the hub is held for that. */
  leave(): void {
    this.stop();
    this.toHub.lost(this.options.now());
  }

  tick(now: MonotonicMs): void {
    for (const [rendition, at] of [...this.retries]) if (now >= at) this.pull(rendition);
  }

  // What the relay says.

  wanted(rendition: string, isWanted: boolean): void {
    if (isWanted === this.wantedRenditions.has(rendition)) return;
    if (isWanted) {
      this.wantedRenditions.add(rendition);
      this.pull(rendition);
    } else {
      this.wantedRenditions.delete(rendition);
      this.drop(rendition);
      this.toHub.rest(rendition);
    }
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

  refused(rendition: string, code: string, message: string): void {
    const { ref, log, now } = this.options;
    log.debug({ code: 'cluster.relay-refused', stream: ref.path, upstream: this.upstream?.node, refusal: code }, message);
    this.drop(rendition);
    this.retries.set(rendition, monotonicMs(now() + RETRY_MS));
    if (rendition === SOURCE && this.upstream !== undefined) this.out.broken(this.upstream);
  }

  broken(rendition: string): void {
    if (rendition === SOURCE && this.upstream !== undefined) this.out.broken(this.upstream);
  }

  ended(rendition: string): void {
    if (rendition !== SOURCE) return;
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
    const receiver = this.toHub.receiver(rendition);
    if (this.upstream === undefined || receiver === undefined) return;
    const upstream = addressOf(this.upstream.node);
    if (upstream === undefined) this.retries.set(rendition, monotonicMs(now() + RETRY_MS));
    else this.pulls.set(rendition, client.pull({ upstream, ref, rendition, epoch: this.upstream.epoch }, receiver));
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

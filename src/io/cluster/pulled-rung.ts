import type { Holder } from '../../cluster/mod.ts';
import { type MonotonicMs, monotonicMs, type StreamRef } from '../../core/mod.ts';
import { RenditionToHub, type RenditionToHubOutput } from '../../gateways/mod.ts';
import type { Hub, RenditionOffer } from '../../hub/mod.ts';
import type { RelayClient, RelayPull, RelayUpstream } from '../relay/mod.ts';
import type { PlacedRung } from '../transcode/mod.ts';

export interface PulledRungOutput {
  watched(isWatched: boolean): void;
  /** The maker is out of reach, or does not make it: it is to be moved. */
  failed(reason: string, isRefusal: boolean): void;
  /** Nothing is pulled any more. */
  over(): void;
}

export interface PulledRungOptions {
  readonly hub: Pick<Hub, 'relayRendition'>;
  readonly client: Pick<RelayClient, 'pull'>;
  readonly ref: StreamRef;
  readonly offer: RenditionOffer;
  readonly addressOf: (node: string) => RelayUpstream | undefined;
  /** Of this node's claim on the stream; 0 before it holds. */
  readonly epoch: () => number;
  readonly now: () => MonotonicMs;
}

/** A maker that does not have the rung yet is asked again after so long: it pulls the stream first. */
const RETRY_MS = 50;
/** How long it may take to have it. */
const BEGIN_MS_MAX = 3_000;
/** A connection that broke may be back in a moment, unless it cannot even be made again. */
const BROKEN_MS_MAX = 500;
const BROKEN_TIMES_MAX = 2;

/** A rung of a stream that is published here, made by another node and pulled from there into the hub. */
export class PulledRung implements PlacedRung, RenditionToHubOutput {
  readonly ref: StreamRef;
  readonly rung: string;
  maker: Holder;
  private readonly options: PulledRungOptions;
  private readonly out: PulledRungOutput;
  private readonly receiver: RenditionToHub;
  private pull: RelayPull | undefined = undefined;
  private retryAt: MonotonicMs | undefined = undefined;
  private deadline: MonotonicMs | undefined = undefined;
  /** In a row. */
  private brokenTimes = 0;

  constructor(options: PulledRungOptions, maker: Holder, out: PulledRungOutput) {
    this.options = options;
    this.ref = options.ref;
    this.rung = options.offer.name;
    this.maker = maker;
    this.out = out;
    this.receiver = new RenditionToHub(this.rung, this);
  }

  get node(): string {
    return this.maker.node;
  }

  /** False if the hub does not take it. */
  begin(): boolean {
    const { hub, ref, offer, now } = this.options;
    this.receiver.input = hub.relayRendition(ref.path, offer, this.receiver, now());
    if (this.receiver.input === undefined) return false;
    this.start();
    return true;
  }

  /** Another node makes it from now on. */
  moveTo(maker: Holder): void {
    this.maker = maker;
    this.receiver.remade();
    this.start();
  }

  rest(): void {
    this.stop();
    this.receiver.rest();
  }

  end(): void {
    this.stop();
    this.receiver.end();
  }

  /** Closes the pull; what is in the hub is for whoever makes it next. */
  stop(): void {
    this.drop();
    this.deadline = undefined;
    this.out.over();
  }

  tick(now: MonotonicMs): void {
    if (this.deadline !== undefined && now >= this.deadline) {
      this.deadline = undefined;
      this.fail(`node ${this.node} did not give it in time`);
    } else if (this.retryAt !== undefined && now >= this.retryAt) this.subscribe();
  }

  // What the hub and the relay say.

  wanted(_rung: string, isWanted: boolean): void {
    this.out.watched(isWanted);
  }

  keyframeWanted(): void {
    this.pull?.requestKeyframe();
  }

  accepted(): void {
    this.deadline = undefined;
    this.brokenTimes = 0;
  }

  refused(_rung: string, code: string, message: string): void {
    this.pull = undefined;
    if (code === 'unknown' || code === 'stale-epoch') this.again();
    else this.fail(`node ${this.node} refused: ${message}`, true);
  }

  path(): void {}

  broken(): void {
    this.brokenTimes++;
    if (this.brokenTimes >= BROKEN_TIMES_MAX) {
      this.fail(`node ${this.node} is out of reach`);
      return;
    }
    const at = this.options.now() + BROKEN_MS_MAX;
    this.deadline = monotonicMs(Math.min(at, this.deadline ?? at));
  }

  /** The maker gave it up, or plans anew because the source has changed. */
  ended(): void {
    this.pull = undefined;
    this.again();
  }

  private start(): void {
    this.brokenTimes = 0;
    this.deadline = monotonicMs(this.options.now() + BEGIN_MS_MAX);
    this.subscribe();
  }

  private again(): void {
    const now = this.options.now();
    this.retryAt = monotonicMs(now + RETRY_MS);
    this.deadline ??= monotonicMs(now + BEGIN_MS_MAX);
  }

  private subscribe(): void {
    this.drop();
    const { addressOf, client, ref, epoch } = this.options;
    const upstream = addressOf(this.node);
    if (upstream === undefined) this.again();
    else this.pull = client.pull({ upstream, ref, rendition: this.rung, epoch: epoch() }, this.receiver);
  }

  private fail(reason: string, isRefusal = false): void {
    this.drop();
    this.out.failed(reason, isRefusal);
  }

  private drop(): void {
    this.retryAt = undefined;
    this.pull?.close();
    this.pull = undefined;
  }
}

import type { Upstream } from '../src/cluster/mod.ts';
import type { HubStream } from './hub-stream.ts';
import type { NodeStreams } from './node-streams.ts';

/** What a refused puller does next, and how long a connection takes to be given up: as the relay's. */
const RETRY_MS = 200;
export const CONNECT_RETRY_MS_MIN = 50;
export const CONNECT_RETRY_MS_MAX = 1_000;
export const SILENT_MS = 3_000;

/** A stream that one node pulls from another: the relay's connection and subscription, without frames. */
export class RelayPull {
  readonly path: string;
  readonly owner: NodeStreams;
  upstream: Upstream | undefined = undefined;
  /** The run of the upstream's process that it is connected to. */
  source: NodeStreams | undefined = undefined;
  /** The stream there, as it was when it was looked up last. */
  private there: HubStream | undefined = undefined;
  epoch = 0;
  hops: readonly string[] = [];
  private attempt = 0;
  private retryMs = CONNECT_RETRY_MS_MIN;

  constructor(owner: NodeStreams, path: string) {
    this.owner = owner;
    this.path = path;
  }

  /** The stream as it is at its source. */
  get sourceStream(): HubStream | undefined {
    if (this.there === undefined || this.there.isOver || this.there.owner !== this.source) this.there = this.source?.hub.get(this.path);
    return this.there;
  }

  from(upstream: Upstream): void {
    this.disconnect();
    this.upstream = upstream;
    this.retryMs = CONNECT_RETRY_MS_MIN;
    this.connect();
  }

  stop(): void {
    this.disconnect();
    this.upstream = undefined;
  }

  /** The connection broke. */
  broke(): void {
    this.disconnect();
    this.failed();
  }

  /** The upstream says no, now or when it looked again. */
  refused(): void {
    this.disconnect();
    const { upstream } = this;
    this.again(RETRY_MS);
    if (upstream !== undefined) this.owner.pullRefused(this, upstream);
  }

  /** The upstream has enough nodes below it. */
  private sentOn(upstream: Upstream, nodes: readonly string[]): void {
    this.disconnect();
    this.again(RETRY_MS);
    this.owner.pullSentOn(this, upstream, nodes);
  }

  pathIs(epoch: number, hops: readonly string[]): void {
    if (hops.includes(this.owner.id)) this.refused();
    else this.accepted(epoch, hops);
  }

  private accepted(epoch: number, hops: readonly string[]): void {
    this.epoch = epoch;
    this.hops = hops;
    this.owner.relayed(this.path);
    this.owner.pathIs(this.path, epoch, hops);
  }

  private disconnect(): void {
    this.attempt += 1;
    if (this.source === undefined) return;
    this.owner.hub.get(this.path)?.unsettle();
    this.owner.process.world.service.fedNoMore(this);
    this.source.pullerLeft(this);
    this.source = undefined;
  }

  private again(ms: number): void {
    const attempt = this.attempt;
    this.owner.after(ms, () => {
      if (this.attempt === attempt) this.connect();
    });
  }

  private failed(): void {
    const { upstream } = this;
    this.again(this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, CONNECT_RETRY_MS_MAX);
    if (upstream !== undefined) this.owner.pullBroken(this, upstream);
  }

  private connect(): void {
    const { upstream, owner } = this;
    if (upstream === undefined) return;
    const attempt = ++this.attempt;
    const current = (run: () => void) => (): void => {
      if (this.attempt === attempt) run();
    };
    const roundTripMs = 2 * owner.latencyTo(upstream.node);
    owner.after(
      roundTripMs,
      current(() => {
        const found = owner.look(upstream.node);
        if (found === 'down') this.failed();
        else if (found === 'silent')
          owner.after(
            SILENT_MS,
            current(() => this.failed()),
          );
        else this.ask(found, upstream);
      }),
    );
  }

  private ask(source: NodeStreams, upstream: Upstream): void {
    const answer = source.open(this.path, upstream.epoch, [this.owner.id]);
    if (answer !== undefined && 'elsewhere' in answer) {
      this.sentOn(upstream, answer.elsewhere);
      return;
    }
    if (answer === undefined || answer.epoch < upstream.epoch || answer.hops.includes(this.owner.id)) {
      this.refused();
      return;
    }
    this.source = source;
    this.retryMs = CONNECT_RETRY_MS_MIN;
    source.pullerCame(this);
    if (source.region !== this.owner.region) this.owner.process.world.service.fed(this);
    this.accepted(answer.epoch, answer.hops);
  }
}

import type { NodeStreams } from './node-streams.ts';
import { CONNECT_RETRY_MS_MAX, CONNECT_RETRY_MS_MIN, SILENT_MS } from './relay-pull.ts';

/** The relay connection by which a node that stands by notices that an origin is gone. */
export class OriginWatch {
  readonly node: string;
  readonly owner: NodeStreams;
  /** The run of the origin's process that it is connected to. */
  source: NodeStreams | undefined = undefined;
  isBroken = false;
  private isClosed = false;
  private retryMs = CONNECT_RETRY_MS_MIN;

  constructor(owner: NodeStreams, node: string) {
    this.owner = owner;
    this.node = node;
    this.connect();
  }

  close(): void {
    this.isClosed = true;
    this.source?.originWatches.delete(this);
    this.source = undefined;
  }

  /** The connection broke, or cannot be made. */
  broke(): void {
    if (this.isClosed) return;
    this.source?.originWatches.delete(this);
    this.source = undefined;
    this.isBroken = true;
    this.owner.after(this.retryMs, () => this.connect());
    this.retryMs = Math.min(this.retryMs * 2, CONNECT_RETRY_MS_MAX);
    this.owner.directory?.disconnected(this.node);
  }

  private connect(): void {
    if (this.isClosed) return;
    const { owner, node } = this;
    owner.after(2 * owner.latencyTo(node), () => {
      if (this.isClosed) return;
      const found = owner.look(node);
      if (found === 'silent') owner.after(SILENT_MS, () => this.broke());
      else if (found === 'down') this.broke();
      else this.connected(found);
    });
  }

  private connected(source: NodeStreams): void {
    this.source = source;
    this.isBroken = false;
    this.retryMs = CONNECT_RETRY_MS_MIN;
    source.originWatches.add(this);
  }
}

/** The origins of the streams for which publishers wait at one node, and the node's connections to them. */
export class AwaitedOrigins {
  /** By stream. */
  private readonly origins = new Map<string, string>();
  private readonly connections = new Map<string, OriginWatch>();
  private readonly owner: NodeStreams;

  constructor(owner: NodeStreams) {
    this.owner = owner;
  }

  /** Streams. */
  get size(): number {
    return this.origins.size;
  }

  has(path: string): boolean {
    return this.origins.has(path);
  }

  isDisconnected(node: string): boolean {
    return this.connections.get(node)?.isBroken ?? true;
  }

  watches(): readonly OriginWatch[] {
    return [...this.connections.values()];
  }

  await(path: string, origin: string): void {
    this.origins.set(path, origin);
    this.connect();
  }

  awaitNoMore(path: string): void {
    if (this.origins.delete(path)) this.connect();
  }

  private connect(): void {
    const wanted = new Set(this.origins.values());
    for (const [node, watch] of this.connections) {
      if (wanted.has(node)) continue;
      watch.close();
      this.connections.delete(node);
    }
    for (const node of wanted) if (!this.connections.has(node)) this.connections.set(node, new OriginWatch(this.owner, node));
  }
}

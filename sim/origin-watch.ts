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

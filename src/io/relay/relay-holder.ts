import type { TLSSocket } from 'node:tls';
import type pino from 'pino';
import type { MonotonicMs, StreamRef } from '../../core/mod.ts';
import { type HubToRelay, relayRenditions } from '../../gateways/mod.ts';
import type { FrameSource } from '../../hub/mod.ts';
import {
  FeedSender,
  type FeedSenderOptions,
  type RelayHolderOutput,
  RelayHolderSession,
  type RelayRefusal,
  type RelayWish,
} from '../../protocols/relay/mod.ts';
import type { Clock } from '../clock.ts';
import { RelaySocket } from './relay-socket.ts';
import type { RelayRefused, RelaySource } from './relay-sources.ts';

/** What a connection needs of its server. */
export interface RelayHolderContext {
  readonly node: string;
  readonly cluster: string;
  readonly peerNode: string;
  readonly queue: FeedSenderOptions;
  readonly clock: Clock;
  readonly log: pino.Logger;
  /** `hops` of the source end with this node. */
  readonly open: (wish: RelayWish) => RelaySource | RelayRefused;
  readonly feedOf: (source: FrameSource) => HubToRelay;
  readonly left: (feed: HubToRelay) => void;
  readonly dropped: (messages: number) => void;
  readonly refused: (code: RelayRefusal) => void;
  /** Once. */
  readonly closed: (code: string) => void;
}

/** One rendition of one stream that a peer pulls. */
export interface HeldSubscription {
  readonly id: number;
  readonly ref: StreamRef;
  readonly rendition: string;
  readonly holder: RelayHolder;
  readonly source: RelaySource;
  readonly feed: HubToRelay;
  readonly sender: FeedSender;
}

/** One accepted connection of another node, with what it pulls. */
export class RelayHolder implements RelayHolderOutput {
  readonly subscriptions: Map<number, HeldSubscription> = new Map();
  readonly peerNode: string;
  private readonly context: RelayHolderContext;
  private readonly session: RelayHolderSession;
  private readonly socket: RelaySocket;

  constructor(socket: TLSSocket, context: RelayHolderContext) {
    const { node, cluster, peerNode, clock, log } = context;
    this.context = context;
    this.peerNode = peerNode;
    this.session = new RelayHolderSession(this, { node, cluster, peerNode }, clock.monotonic());
    this.socket = new RelaySocket(socket, this.session, clock, true, (error) =>
      log.error({ code: 'relay.internal', node: peerNode, err: error }, 'relay connection failed; please report this'),
    );
    socket.on('data', (bytes: Buffer) => this.socket.received(bytes));
    this.socket.wake();
  }

  get bytesSent(): number {
    return this.socket.bytesSent;
  }

  get bytesQueued(): number {
    return this.session.queue.sizeBytes;
  }

  get rttMs(): number | undefined {
    return this.session.rttMs;
  }

  tick(now: MonotonicMs): void {
    this.socket.tick(now);
  }

  close(code: string, message: string): void {
    this.session.close(code, message);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends a subscription from this side. */
  refuse(id: number, code: RelayRefusal, message: string, epoch: number, nodes: readonly string[] = []): void {
    this.unsubscribed(id);
    this.context.refused(code);
    this.session.refuse(id, code, message, epoch, nodes);
  }

  /** The peer was told that the stream is over. */
  forget(id: number): void {
    this.unsubscribed(id);
    this.session.forget(id);
  }

  // The session's outputs.

  wake(): void {
    this.socket.wake();
  }

  subscribe(id: number, wish: RelayWish): void {
    const found = this.context.open(wish);
    if ('refused' in found) {
      this.refuse(id, found.refused, found.message, found.epoch ?? 0, found.nodes);
      return;
    }
    const { stream, epoch, hops } = found;
    const source = wish.rendition === '' ? stream : stream.renditions.get(wish.rendition);
    if (source === undefined) {
      this.refuse(id, 'unknown', `${wish.ref.path} has no rendition ${wish.rendition} here`, epoch);
      return;
    }
    const feed = this.context.feedOf(source);
    if ([...this.subscriptions.values()].some((other) => other.feed === feed)) {
      this.refuse(id, 'twice', `node ${this.peerNode} pulls ${wish.ref.path} already`, epoch);
      return;
    }
    const outlet = { queue: this.session.queue, wake: () => this.wake(), dropped: this.context.dropped };
    const sender = new FeedSender(outlet, feed.writer, this.context.queue, wish.position);
    this.subscriptions.set(id, { id, ref: wish.ref, rendition: wish.rendition, holder: this, source: found, feed, sender });
    this.context.log.info(
      { code: 'relay.subscribed', node: this.peerNode, stream: wish.ref.path, rendition: wish.rendition },
      'relay began',
    );
    feed.join(sender, (isResumed) => {
      const { startedWallMs, publisher } = stream;
      this.session.accept(id, feed.writer.feed, { epoch, startedWallMs, isResumed, hops, agent: publisher.agent });
      if (wish.rendition === '') sender.renditions(relayRenditions(stream));
    });
  }

  unsubscribed(id: number): void {
    const subscription = this.subscriptions.get(id);
    if (subscription === undefined) return;
    this.subscriptions.delete(id);
    subscription.feed.leave(subscription.sender);
    this.context.left(subscription.feed);
  }

  keyframeWanted(id: number): void {
    this.subscriptions.get(id)?.feed.requestKeyframe();
  }

  closed(code: string, message: string): void {
    for (const id of [...this.subscriptions.keys()]) this.unsubscribed(id);
    this.context.closed(code);
    this.context.log.info({ code, node: this.peerNode }, message);
    // Who is silent does not take a goodbye either.
    if (code === 'relay.silent') this.socket.destroy();
    else this.socket.end();
  }
}

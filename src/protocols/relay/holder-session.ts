import { type MonotonicMs, ProtocolError } from '../../core/mod.ts';
import type { RelayAcceptance, RelayMessage, RelayRefusal, RelayWish } from './messages.ts';
import { RelayPeer, type RelayPeerOptions } from './relay-peer.ts';
import type { SendQueue } from './send-queue.ts';
import { writeAccepted, writeRefused } from './write-message.ts';

export interface RelayHolderOutput {
  /** Something waits in the session's queue. */
  wake(): void;
  /** Answer with `accept` or `refuse`, before returning. */
  subscribe(subscription: number, wish: RelayWish): void;
  unsubscribed(subscription: number): void;
  keyframeWanted(subscription: number): void;
  /** Once. All subscriptions are over. */
  closed(code: string, message: string): void;
}

/** Subscriptions of one puller. */
const SUBSCRIPTIONS_MAX = 4_096;

/** The side of a connection that has streams. */
export class RelayHolderSession {
  private readonly peer: RelayPeer;
  private readonly out: RelayHolderOutput;
  private readonly peerNode: string;
  private readonly subscriptions = new Set<number>();

  constructor(out: RelayHolderOutput, options: RelayPeerOptions, now: MonotonicMs) {
    this.out = out;
    this.peerNode = options.peerNode;
    this.peer = new RelayPeer(
      {
        wake: () => out.wake(),
        opened: () => undefined,
        message: (message) => this.message(message),
        closed: (code, message) => out.closed(code, message),
      },
      options,
      now,
    );
  }

  get queue(): SendQueue {
    return this.peer.queue;
  }
  get isClosed(): boolean {
    return this.peer.isClosed;
  }
  get wakeAt(): MonotonicMs | undefined {
    return this.peer.wakeAt;
  }
  get rttMs(): number | undefined {
    return this.peer.heartbeat.rttMs;
  }

  receive(bytes: Uint8Array, now: MonotonicMs): void {
    this.peer.receive(bytes, now);
  }

  tick(now: MonotonicMs): void {
    this.peer.tick(now);
  }

  close(code: string, message: string): void {
    this.peer.close(code, message);
  }

  broken(code: string, message: string): void {
    this.peer.broken(code, message);
  }

  /** Frames of `feed` follow. */
  accept(subscription: number, feed: number, acceptance: RelayAcceptance): void {
    this.peer.send(writeAccepted(subscription, feed, acceptance));
  }

  /** `epoch`: the holder's own, 0 if it has none; `nodes`: with `elsewhere`, those that have the stream. */
  refuse(subscription: number, code: RelayRefusal, message: string, epoch = 0, nodes: readonly string[] = []): void {
    this.subscriptions.delete(subscription);
    this.peer.send(writeRefused(subscription, code, message, epoch, nodes));
  }

  /** The holder ended it (its stream is over). */
  forget(subscription: number): void {
    this.subscriptions.delete(subscription);
  }

  private message(message: RelayMessage): void {
    if (message.kind === 'subscribe') this.subscribe(message.subscription, message.wish);
    else if (message.kind === 'unsubscribe') {
      // It may have ended on this side while the message was on its way.
      if (this.subscriptions.delete(message.subscription)) this.out.unsubscribed(message.subscription);
    } else if (message.kind === 'keyframe') {
      if (this.subscriptions.has(message.subscription)) this.out.keyframeWanted(message.subscription);
    } else throw new ProtocolError('relay.unexpected', `a puller does not send ${message.kind}`);
  }

  private subscribe(subscription: number, wish: RelayWish): void {
    if (this.subscriptions.has(subscription)) throw new ProtocolError('relay.unexpected', `subscription ${subscription} exists already`);
    if (wish.hops[0] !== this.peerNode) {
      throw new ProtocolError('relay.bad-message', `the hops of a subscription begin with the puller, ${JSON.stringify(this.peerNode)}`);
    }
    if (this.subscriptions.size >= SUBSCRIPTIONS_MAX) {
      this.refuse(subscription, 'too-many', `a connection carries at most ${SUBSCRIPTIONS_MAX} streams`);
      return;
    }
    this.subscriptions.add(subscription);
    this.out.subscribe(subscription, wish);
  }
}

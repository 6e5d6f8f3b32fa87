import { type MonotonicMs, ProtocolError } from '../../core/mod.ts';
import type { Frame } from '../../media/mod.ts';
import type { FrameAssembler } from './frame-assembler.ts';
import { frameFlags, type RelayAcceptance, type RelayMessage, type RelayRendition, type RelayWish, type WireFrame } from './messages.ts';
import { RelayPeer, type RelayPeerOptions } from './relay-peer.ts';
import type { SendQueue } from './send-queue.ts';
import { writeRequest, writeSubscribe } from './write-message.ts';

/** Takes one rendition of one stream, as a holder sends it. */
export interface RelayReceiver {
  /** Makes the frames; the receiver's own, so that it outlives connections and holders. Its position is what a subscription goes on from. */
  readonly assembler: FrameAssembler;
  /** Frames follow. Where the acceptance does not go on from the position, frames are missing before them. */
  accepted(acceptance: RelayAcceptance, now: MonotonicMs): void;
  /**
   * Nothing comes. `code` is a {@link RelayRefusal} or one of a later version; `epoch` the holder's, 0 if it told none; `nodes`: those that have it, with
   * `elsewhere`. Final.
   */
  refused(code: string, message: string, epoch: number, nodes?: readonly string[]): void;
  frame(frame: Frame, now: MonotonicMs): void;
  /** Frames are missing here; the next one is a lead keyframe. */
  gap(): void;
  renditions(renditions: readonly RelayRendition[], now: MonotonicMs): void;
  /** The stream comes another way now. */
  path(epoch: number, hops: readonly string[]): void;
  /** The stream is held: its publisher went away. */
  paused(now: MonotonicMs): void;
  /** The stream is over. Final. */
  ended(now: MonotonicMs): void;
  /** The connection broke; unless the pull is closed, it is tried again and `accepted` or `refused` follow. */
  broken(now: MonotonicMs): void;
}

export interface RelayPullerOutput {
  /** Something waits in the session's queue. */
  wake(): void;
  opened(): void;
  /** A frame was so long on its way from the holder's hub to here. */
  hop(ms: number): void;
  /** Once; receivers are not told. */
  closed(code: string, message: string): void;
}

interface Subscription {
  readonly id: number;
  readonly receiver: RelayReceiver;
  readonly epoch: number;
  feed: number | undefined;
}

/** The side of a connection that wants streams. */
export class RelayPullerSession {
  private readonly peer: RelayPeer;
  private readonly out: RelayPullerOutput;
  private readonly node: string;
  private readonly byId = new Map<number, Subscription>();
  private readonly byFeed = new Map<number, Subscription>();
  private lastId = 0;

  constructor(out: RelayPullerOutput, options: RelayPeerOptions, now: MonotonicMs) {
    this.out = out;
    this.node = options.node;
    this.peer = new RelayPeer(
      {
        wake: () => out.wake(),
        opened: () => out.opened(),
        message: (message, at) => this.message(message, at),
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

  /** Asks for a stream; may be called before the holder said hello. Returns the subscription's number. */
  subscribe(wish: RelayWish, receiver: RelayReceiver): number {
    this.lastId++;
    const subscription: Subscription = { id: this.lastId, receiver, epoch: wish.epoch, feed: undefined };
    this.byId.set(subscription.id, subscription);
    receiver.assembler.newFeed();
    this.peer.send(writeSubscribe(subscription.id, wish));
    return subscription.id;
  }

  /** The receiver is told nothing more. */
  unsubscribe(id: number): void {
    if (this.remove(id)) this.peer.send(writeRequest('unsubscribe', id));
  }

  requestKeyframe(id: number): void {
    if (this.byId.has(id)) this.peer.send(writeRequest('keyframe', id));
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

  private remove(id: number): boolean {
    const subscription = this.byId.get(id);
    if (subscription === undefined) return false;
    this.byId.delete(id);
    if (subscription.feed !== undefined && this.byFeed.get(subscription.feed) === subscription) this.byFeed.delete(subscription.feed);
    return true;
  }

  private message(message: RelayMessage, now: MonotonicMs): void {
    if (message.kind === 'frame') this.frame(message.frame, now);
    else if (message.kind === 'accepted') this.accepted(message.subscription, message.feed, message.acceptance, now);
    else if (message.kind === 'refused') this.refused(message);
    else if ('feed' in message) this.ofFeed(message, now);
    else throw new ProtocolError('relay.unexpected', `a holder does not send ${message.kind}`);
  }

  private accepted(id: number, feed: number, acceptance: RelayAcceptance, now: MonotonicMs): void {
    const subscription = this.byId.get(id);
    // Unsubscribed while the answer was on its way.
    if (subscription === undefined) return;
    if (acceptance.epoch < subscription.epoch || acceptance.hops.includes(this.node)) {
      const isLoop = acceptance.hops.includes(this.node);
      const reason = isLoop
        ? `the stream came through this node: ${acceptance.hops.join(', ')}`
        : `epoch ${acceptance.epoch} is older than ${subscription.epoch}`;
      this.unsubscribe(id);
      subscription.receiver.refused(isLoop ? 'loop' : 'stale-epoch', reason, acceptance.epoch);
      return;
    }
    subscription.feed = feed;
    this.byFeed.set(feed, subscription);
    subscription.receiver.accepted(acceptance, now);
  }

  private refused({ subscription: id, code, message, epoch, nodes }: Extract<RelayMessage, { kind: 'refused' }>): void {
    const subscription = this.byId.get(id);
    if (this.remove(id)) subscription?.receiver.refused(code, message, epoch, nodes);
  }

  private frame(wire: WireFrame, now: MonotonicMs): void {
    const receiver = this.byFeed.get(wire.feed)?.receiver;
    if (receiver === undefined) return;
    const transitMs = this.peer.heartbeat.transitMs(wire.sentMs, now);
    if ((wire.flags & frameFlags.isReplayed) === 0 && transitMs !== undefined) this.out.hop(transitMs);
    const frame = receiver.assembler.frame(wire, now - wire.ageUs / 1000 - (transitMs ?? 0));
    if (frame === undefined) throw new ProtocolError('relay.bad-message', 'the holder sent a frame of no announced segment or track');
    receiver.frame(frame, now);
  }

  private ofFeed(message: RelayMessage & { readonly feed: number }, now: MonotonicMs): void {
    const subscription = this.byFeed.get(message.feed);
    if (subscription === undefined || message.kind === 'accepted') return;
    const { receiver } = subscription;
    if (message.kind === 'tracks') receiver.assembler.tracks(message.tracks, message.bytes);
    else if (message.kind === 'segment') {
      if (!receiver.assembler.segment(message.stamp))
        throw new ProtocolError('relay.bad-message', 'the holder sent a segment without tracks');
    } else if (message.kind === 'renditions') receiver.renditions(message.renditions, now);
    else if (message.kind === 'path') this.path(subscription, message.epoch, message.hops);
    else if (message.kind === 'paused') receiver.paused(now);
    else if (message.kind === 'gap') receiver.gap();
    else {
      this.remove(subscription.id);
      receiver.ended(now);
    }
  }

  private path({ id, receiver }: Subscription, epoch: number, hops: readonly string[]): void {
    if (!hops.includes(this.node)) {
      receiver.path(epoch, hops);
      return;
    }
    this.unsubscribe(id);
    receiver.refused('loop', `the stream comes through this node now: ${hops.join(', ')}`, epoch);
  }
}

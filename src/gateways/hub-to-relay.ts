import type { MonotonicMs } from '../core/mod.ts';
import type { FrameSource, LiveStream, Rendition, Sink } from '../hub/mod.ts';
import type { Frame } from '../media/mod.ts';
import { type FeedSender, FeedWriter, RENDITIONS_MAX, type RelayRendition, trackIndex } from '../protocols/relay/mod.ts';

/** One rendition of a stream on its way to all nodes that pull it: each frame's head is written once, and its bytes are shared. */
export class HubToRelay implements Sink {
  readonly writer: FeedWriter;
  readonly source: FrameSource;
  private readonly now: () => MonotonicMs;
  private readonly over: () => void;
  private readonly senders = new Set<FeedSender>();
  private detach: (() => void) | undefined = undefined;
  private isAttaching = false;

  /** `feed`: unique on this node. `now`: the clock that frames were received by. `over`: the source ended and all subscribers were told so. */
  constructor(source: FrameSource, feed: number, now: () => MonotonicMs, over: () => void) {
    this.source = source;
    this.writer = new FeedWriter(feed);
    this.now = now;
    this.over = over;
  }

  get isIdle(): boolean {
    return this.senders.size === 0;
  }

  /** Begins with the last whole segment; `accepted` is called before anything is sent and told whether that goes on behind the sender's position. */
  join(sender: FeedSender, accepted: (isResumed: boolean) => void): void {
    this.senders.add(sender);
    this.listen();
    const cache = new CachedFrames();
    this.source.attach(cache, 'segment')();
    accepted(sender.begin(cache.frames));
    const now = this.now();
    for (const frame of cache.frames) {
      if (trackIndex(frame) >= 0) sender.frame(frame, () => this.writer.frameHead(frame, now, true));
    }
    if (cache.state !== 'live') sender.notice(cache.state);
    if (cache.state === 'ended') this.over();
  }

  leave(sender: FeedSender): void {
    if (!this.senders.delete(sender)) return;
    sender.cancel();
    if (this.senders.size > 0) return;
    this.detach?.();
    this.detach = undefined;
  }

  requestKeyframe(): void {
    this.source.requestKeyframe();
  }

  /** Nothing to do: each segment says which tracks are in force. */
  tracks(): void {}

  frame(frame: Frame): void {
    if (this.isAttaching || trackIndex(frame) < 0) return;
    let shared: Uint8Array | undefined;
    const head = (): Uint8Array => {
      shared ??= this.writer.frameHead(frame, this.now(), false);
      return shared;
    };
    for (const sender of this.senders) sender.frame(frame, head);
  }

  gap(): void {
    for (const sender of this.senders) sender.gap();
  }

  paused(): void {
    if (!this.isAttaching) for (const sender of this.senders) sender.notice('paused');
  }

  ended(): void {
    if (this.isAttaching) return;
    for (const sender of this.senders) sender.notice('ended');
    this.over();
  }

  /** The replay goes to each subscriber on its own. */
  private listen(): void {
    if (this.detach !== undefined) return;
    this.isAttaching = true;
    this.detach = this.source.attach(this);
    this.isAttaching = false;
  }
}

class CachedFrames implements Sink {
  readonly frames: Frame[] = [];
  state: 'live' | 'paused' | 'ended' = 'live';

  tracks(): void {}

  frame(frame: Frame): void {
    this.frames.push(frame);
  }

  paused(): void {
    this.state = 'paused';
  }

  ended(): void {
    this.state = 'ended';
  }
}

/** What a node that pulls `stream` is told of its renditions. Those that nobody made yet and that say nothing of themselves are left out. */
export function relayRenditions(stream: LiveStream): RelayRendition[] {
  return [...stream.renditions.values()].flatMap((rendition) => describe(rendition) ?? []).slice(0, RENDITIONS_MAX);
}

function describe({ name, kind, audience, described }: Rendition): RelayRendition | undefined {
  return described === undefined ? undefined : { name, kind, audience, expected: described };
}

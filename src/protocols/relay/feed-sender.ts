import type { Frame, SegmentStamp, Track } from '../../media/mod.ts';
import type { RelayPosition, RelayRendition } from './messages.ts';
import { ResumeFilter } from './position.ts';
import type { SendQueue } from './send-queue.ts';
import { writeFrameHead, writeNotice, writeRenditions, writeSegment, writeTracks } from './write-message.ts';

/** Makes the messages of one feed, each once for all its subscribers. */
export class FeedWriter {
  readonly feed: number;
  private tracksSource: readonly Track[] | undefined = undefined;
  private tracksBytes: Uint8Array = new Uint8Array(0);
  private stampSource: SegmentStamp | undefined = undefined;
  private stampBytes: Uint8Array = new Uint8Array(0);

  constructor(feed: number) {
    this.feed = feed;
  }

  tracks(tracks: readonly Track[]): Uint8Array {
    if (this.tracksSource !== tracks) this.tracksBytes = writeTracks(this.feed, tracks);
    this.tracksSource = tracks;
    return this.tracksBytes;
  }

  segment(stamp: SegmentStamp): Uint8Array {
    if (this.stampSource !== stamp) this.stampBytes = writeSegment(this.feed, stamp);
    this.stampSource = stamp;
    return this.stampBytes;
  }

  /** What comes before the frame's payload. */
  frameHead(frame: Frame, nowMs: number, isReplayed: boolean): Uint8Array {
    return writeFrameHead(frame, { feed: this.feed, nowMs, isReplayed });
  }
}

/** A peer's way out, as its subscriptions share it. */
export interface FeedOutlet {
  readonly queue: SendQueue;
  /** Something waits in `queue`. */
  wake(): void;
  /** So many messages were dropped from the queue, or not put into it. */
  dropped(messages: number): void;
}

export interface FeedSenderOptions {
  /** Of one subscription: more of it that waits is dropped, up to the next lead keyframe. */
  readonly subscriptionBytesMax: number;
  /** Of all that waits for a peer: then whoever wants to add more is dropped. */
  readonly connectionBytesMax: number;
}

/** One subscription: what the peer has been told, what it has already, and what is kept from it because it is too slow. */
export class FeedSender {
  private readonly out: FeedOutlet;
  private readonly writer: FeedWriter;
  private readonly options: FeedSenderOptions;
  private tracks: readonly Track[] | undefined = undefined;
  private stamp: SegmentStamp | undefined = undefined;
  private filter: ResumeFilter | undefined;
  private waitsForKeyframe = false;

  constructor(out: FeedOutlet, writer: FeedWriter, options: FeedSenderOptions, position: RelayPosition | undefined) {
    this.out = out;
    this.writer = writer;
    this.options = options;
    this.filter = position === undefined ? undefined : new ResumeFilter(position);
  }

  /**
   * Begins with what the cache has. Returns whether that goes on right behind the position; where it does not, it goes on with the first lead keyframe
   * behind the position, and the puller has to know from the answer to its wish that there is a gap.
   */
  begin(cached: readonly Frame[]): boolean {
    const isResumed = this.filter?.covers(cached) === true;
    this.waitsForKeyframe = !isResumed;
    return isResumed;
  }

  /** `head` makes what comes before its payload; asked only if it is sent. */
  frame(frame: Frame, head: () => Uint8Array): void {
    if (this.isOld(frame)) return;
    if (this.waitsForKeyframe) {
      if (!isLeadKeyframe(frame)) {
        this.out.dropped(1);
        return;
      }
      this.waitsForKeyframe = false;
    }
    if (this.tracks !== frame.segment.tracks) {
      this.tracks = frame.segment.tracks;
      this.out.queue.push(this.writer.tracks(this.tracks), this);
    }
    if (this.stamp !== frame.segment) {
      this.stamp = frame.segment;
      this.out.queue.push(this.writer.segment(this.stamp), this);
    }
    this.out.queue.push(head(), this, frame.payload);
    this.dropIfSlow();
    this.out.wake();
  }

  /** Frames are missing in the stream itself; those that come next are new to every puller. */
  gap(): void {
    this.filter = undefined;
    this.notice('gap');
  }

  notice(kind: 'paused' | 'ended' | 'gap'): void {
    this.control(writeNotice(kind, this.writer.feed));
  }

  renditions(renditions: readonly RelayRendition[]): void {
    this.control(writeRenditions(this.writer.feed, renditions));
  }

  /** A message that is never dropped. */
  control(bytes: Uint8Array): void {
    this.out.queue.push(bytes);
    this.out.wake();
  }

  /** Nothing that waits is sent any more. */
  cancel(): void {
    this.out.queue.drop(this);
  }

  private isOld(frame: Frame): boolean {
    const { filter } = this;
    if (filter === undefined) return false;
    if (!filter.isOld(frame)) {
      this.filter = undefined;
      return false;
    }
    if (!filter.countBehind()) return true;
    this.startOver();
    return false;
  }

  private dropIfSlow(): void {
    const { queue } = this.out;
    if (queue.sizeOf(this) <= this.options.subscriptionBytesMax && queue.sizeBytes <= this.options.connectionBytesMax) return;
    this.out.dropped(queue.drop(this));
    this.startOver();
  }

  /** Goes on at the next lead keyframe; the tracks and the segment may be among what was dropped. */
  private startOver(): void {
    this.filter = undefined;
    this.waitsForKeyframe = true;
    this.tracks = undefined;
    this.stamp = undefined;
    this.notice('gap');
  }
}

/** Where a decoder of the lead track can begin. */
function isLeadKeyframe({ segment, track, isKeyframe, startsPart }: Frame): boolean {
  const lead = segment.tracks[0];
  return lead !== undefined && track.id === lead.id && track.kind === lead.kind && (lead.kind === 'video' ? isKeyframe : startsPart);
}

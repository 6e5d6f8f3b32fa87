import { ticksToMs } from '../core/mod.ts';
import { type Frame, sameConfiguration, type Track } from '../media/mod.ts';
import type { RecordingEnd } from './recording-end.ts';

export interface RecorderOptions {
  /** A file that is as long ends at the next keyframe, and another one begins. Asked at each keyframe. */
  readonly fileMsMax: () => number;
  /** With as much waiting for the disk, frames are left out up to the next keyframe for which there is room. */
  readonly queueBytesMax: number;
}

/** What a recorder wants done, in this order: begin, any number of fragments, end. */
export interface RecorderOutput {
  /** A file of these tracks begins. */
  begin(tracks: readonly Track[]): void;
  /** The next fragment. The first frame is one of the lead track; `next` is the lead frame behind the last one, where it goes on without a break. */
  fragment(frames: readonly Frame[], next: Frame | undefined): void;
  end(reason: RecordingEnd): void;
}

/** A fragment ends at a keyframe when it is as long; so much is lost of a process that is killed. */
const FRAGMENT_MS_MIN = 1_000;
/** And at the next part when it is as long, or as large, as its GOP is longer. */
const FRAGMENT_MS_MAX = 4_000;
const FRAGMENT_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Decides what of a stream's frames goes into which file and fragment. A file begins at a keyframe of the lead track; it is cut at one when it is long enough or
 * the stream has other tracks. Over a hold of the stream it goes on, if the tracks are the same.
 */
export class Recorder {
  private readonly out: RecorderOutput;
  private readonly options: RecorderOptions;
  /** Of the open file; undefined: none is open. */
  private tracks: readonly Track[] | undefined;
  private fileStartMs = 0;
  private pending: Frame[] = [];
  private pendingBytes = 0;
  /** Whether frames are left out up to a keyframe. */
  private isSkipping = false;
  private queuedBytes = 0;
  private dropped = 0;

  constructor(out: RecorderOutput, options: RecorderOptions) {
    this.out = out;
    this.options = options;
  }

  /** Frames of the open file, or the last one, that were left out. */
  get droppedFrames(): number {
    return this.dropped;
  }

  get isOpen(): boolean {
    return this.tracks !== undefined;
  }

  /** So much waits for the disk now. */
  backlog(bytes: number): void {
    this.queuedBytes = bytes;
  }

  frame(frame: Frame): void {
    const isLead = isLeadFrame(frame);
    const isCut = isLead && frame.isKeyframe;
    if (isCut) this.cutBefore(frame);
    if (isLead && this.endsFragment(frame)) this.flush(frame);
    if ((this.tracks === undefined || this.isSkipping) && !(isCut && this.goesOnAt(frame))) {
      if (this.tracks !== undefined) this.dropped++;
      return;
    }
    this.pending.push(frame);
    this.pendingBytes += frame.payload.length;
    // Frames of other tracks alone: nothing ends their fragment.
    if (this.pendingBytes > 2 * FRAGMENT_BYTES_MAX) this.skip();
  }

  /** The stream waits for its publisher: what came until now is whole. */
  paused(): void {
    this.flush(undefined);
  }

  /** Ends the open file. The next keyframe begins another one, unless nothing comes any more. */
  end(reason: RecordingEnd): void {
    if (this.tracks === undefined) return;
    this.flush(undefined);
    this.drop(reason);
  }

  /** The open file cannot be written any more: what is still here of it is of no use. */
  drop(reason: RecordingEnd): void {
    if (this.tracks === undefined) return;
    this.tracks = undefined;
    this.pending = [];
    this.pendingBytes = 0;
    this.out.end(reason);
  }

  /** Whether there is room again for what begins at this keyframe. */
  private goesOnAt(frame: Frame): boolean {
    if (this.queuedBytes > this.options.queueBytesMax / 2) return false;
    this.isSkipping = false;
    if (this.tracks === undefined) this.begin(frame);
    return true;
  }

  private begin({ segment, dts, track }: Frame): void {
    this.tracks = segment.tracks;
    this.fileStartMs = ticksToMs(dts, track.timescale);
    this.dropped = 0;
    this.out.begin(segment.tracks);
  }

  private cutBefore(frame: Frame): void {
    const { tracks } = this;
    if (tracks === undefined) return;
    if (!areSame(tracks, frame.segment.tracks)) this.end('tracks-changed');
    else if (msOf(frame) - this.fileStartMs >= this.options.fileMsMax()) {
      this.flush(frame);
      this.drop('length');
    }
  }

  private endsFragment(frame: Frame): boolean {
    const [first] = this.pending;
    if (first === undefined || !frame.startsPart) return false;
    const ms = msOf(frame) - msOf(first);
    return (frame.isKeyframe && ms >= FRAGMENT_MS_MIN) || ms >= FRAGMENT_MS_MAX || this.pendingBytes >= FRAGMENT_BYTES_MAX;
  }

  private flush(next: Frame | undefined): void {
    const frames = this.pending;
    if (frames.length === 0) return;
    if (this.queuedBytes > this.options.queueBytesMax) {
      this.skip();
      return;
    }
    this.pending = [];
    this.pendingBytes = 0;
    this.out.fragment(frames, next);
  }

  private skip(): void {
    this.isSkipping = true;
    this.dropped += this.pending.length;
    this.pending = [];
    this.pendingBytes = 0;
  }
}

/** The first track leads: see {@link Timeline}. */
const isLeadFrame = ({ segment, track }: Frame): boolean => segment.tracks[0]?.id === track.id;

const msOf = ({ dts, track }: Frame): number => ticksToMs(dts, track.timescale);

const areSame = (a: readonly Track[], b: readonly Track[]): boolean =>
  a === b || (a.length === b.length && a.every((track, index) => sameConfiguration(track, b[index] as Track)));

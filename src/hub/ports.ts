import type { StreamRef } from '../core/mod.ts';
import type { Frame, Track } from '../media/mod.ts';

/**
 * Takes frames out of a stream. Called synchronously; must not throw (a sink that does is detached and reported by
 * `HubListener.sinkFailed`). From inside, it may attach and detach sinks, but not publish.
 */
export interface Sink {
  /** The tracks in force from the next frame on; called before the first frame and whenever they change. */
  tracks(tracks: readonly Track[]): void;
  /** A frame, in the order the stream received them. Shared: never write to it. */
  frame(frame: Frame): void;
  /** The source went away; the stream is held and may go on. What is pending can be flushed. */
  paused(): void;
  /**
   * Frames are missing between the last one and the next, which is a lead keyframe (relayed streams only). What is incomplete stays so. Sinks that
   * make no units of several frames leave this out.
   */
  gap?(): void;
  /** Nothing more comes from here. No call follows. */
  ended(end: StreamEnd): void;
}

/** `over`: nobody publishes the stream any more; `released`: it goes on, but nobody wanted it here, and who does again has it brought again. */
export type StreamEnd = 'over' | 'released';

/** Something that sinks take frames from: a stream as it is published, or one of its renditions. */
export interface FrameSource {
  /** The tracks in force; empty until the first frame. */
  readonly tracks: readonly Track[];
  /** Whether frames of the present video configuration came in another order than they are shown (B-frames). */
  readonly hasReorderedFrames: boolean;
  /**
   * Replays the tracks and the frames since the last lead keyframe (or since the beginning of the last whole segment, as far as
   * it is kept) into `sink` before it returns; live frames follow.
   * Returns a function that detaches; it may be called at any time and more than once.
   */
  attach(sink: Sink, from?: 'keyframe' | 'segment'): () => void;
  /** Asks for a keyframe soon, where the source knows how. */
  requestKeyframe(): void;
}

/** Why a publication was refused. */
export type PublishRefusal = 'stream-taken' | 'too-many-streams';

/** Why a publication was ended: `taken-over` by another publisher, `deleted` by an operator, or it is more than its app may have. */
export type Eviction = 'taken-over' | 'deleted' | 'over-limit';

/** What the hub has to say to a publisher, or to a relay that brings a stream. */
export interface SourceListener {
  /** The publication is over; frames put in later are ignored. */
  evicted(reason: Eviction): void;
  /** A viewer cannot go on without a keyframe; sources that cannot ask their encoder for one leave this out. */
  keyframeWanted?(): void;
}

/** Told about streams coming and going; one instance owned by the wiring. */
export interface HubListener {
  streamStarted(ref: StreamRef): void;
  streamHeld(ref: StreamRef): void;
  streamResumed(ref: StreamRef): void;
  streamEnded(ref: StreamRef): void;
  /** A rendition beside the source can be played now, or no longer. */
  renditionsChanged(ref: StreamRef): void;
  /** A sink threw (a bug of ours) and was detached; the stream and its other sinks go on. */
  sinkFailed(ref: StreamRef, error: unknown): void;
}

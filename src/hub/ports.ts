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
  /** The stream is over. No call follows. */
  ended(): void;
}

/** Why a publication was refused. */
export type PublishRefusal = 'stream-taken' | 'too-many-streams';

/** Given to the source when it is replaced or its stream is deleted. */
export interface SourceListener {
  /** The publication is over (`taken-over` by another publisher, or `deleted` by an operator); frames put in later are ignored. */
  evicted(reason: 'taken-over' | 'deleted'): void;
}

/** Told about streams coming and going; one instance owned by the wiring. */
export interface HubListener {
  streamStarted(ref: StreamRef): void;
  streamHeld(ref: StreamRef): void;
  streamResumed(ref: StreamRef): void;
  streamEnded(ref: StreamRef): void;
  /** A sink threw (a bug of ours) and was detached; the stream and its other sinks go on. */
  sinkFailed(ref: StreamRef, error: unknown): void;
}

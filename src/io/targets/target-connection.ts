import type { MonotonicMs } from '../../core/mod.ts';
import type { Frame, Track } from '../../media/mod.ts';
import type { TargetReason } from '../../targets/mod.ts';

/** Told about one connection to a target. */
export interface TargetConnectionListener {
  /** The target takes media from now on. */
  connected(): void;
  /** The connection is over, or was never made; called once, and not after `finish` or `destroy`. `isFinal`: another attempt would end the same way. */
  ended(reason: TargetReason, isFinal: boolean): void;
}

/** One connection to a target. */
export interface TargetConnection {
  /** Bytes of frames that wait here for the target to take them. */
  readonly backlogBytes: number;
  /** Bytes that have left. */
  readonly sentBytes: number;
  /** Other configurations of the same codecs, from the next frame on; false: this connection cannot tell them, a new one is needed. */
  tracks(tracks: readonly Track[]): boolean;
  /** A frame of one of the tracks; only after `connected`, the first one a keyframe. */
  frame(frame: Frame): void;
  tick(now: MonotonicMs): void;
  /** Sends what waits, says goodbye and ends; settles when it is over, within some seconds. */
  finish(): Promise<void>;
  destroy(): void;
}

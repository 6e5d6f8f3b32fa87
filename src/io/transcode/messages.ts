import type { Track, VideoCodec } from '../../media/mod.ts';
import type { PlannedRung, Rung } from '../../transcode/mod.ts';

// The control messages on the pipe. They are plain JSON between two halves of one program, so they are not checked again.

/** The pipe's channels to the child. */
export const CHANNEL: { readonly video: 0; readonly audio: 1 } = { video: 0, audio: 1 };

/** A source's track as it travels: its configuration record in base64. */
export type PipedTrack = Track extends infer Each
  ? Each extends Track
    ? Omit<Each, 'config'> & { readonly config: string }
    : never
  : never;

/** A rung with the number by which its frames go over the pipe; a rung that comes back has another number. */
export interface NumberedRung {
  readonly number: number;
  readonly rung: Rung;
  readonly expected: PlannedRung['expected'];
  /** The encoders to try, the best first. */
  readonly encoders: readonly string[];
}

export type ToChild =
  | { readonly kind: 'track'; readonly track: PipedTrack }
  /** All rungs from now on: those that are not named end. */
  | { readonly kind: 'rungs'; readonly rungs: readonly NumberedRung[] }
  | { readonly kind: 'probe'; readonly encoders: readonly { readonly name: string; readonly codec: VideoCodec }[] }
  | { readonly kind: 'stop' };

/** Told every half second. */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  /** Processor seconds of the whole child so far. */
  readonly cpuS: number;
  /** The decoding time of the last frame taken from each queue, in milliseconds of the stream's timeline. */
  readonly doneMs: { readonly video?: number; readonly audio?: number };
  /** Frames that no decoder could make sense of, wholly or in part. */
  readonly framesCorrupt: number;
}

export interface ProbedEncoder {
  readonly name: string;
  readonly reason?: string;
}

export type FromChild =
  | { readonly kind: 'ready' }
  | Heartbeat
  /** Holds from the rung's next keyframe on; `config` in base64, empty where the keyframe tells. */
  | { readonly kind: 'config'; readonly number: number; readonly config: string; readonly encoder: string }
  | { readonly kind: 'rung-failed'; readonly number: number; readonly code: string; readonly message: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** One of those that were asked for. */
  | { readonly kind: 'probed'; readonly encoder: ProbedEncoder };

export function pipedTrack(track: Track): PipedTrack {
  return { ...track, config: toBase64(track.config) };
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

export function trackOf(piped: PipedTrack): Track {
  return { ...piped, config: fromBase64(piped.config) };
}

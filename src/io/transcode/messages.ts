import type { Track, VideoCodec } from '../../media/mod.ts';
import type { PlannedRung, Rung } from '../../transcode/mod.ts';

// The control messages on the pipe. They are plain JSON between two halves of one program, so they are not checked again.

/** The pipe's channel to the child for one kind of frames of one of its places. */
export const channelOf = (seat: number, kind: Track['kind']): number => 2 * seat + (kind === 'video' ? 0 : 1);

/** What a channel to the child is for. */
export const ofChannel = (channel: number): { readonly seat: number; readonly kind: Track['kind'] } => ({
  seat: channel >> 1,
  kind: channel % 2 === 0 ? 'video' : 'audio',
});

/** A source's track as it travels: its configuration record in base64. */
export type PipedTrack = Track extends infer Each
  ? Each extends Track
    ? Omit<Each, 'config'> & { readonly config: string }
    : never
  : never;

/** A rung with the number by which its frames go over the pipe, one of all its process's; a rung that comes back has another number. */
export interface NumberedRung {
  readonly number: number;
  readonly rung: Rung;
  readonly expected: PlannedRung['expected'];
  /** The encoders to try, the best first. */
  readonly encoders: readonly string[];
  /** It has a keyframe, and begins if it has not begun, with the first picture of at least this decoding time, whatever the source has there. */
  readonly keyframeAtDts?: number;
}

export type ToChild =
  | { readonly kind: 'track'; readonly seat: number; readonly track: PipedTrack }
  /** All rungs of this place from now on: those that are not named end. */
  | { readonly kind: 'rungs'; readonly seat: number; readonly rungs: readonly NumberedRung[] }
  /** The rung's picture that is made of the next frame is a keyframe, whatever the source has there. */
  | { readonly kind: 'keyframe'; readonly seat: number; readonly number: number }
  /** Everything of this place ends; its number may be given out again. */
  | { readonly kind: 'leave'; readonly seat: number }
  | { readonly kind: 'probe'; readonly encoders: readonly { readonly name: string; readonly codec: VideoCodec }[] }
  | { readonly kind: 'stop' };

/** How one place of a child does. */
export interface Heartbeat {
  readonly seat: number;
  /** Processor seconds of the child so far; of one with several places, this one's share by the frames it took. */
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
  /** Every half second. */
  | { readonly kind: 'heartbeat'; readonly seats: readonly Heartbeat[] }
  /** Holds from the rung's next keyframe on; `config` in base64, empty where the keyframe tells. */
  | { readonly kind: 'config'; readonly number: number; readonly config: string; readonly encoder: string }
  | { readonly kind: 'rung-failed'; readonly number: number; readonly code: string; readonly message: string }
  /** Of one place, or of all. */
  | { readonly kind: 'failed'; readonly seat?: number; readonly code: string; readonly message: string }
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

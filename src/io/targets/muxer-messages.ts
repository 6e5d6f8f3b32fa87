import type { PipedTrack } from '../transcode/messages.ts';

// The control messages between the server and a muxing child. They are plain JSON between two halves of one program, so they are not checked again.

/** The pipe's channels: the tracks in the order in which they were told. */
export type ToMuxer =
  /** `url` may hold secrets. */
  | { readonly kind: 'open'; readonly format: 'mpegts' | 'whip'; readonly url: string; readonly tracks: readonly PipedTrack[] }
  /** Writes what has come, says goodbye and ends. */
  | { readonly kind: 'finish' };

export type FromMuxer =
  | { readonly kind: 'opened' }
  /** Bytes of frames' payloads that the target took, of all times. */
  | { readonly kind: 'written'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly isFinal: boolean };

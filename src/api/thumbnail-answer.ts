import type { ProblemCode } from './problem.ts';

/** A small picture of a stream. */
export interface Thumbnail {
  readonly jpeg: Uint8Array;
  /** Says which keyframe it shows; with its quotes. */
  readonly etag: string;
}

/** Why there is none. */
export interface ThumbnailFailure {
  readonly code: Extract<ProblemCode, `thumbnails.${string}`>;
  readonly detail: string;
  /** When it is worth asking again. */
  readonly retryAfterS?: number;
}

export type ThumbnailAnswer = Thumbnail | ThumbnailFailure;

/** Makes pictures of the streams that are on this node. */
export interface ThumbnailSource {
  /** Undefined where there is no such stream. */
  thumbnail(path: string): Promise<ThumbnailAnswer | undefined>;
}

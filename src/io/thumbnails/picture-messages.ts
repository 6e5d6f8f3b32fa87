import type { VideoCodec } from '../../media/mod.ts';

// The control messages between the server and the child process that makes thumbnails. They are plain JSON between two halves of one program, so they
// are not checked again. One picture is under way at a time: `picture` is followed by the keyframe, and answered with the JPEG as a frame, or `failed`.

export type ToPictures =
  /** What the keyframe that comes next is; `config`, as media's Track has it, in base64. */
  { readonly kind: 'picture'; readonly codec: VideoCodec; readonly config: string } | { readonly kind: 'stop' };

export type FromPictures =
  /** FFmpeg is loaded. */
  | { readonly kind: 'ready' }
  /** There is no FFmpeg. */
  | { readonly kind: 'unavailable'; readonly message: string }
  /** Of the keyframe no picture could be made. */
  | { readonly kind: 'failed'; readonly message: string };

import type { AudioCodec, VideoCodec } from '../../media/mod.ts';

// The control messages between the server and a source's child process. They are plain JSON between two halves of one program, so they are not
// checked again.

/** The pipe's channels from the child. */
export const CHANNEL: { readonly video: 0; readonly audio: 1 } = { video: 0, audio: 1 };

/** What FFmpeg is to open. Whatever it may connect to was judged, and is reached as this says and in no other way. */
export interface SourceInput {
  readonly url: string;
  /** The one demuxer; absent: it is found out among those that `options` allow. */
  readonly format?: string;
  /** Of FFmpeg's demuxers and protocols. */
  readonly options: Readonly<Record<string, string>>;
  /** Given out at the speed of its timestamps: files and HLS are there faster than they are played. */
  readonly isPaced: boolean;
  /** From the beginning again after its end, with timestamps that go on. */
  readonly isLooped: boolean;
}

export type ToSource =
  /** `environment`: what FFmpeg is to find in its environment. */
  | { readonly kind: 'open'; readonly input: SourceInput; readonly environment: Readonly<Record<string, string>> }
  | { readonly kind: 'stop' };

export type FromSource =
  /** A track, before its first frame and when its configuration changes; `config` in base64. Times of its frames are in ticks of `timeBase`. */
  | {
      readonly kind: 'track';
      readonly track: ({ readonly kind: 'video'; readonly codec: VideoCodec } | { readonly kind: 'audio'; readonly codec: AudioCodec }) & {
        readonly config: string;
        readonly timeBase: { readonly numerator: number; readonly denominator: number };
      };
    }
  /** The input is open; `format` is FFmpeg's name of it, `leftOut` has the tracks that are not taken. */
  | { readonly kind: 'opened'; readonly format: string; readonly leftOut: readonly string[] }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

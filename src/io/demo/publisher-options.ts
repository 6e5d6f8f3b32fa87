/** What the test publisher sends, and where. All of it is plain data: it travels to the child process as a message. */
export interface PublisherOptions {
  /** `rtmp://HOST:PORT/APP/NAME`, with the key in the query where one is needed. */
  readonly url: string;
  readonly video?: PublisherVideo;
  readonly audio?: PublisherAudio;
  /** Ends the publication politely after so many seconds; without it, it goes on until told to stop. */
  readonly durationS?: number;
}

export interface PublisherVideo {
  readonly codec: 'h264' | 'hevc' | 'av1' | 'vp9';
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly bitrateBps: number;
  readonly keyframeIntervalS: number;
  /** How many B-frames between references; only H.264 and HEVC take more than 0. */
  readonly bFrames: number;
}

export interface PublisherAudio {
  readonly codec: 'aac' | 'opus' | 'mp3';
  readonly bitrateBps: number;
}

/** Sent to the worker. */
export type PublisherCommand = { readonly kind: 'publish'; readonly options: PublisherOptions } | { readonly kind: 'stop' };

/** Sent by the worker. `unavailable` is final: this platform has no node-av. */
export type PublisherReport =
  | { readonly kind: 'publishing' }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly message: string };

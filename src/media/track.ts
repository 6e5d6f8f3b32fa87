export type VideoCodec = 'h264' | 'hevc' | 'av1' | 'vp8' | 'vp9';
export type AudioCodec = 'aac' | 'opus' | 'mp3';

/**
 * One video component of a stream. Immutable: a changed configuration is a new object with the same `id`.
 * Frame payloads are: H.264 and HEVC, NAL units each behind a 4-byte length; AV1, a temporal unit in low-overhead
 * OBU format without temporal delimiters; VP8 and VP9, one (super)frame.
 */
export interface VideoTrack {
  readonly kind: 'video';
  readonly id: number;
  readonly codec: VideoCodec;
  /** Ticks a second of this track's pts and dts; 90,000 for video. */
  readonly timescale: number;
  /** The ISO BMFF configuration record's content: avcC, hvcC, av1C, vpcC (with its version and flags). */
  readonly config: Uint8Array;
  /** RFC 6381, e.g. `avc1.64001f`. */
  readonly codecString: string;
  readonly width: number;
  readonly height: number;
  /** Frames a second from the codec header where it tells. */
  readonly frameRate?: number;
}

/** One audio component of a stream. Payloads: AAC, a raw_data_block; Opus, one packet; MP3, one frame with its header. */
export interface AudioTrack {
  readonly kind: 'audio';
  readonly id: number;
  readonly codec: AudioCodec;
  /** Ticks a second of this track's pts and dts; the sample rate for AAC and MP3, 48,000 for Opus. */
  readonly timescale: number;
  /** AAC: AudioSpecificConfig; Opus: the dOps box's content; MP3: empty. */
  readonly config: Uint8Array;
  /** RFC 6381, e.g. `mp4a.40.2`, `opus`. */
  readonly codecString: string;
  readonly sampleRate: number;
  readonly channels: number;
}

export type Track = VideoTrack | AudioTrack;

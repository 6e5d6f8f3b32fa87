import type { AudioCodec, VideoCodec } from '../../media/mod.ts';

/** Why a part of a message carries nothing for us. */
export type IgnoredReason =
  /** The codec is none of ours; `detail` names it. */
  | 'unsupported-codec'
  /** A packet type that is defined, but says nothing we use (multichannel map, MPEG-2 TS descriptor), or one not defined yet; `detail` names it. */
  | 'unsupported-packet'
  /** A client-side seek command. */
  | 'command'
  /** No bytes: a message or payload of length 0, such as RTMP's silence message. */
  | 'empty';

/** What one track has in one FLV audio or video tag body. `trackId` is 0 outside multitrack. Payloads share memory with the body. */
export type MediaMessage =
  /** `config`: the record as it stood there; `videoTrack` takes it. */
  | { readonly kind: 'video-config'; readonly trackId: number; readonly codec: VideoCodec; readonly config: Uint8Array }
  /** `payload`: as in `VideoTrack`, but NAL unit lengths have the size that the configuration names, and AV1 may have temporal delimiters. */
  | {
      readonly kind: 'video-frame';
      readonly trackId: number;
      readonly codec: VideoCodec;
      readonly isKeyframe: boolean;
      /** Presentation minus decoding time, in milliseconds; may be negative. */
      readonly compositionTimeMs: number;
      /** To be added to the message's timestamp, in nanoseconds, below one millisecond. */
      readonly timestampOffsetNs: number;
      readonly payload: Uint8Array;
    }
  /** `body`: AMF0 name and value pairs, such as `colorInfo`; not decoded. */
  | { readonly kind: 'video-metadata'; readonly trackId: number; readonly body: Uint8Array }
  /** `config`: AudioSpecificConfig or OpusHead; `audioTrack` takes it. MP3 has none and never sends this. */
  | { readonly kind: 'audio-config'; readonly trackId: number; readonly codec: AudioCodec; readonly config: Uint8Array }
  | {
      readonly kind: 'audio-frame';
      readonly trackId: number;
      readonly codec: AudioCodec;
      readonly timestampOffsetNs: number;
      readonly payload: Uint8Array;
    }
  | { readonly kind: 'end-of-sequence'; readonly trackId: number; readonly media: 'video' | 'audio' }
  | { readonly kind: 'ignored'; readonly trackId: number; readonly reason: IgnoredReason; readonly detail: string };

/** Called once for each track's part of a tag body, in the body's order. */
export type MediaMessageListener = (message: MediaMessage) => void;

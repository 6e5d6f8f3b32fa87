import { type MediaTime, type MonotonicMs, ProtocolError, type WallMs } from '../core/mod.ts';
import type { Publication } from '../hub/mod.ts';
import { audioTrack, buildOpusHead, needsKeyframe, sameConfiguration, type Track, type VideoCodec, videoTrack } from '../media/mod.ts';
import { type AssembledFrame, depacketize, type RtpCodec } from '../protocols/rtp/mod.ts';

const VIDEO_TRACK_ID = 1;
const AUDIO_TRACK_ID = 2;
/** Opus in RTP is always announced with two channels (RFC 7587 section 7); decoders take each packet as it is. */
const OPUS_CHANNELS = 2;
const OPUS_SAMPLE_RATE = 48_000;
const WARNINGS_MAX = 16;

/** One frame of a WebRTC publisher, complete. */
export interface ReceivedFrame {
  readonly codec: RtpCodec;
  /** Its RTP payloads in order; given. */
  readonly payloads: readonly Uint8Array[];
  /** On the publisher's clock, common to its tracks: ticks of 90 kHz for video, 48 kHz for audio, unwrapped. */
  readonly pts: MediaTime;
  /** When it was captured, on the publisher's wall clock, if it says so. */
  readonly captureMs?: WallMs;
}

/** What {@link RtpToHub} left out. */
export interface RtpToHubStats {
  readonly malformedFrames: number;
  readonly framesBeforeConfig: number;
  /** Of video, behind a malformed frame: they refer to what is not there. */
  readonly framesBeforeKeyframe: number;
}

/** Puts the frames of one WebRTC publisher into the hub: track 1 is video, track 2 audio. WebRTC has no B-frames: pts is dts. */
export class RtpToHub {
  private readonly publication: Pick<Publication, 'write'>;
  private readonly warning: (code: string, message: string) => void;
  private readonly warned = new Set<string>();
  /** The newest configuration record that came in-band. */
  private config: Uint8Array | undefined = undefined;
  private video: Track | undefined = undefined;
  private audio: Track | undefined = undefined;
  private malformedFrames = 0;
  private framesBeforeConfig = 0;
  private framesBeforeKeyframe = 0;
  private isAwaitingKeyframe = false;

  /** `warning`: something is left out of the stream; said once for each cause. */
  constructor(publication: Pick<Publication, 'write'>, warning: (code: string, message: string) => void) {
    this.publication = publication;
    this.warning = warning;
  }

  /** Width times height of the pictures; 0 before the first keyframe. */
  get pictureArea(): number {
    return this.video?.kind === 'video' ? this.video.width * this.video.height : 0;
  }

  stats(): RtpToHubStats {
    const { malformedFrames, framesBeforeConfig, framesBeforeKeyframe } = this;
    return { malformedFrames, framesBeforeConfig, framesBeforeKeyframe };
  }

  /**
   * Writes the frame, or counts why not. False: its payloads are broken, and decoding cannot go on before the next keyframe; what comes before
   * that one is left out.
   */
  frame(received: ReceivedFrame, now: MonotonicMs, wall: WallMs): boolean {
    try {
      this.write(received, depacketize(received.codec, received.payloads), now, wall);
      return true;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.malformedFrames++;
      this.isAwaitingKeyframe = received.codec !== 'opus';
      this.warn(error.code, `a frame is left out: ${error.message}`);
      return false;
    }
  }

  private write(received: ReceivedFrame, assembled: AssembledFrame, now: MonotonicMs, wall: WallMs): void {
    const { codec, pts, captureMs } = received;
    // Parameter sets may come alone, before the keyframe that they belong to.
    if (assembled.config !== undefined) this.config = assembled.config;
    if (assembled.payload.length === 0) return;
    const track = codec === 'opus' ? this.opusTrack() : this.videoTrack(codec, assembled);
    if (track === undefined) {
      this.framesBeforeConfig++;
      return;
    }
    const { payload, isKeyframe } = assembled;
    if (codec !== 'opus' && this.isAwaitingKeyframe && !isKeyframe) {
      this.framesBeforeKeyframe++;
      return;
    }
    this.isAwaitingKeyframe = false;
    const frame = { track, dts: pts, pts, isKeyframe, payload };
    this.publication.write(captureMs === undefined ? frame : { ...frame, captureMs }, now, wall);
  }

  /** The same object while the configuration stays; encoders in browsers change the picture's size at any keyframe. */
  private videoTrack(codec: VideoCodec, { isKeyframe, payload }: AssembledFrame): Track | undefined {
    if (!isKeyframe) return this.video;
    const { config = new Uint8Array() } = this;
    if (config.length === 0 && !needsKeyframe(codec, config)) return this.video;
    const track = videoTrack(VIDEO_TRACK_ID, codec, config, payload);
    if (this.video === undefined || !sameConfiguration(this.video, track)) this.video = track;
    return this.video;
  }

  private opusTrack(): Track {
    this.audio ??= audioTrack(
      AUDIO_TRACK_ID,
      'opus',
      buildOpusHead({
        channels: OPUS_CHANNELS,
        preSkip: 0,
        inputSampleRate: OPUS_SAMPLE_RATE,
        outputGain: 0,
        mappingFamily: 0,
        mapping: new Uint8Array(),
      }),
    );
    return this.audio;
  }

  private warn(code: string, message: string): void {
    if (this.warned.has(code) || this.warned.size >= WARNINGS_MAX) return;
    this.warned.add(code);
    this.warning(code, message);
  }
}

import { type AmfObject, type MediaMessage, parseAudioTagBody, parseOnMetaData, parseVideoTagBody } from '../containers/mod.ts';
import { assertNever, ProtocolError } from '../core/mod.ts';
import type { SourceFrame } from '../media/mod.ts';
import { type AudioClockLimits, audioClockLimitsDefault } from './audio-clock.ts';
import { FlvAudioSource } from './flv-audio-source.ts';
import { FlvVideoSource } from './flv-video-source.ts';
import { TimestampUnwrapper } from './timestamp-unwrapper.ts';

const VIDEO_TRACK_ID = 1;
const AUDIO_TRACK_ID = 2;
// Codes and codecs that were warned about, so that a peer cannot fill the log; past this many nothing more is said.
const WARNINGS_MAX = 16;

/** Takes what {@link FlvToHub} makes. */
export interface FlvToHubOutput {
  frame(frame: SourceFrame): void;
  /** Something is left out of the stream; said once for each cause. */
  warning(code: string, message: string): void;
}

/** What {@link FlvToHub} left out. */
export interface FlvToHubStats {
  readonly droppedBeforeConfig: number;
  /** Audio frames beyond the time that passed. */
  readonly surplusAudioFrames: number;
}

/**
 * Translates one publication's FLV tag bodies, as RTMP messages carry them, into frames: track 1 is video, track 2 audio. Of multitrack
 * messages the first track of each kind that sends something is used. Payloads share the bodies' memory: bodies are given.
 * `video` and `audio` throw `ProtocolError` with `flv.…`, `media.…` or `core.…` for broken bytes.
 */
export class FlvToHub {
  private readonly out: FlvToHubOutput;
  private readonly clock = new TimestampUnwrapper();
  private readonly videoSource = new FlvVideoSource(VIDEO_TRACK_ID);
  private readonly audioSource: FlvAudioSource;
  private readonly warned = new Set<string>();
  private videoTrackId: number | undefined = undefined;
  private audioTrackId: number | undefined = undefined;
  private droppedBeforeConfig = 0;
  private surplusAudioFrames = 0;
  private timestampMs = 0;
  private latestMetadata: AmfObject | undefined = undefined;

  constructor(out: FlvToHubOutput, options: Partial<AudioClockLimits> = {}) {
    this.out = out;
    this.audioSource = new FlvAudioSource(AUDIO_TRACK_ID, { ...audioClockLimitsDefault, ...options });
  }

  /** The properties of the last `onMetaData`. */
  get metadata(): AmfObject | undefined {
    return this.latestMetadata;
  }

  stats(): FlvToHubStats {
    return { droppedBeforeConfig: this.droppedBeforeConfig, surplusAudioFrames: this.surplusAudioFrames };
  }

  /** A video message; `timestampMs` is the unsigned 32-bit number of the wire. */
  video(timestampMs: number, body: Uint8Array): void {
    this.timestampMs = this.clock.unwrap(timestampMs);
    parseVideoTagBody(body, this.take);
  }

  /** An audio message; `timestampMs` is the unsigned 32-bit number of the wire. */
  audio(timestampMs: number, body: Uint8Array): void {
    this.timestampMs = this.clock.unwrap(timestampMs);
    parseAudioTagBody(body, this.take);
  }

  /** A data message in AMF0. Frames describe themselves, so broken metadata is only warned about. */
  data(body: Uint8Array): void {
    try {
      this.latestMetadata = parseOnMetaData(body) ?? this.latestMetadata;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.warn('flv.bad-metadata', 'metadata', `metadata is left out: ${error.message}`);
    }
  }

  // One function for all messages, so that none is made for each.
  private readonly take = (message: MediaMessage): void => {
    switch (message.kind) {
      case 'video-config':
        if (this.usesVideo(message.trackId)) this.videoSource.config(message);
        break;
      case 'video-frame':
        if (this.usesVideo(message.trackId)) this.videoFrame(message);
        break;
      case 'audio-config':
        if (this.usesAudio(message.trackId)) this.audioSource.config(message);
        break;
      case 'audio-frame':
        if (this.usesAudio(message.trackId)) this.audioFrame(message);
        break;
      case 'end-of-sequence':
        if (message.media === 'audio' && message.trackId === this.audioTrackId) this.audioSource.end();
        break;
      case 'ignored':
        this.ignored(message);
        break;
      case 'video-metadata':
        // Colour and light levels stand in the codecs' own headers too.
        break;
      default:
        assertNever(message);
    }
  };

  private usesVideo(trackId: number): boolean {
    this.videoTrackId ??= trackId;
    if (trackId === this.videoTrackId) return true;
    this.warn('flv.track-ignored', `video ${trackId}`, `video track ${trackId} is left out: only track ${this.videoTrackId} is used`);
    return false;
  }

  private usesAudio(trackId: number): boolean {
    this.audioTrackId ??= trackId;
    if (trackId === this.audioTrackId) return true;
    this.warn('flv.track-ignored', `audio ${trackId}`, `audio track ${trackId} is left out: only track ${this.audioTrackId} is used`);
    return false;
  }

  private videoFrame(message: Extract<MediaMessage, { kind: 'video-frame' }>): void {
    const frame = this.videoSource.frame(this.timestampMs, message);
    if (frame === undefined) this.dropBeforeConfig('video');
    else this.out.frame(frame);
  }

  private audioFrame(message: Extract<MediaMessage, { kind: 'audio-frame' }>): void {
    const frame = this.audioSource.frame(this.timestampMs, message);
    if (frame === 'before-config') this.dropBeforeConfig('audio');
    else if (frame === 'surplus') this.surplusAudioFrames += 1;
    else this.out.frame(frame);
  }

  private dropBeforeConfig(media: string): void {
    this.droppedBeforeConfig += 1;
    this.warn('flv.frame-before-config', media, `${media} frames before their sequence header are left out`);
  }

  private ignored({ reason, detail }: Extract<MediaMessage, { kind: 'ignored' }>): void {
    if (reason === 'unsupported-codec') this.warn('flv.codec-unsupported', detail, `${detail} is not supported; its track is left out`);
    else if (reason === 'unsupported-packet') this.warn('flv.packet-unsupported', detail, `${detail} is not used`);
  }

  private warn(code: string, cause: string, message: string): void {
    const key = `${code} ${cause}`;
    if (this.warned.has(key) || this.warned.size >= WARNINGS_MAX) return;
    this.warned.add(key);
    this.out.warning(code, message);
  }
}

import {
  audioConfigBody,
  audioFrameHeaderSize,
  FLV_TAG_HEADER_BYTES,
  flvFileHeader,
  flvTag,
  newFlvTag,
  onMetaDataBody,
  videoConfigBody,
  videoFrameHeaderSize,
  writeAudioFrameHeader,
  writeVideoFrameHeader,
} from '../containers/mod.ts';
import { type SizeBytes, sizeBytes, ticksToMs } from '../core/mod.ts';
import type { AudioTrack, Frame, Track, VideoTrack } from '../media/mod.ts';
import type { BroadcastOutput, BroadcastPackager } from './broadcast-packager.ts';

/** What {@link HubToFlv} may keep. */
export interface HubToFlvOptions {
  /** A GOP larger than this is not kept for new viewers; they start at the next one. */
  readonly gopCacheBytesMax: SizeBytes;
}

const DEFAULTS: HubToFlvOptions = { gopCacheBytesMax: sizeBytes(8 * 1024 * 1024) };
// What an array element, a view and its buffer cost besides their bytes: keeps a GOP of many tiny frames bounded too.
const UNIT_OVERHEAD_BYTES = 200;
const NO_BYTES = new Uint8Array(0);

/**
 * Makes FLV tags out of a stream, once per frame for all viewers. H.264, AAC and MP3 are legacy FLV, the others Enhanced RTMP. Takes the first
 * video and the first audio track.
 */
export class HubToFlv implements BroadcastPackager {
  private readonly out: BroadcastOutput;
  private readonly options: HubToFlvOptions;
  private video: VideoTrack | undefined = undefined;
  private audio: AudioTrack | undefined = undefined;
  /** Metadata and sequence headers of the tracks in force, as tags. */
  private headersInForce: Uint8Array = NO_BYTES;
  /** The file header and `headersInForce`: what a new viewer gets first. */
  private opening: Uint8Array | undefined = undefined;
  private lastMs = 0;
  private gop: Uint8Array[] = [];
  private gopBytes = 0;
  private gopIsKept = false;

  constructor(out: BroadcastOutput, options: Partial<HubToFlvOptions> = {}) {
    this.out = out;
    this.options = { ...DEFAULTS, ...options };
  }

  preamble(): readonly Uint8Array[] {
    return this.opening === undefined ? [] : [this.opening, ...this.gop];
  }

  headers(): Uint8Array {
    return this.headersInForce;
  }

  tracks(tracks: readonly Track[]): void {
    if (tracks.length === 0) return;
    this.video = tracks.find((track) => track.kind === 'video');
    this.audio = tracks.find((track) => track.kind === 'audio');
    this.headersInForce = this.makeHeaders();
    const isFirst = this.opening === undefined;
    this.opening = concatenate([flvFileHeader(this.audio !== undefined, this.video !== undefined), this.headersInForce]);
    this.forgetGop();
    // Whoever is there before the first tracks got no preamble, hence the file header.
    this.out.unit(isFirst ? this.opening : this.headersInForce, true);
  }

  frame(frame: Frame): void {
    const { track } = frame;
    const isVideo = track.id === this.video?.id;
    if (!isVideo && track.id !== this.audio?.id) return;
    const timeMs = Math.round(ticksToMs(frame.dts, track.timescale));
    const unit = track.kind === 'video' ? videoTag(frame, track, timeMs) : audioTag(frame, track, timeMs);
    this.lastMs = timeMs;
    // Without video, sound can be joined anywhere; a part of it is kept so that players have something to start with.
    const startsGop = this.video === undefined ? frame.startsPart : isVideo && frame.isKeyframe;
    this.keep(unit, startsGop);
    this.out.unit(unit, startsGop);
  }

  paused(): void {
    this.out.paused();
  }

  ended(): void {
    this.forgetGop();
    this.out.ended();
  }

  private makeHeaders(): Uint8Array {
    const { video, audio, lastMs } = this;
    const tags = [flvTag('script', lastMs, onMetaDataBody([video, audio].filter((track) => track !== undefined)))];
    if (video !== undefined) tags.push(flvTag('video', lastMs, videoConfigBody(video)));
    const audioConfig = audio === undefined ? undefined : audioConfigBody(audio);
    if (audioConfig !== undefined) tags.push(flvTag('audio', lastMs, audioConfig));
    return concatenate(tags);
  }

  // Past its bound the GOP is forgotten as a whole: its end alone cannot be decoded.
  private keep(unit: Uint8Array, startsGop: boolean): void {
    if (startsGop) {
      this.forgetGop();
      this.gopIsKept = true;
    }
    if (!this.gopIsKept) return;
    this.gop.push(unit);
    this.gopBytes += unit.length + UNIT_OVERHEAD_BYTES;
    if (this.gopBytes > this.options.gopCacheBytesMax) this.forgetGop();
  }

  private forgetGop(): void {
    this.gop = [];
    this.gopBytes = 0;
    this.gopIsKept = false;
  }
}

function videoTag({ pts, isKeyframe, payload }: Frame, { codec, timescale }: VideoTrack, timeMs: number): Uint8Array {
  const compositionTimeMs = Math.round(ticksToMs(pts, timescale)) - timeMs;
  const tag = newFlvTag('video', timeMs, videoFrameHeaderSize(codec, compositionTimeMs) + payload.length);
  tag.set(payload, writeVideoFrameHeader(tag, FLV_TAG_HEADER_BYTES, codec, isKeyframe, compositionTimeMs));
  return tag;
}

function audioTag({ payload }: Frame, track: AudioTrack, timeMs: number): Uint8Array {
  const tag = newFlvTag('audio', timeMs, audioFrameHeaderSize(track.codec) + payload.length);
  tag.set(payload, writeAudioFrameHeader(tag, FLV_TAG_HEADER_BYTES, track));
  return tag;
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

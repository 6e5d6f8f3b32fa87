import {
  audioConfigBody,
  audioFrameHeaderSize,
  encodeAmf0,
  onMetaDataBody,
  videoConfigBody,
  videoFrameHeaderSize,
  writeAudioFrameHeader,
  writeVideoFrameHeader,
} from '../containers/mod.ts';
import { ticksToMs } from '../core/mod.ts';
import type { AudioTrack, Frame, Track, VideoTrack } from '../media/mod.ts';
import type { MediaKind } from '../protocols/rtmp/mod.ts';

/** Takes messages for one RTMP connection: a publishing client's `media`. `body` is borrowed. */
export interface FramesToRtmpOutput {
  media(kind: MediaKind, timestamp: number, body: Uint8Array): void;
}

/** Makes the messages of one RTMP publisher out of a stream's frames. Its time begins with 0 at the first frame, as encoders' does. */
export class FramesToRtmp {
  private readonly out: FramesToRtmpOutput;
  private video: VideoTrack | undefined = undefined;
  private audio: AudioTrack | undefined = undefined;
  private headersAreDue = false;
  private startMs: number | undefined = undefined;

  constructor(out: FramesToRtmpOutput) {
    this.out = out;
  }

  /** Those that are sent from the next frame on. */
  tracks(tracks: readonly Track[]): void {
    this.video = tracks.find((track) => track.kind === 'video');
    this.audio = tracks.find((track) => track.kind === 'audio');
    this.headersAreDue = true;
  }

  /** A frame of one of the tracks, the first one of all a keyframe. */
  frame(frame: Frame): void {
    const { track } = frame;
    const timeMs = Math.round(ticksToMs(frame.dts, track.timescale));
    this.startMs ??= timeMs;
    const time = Math.max(0, timeMs - this.startMs);
    if (this.headersAreDue) this.sendHeaders(time);
    if (track.kind === 'video') this.sendPicture(frame, track, time, timeMs);
    else this.sendSound(frame, track, time);
  }

  private sendHeaders(time: number): void {
    const { video, audio } = this;
    this.headersAreDue = false;
    const metadata = onMetaDataBody([video, audio].filter((track) => track !== undefined));
    // What a publisher tells the server to keep for its viewers stands behind this name.
    this.out.media('data', time, joined(encodeAmf0('@setDataFrame'), metadata));
    if (video !== undefined) this.out.media('video', time, videoConfigBody(video));
    const audioConfig = audio === undefined ? undefined : audioConfigBody(audio);
    if (audioConfig !== undefined) this.out.media('audio', time, audioConfig);
  }

  private sendPicture({ pts, isKeyframe, payload }: Frame, { codec, timescale }: VideoTrack, time: number, timeMs: number): void {
    const compositionTimeMs = Math.round(ticksToMs(pts, timescale)) - timeMs;
    const body = new Uint8Array(videoFrameHeaderSize(codec, compositionTimeMs) + payload.length);
    body.set(payload, writeVideoFrameHeader(body, 0, codec, isKeyframe, compositionTimeMs));
    this.out.media('video', time, body);
  }

  private sendSound({ payload }: Frame, track: AudioTrack, time: number): void {
    const body = new Uint8Array(audioFrameHeaderSize(track.codec) + payload.length);
    body.set(payload, writeAudioFrameHeader(body, 0, track));
    this.out.media('audio', time, body);
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}

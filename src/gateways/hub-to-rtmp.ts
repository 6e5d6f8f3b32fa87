import {
  audioConfigBody,
  audioFrameHeaderSize,
  onMetaDataBody,
  videoConfigBody,
  videoFrameHeaderSize,
  writeAudioFrameHeader,
  writeVideoFrameHeader,
} from '../containers/mod.ts';
import { type SizeBytes, ticksToMs } from '../core/mod.ts';
import type { AudioTrack, Frame, Track, VideoTrack } from '../media/mod.ts';
import {
  ChunkStreamId,
  ChunkWriter,
  chunkMessage,
  chunkMessageParts,
  MessageType,
  statusBody,
  UserControlEvent,
} from '../protocols/rtmp/mod.ts';
import type { BroadcastOutput, BroadcastPackager } from './broadcast-packager.ts';

/** What every viewer's session agreed on, so that one set of bytes fits all. */
export interface HubToRtmpOptions {
  /** As announced to the viewers by Set Chunk Size. */
  readonly chunkSize: SizeBytes;
  readonly messageStreamId: number;
  /** A GOP larger than this is not kept for new viewers. */
  readonly gopCacheBytesMax: SizeBytes;
}

const NO_BYTES = new Uint8Array(0);

/** Makes RTMP messages, complete with chunk headers, out of a stream: once per frame for all viewers. Takes the first video and the first audio track. */
export class HubToRtmp implements BroadcastPackager {
  private readonly out: BroadcastOutput;
  private readonly options: HubToRtmpOptions;
  private video: VideoTrack | undefined = undefined;
  private audio: AudioTrack | undefined = undefined;
  private lead: Track | undefined = undefined;
  private headersInForce: Uint8Array | undefined = undefined;
  /** The headers changed and no unit carried them yet. */
  private headersAreDue = false;
  private gop: Uint8Array[] = [];
  private gopBytes = 0;
  private gopIsKept = false;

  constructor(out: BroadcastOutput, options: HubToRtmpOptions) {
    this.out = out;
    this.options = options;
  }

  preamble(): readonly Uint8Array[] {
    return this.headersInForce === undefined || this.headersAreDue ? [] : [this.headersInForce, ...this.gop];
  }

  headers(): Uint8Array {
    return this.headersInForce ?? NO_BYTES;
  }

  tracks(tracks: readonly Track[]): void {
    this.video = tracks.find((track) => track.kind === 'video');
    this.audio = tracks.find((track) => track.kind === 'audio');
    this.lead = this.video ?? this.audio;
    this.headersInForce = undefined;
    this.headersAreDue = true;
    this.forgetGop();
  }

  frame(frame: Frame): void {
    const { track } = frame;
    if (track.id !== this.video?.id && track.id !== this.audio?.id) return;
    const bytes = track.kind === 'video' ? this.videoMessage(frame, track) : this.audioMessage(frame, track);
    const startsGop = track.id === this.lead?.id && (track.kind === 'video' ? frame.isKeyframe : frame.startsPart);
    if (this.headersAreDue) {
      this.headersInForce = this.makeHeaders(timestampOf(frame));
      this.headersAreDue = false;
      this.keep(bytes, startsGop);
      // In one unit with its headers, so that whoever starts at the frame has them.
      this.out.unit(concatenate([this.headersInForce, bytes]), startsGop);
      return;
    }
    this.keep(bytes, startsGop);
    this.out.unit(bytes, startsGop);
  }

  paused(): void {
    this.out.paused();
  }

  ended(): void {
    const { chunkSize, messageStreamId } = this.options;
    const endOfStream = Uint8Array.of(0, UserControlEvent.streamEof, 0, 0, 0, messageStreamId);
    const notice = statusBody('status', 'NetStream.Play.UnpublishNotify', 'the stream is over');
    const farewell = concatenate([
      new ChunkWriter().message(ChunkStreamId.control, MessageType.userControl, 0, 0, endOfStream),
      chunkMessage(chunkSize, ChunkStreamId.status, MessageType.commandAmf0, 0, messageStreamId, notice),
    ]);
    this.forgetGop();
    this.out.unit(farewell, false);
    this.out.ended();
  }

  private videoMessage(frame: Frame, track: VideoTrack): Uint8Array {
    const time = timestampOf(frame);
    const compositionTimeMs = Math.round(ticksToMs(frame.pts, track.timescale)) - time;
    const header = new Uint8Array(videoFrameHeaderSize(track.codec, compositionTimeMs));
    writeVideoFrameHeader(header, 0, track.codec, frame.isKeyframe, compositionTimeMs);
    return this.message(MessageType.video, time, [header, frame.payload]);
  }

  private audioMessage(frame: Frame, track: AudioTrack): Uint8Array {
    const header = new Uint8Array(audioFrameHeaderSize(track.codec));
    writeAudioFrameHeader(header, 0, track);
    return this.message(MessageType.audio, timestampOf(frame), [header, frame.payload]);
  }

  private makeHeaders(time: number): Uint8Array {
    const { video, audio } = this;
    const messages = [this.message(MessageType.dataAmf0, time, [onMetaDataBody([video, audio].filter((track) => track !== undefined))])];
    if (video !== undefined) messages.push(this.message(MessageType.video, time, [videoConfigBody(video)]));
    const audioConfig = audio === undefined ? undefined : audioConfigBody(audio);
    if (audioConfig !== undefined) messages.push(this.message(MessageType.audio, time, [audioConfig]));
    return concatenate(messages);
  }

  private message(typeId: number, time: number, body: readonly Uint8Array[]): Uint8Array {
    const { chunkSize, messageStreamId } = this.options;
    return chunkMessageParts(chunkSize, chunkStreamOf(typeId), typeId, time, messageStreamId, body);
  }

  private keep(bytes: Uint8Array, startsGop: boolean): void {
    if (startsGop) {
      this.forgetGop();
      this.gopIsKept = true;
    }
    if (!this.gopIsKept) return;
    this.gop.push(bytes);
    this.gopBytes += bytes.length;
    if (this.gopBytes > this.options.gopCacheBytesMax) this.forgetGop();
  }

  private forgetGop(): void {
    this.gop = [];
    this.gopBytes = 0;
    this.gopIsKept = false;
  }
}

/** Milliseconds on the stream's timeline; the chunk header takes them modulo 2^32. */
const timestampOf = (frame: Frame): number => Math.round(ticksToMs(frame.dts, frame.track.timescale));

// One chunk stream for each kind: chunks are never interleaved, but players expect audio and video apart.
function chunkStreamOf(typeId: number): number {
  if (typeId === MessageType.video) return ChunkStreamId.video;
  return typeId === MessageType.audio ? ChunkStreamId.audio : ChunkStreamId.data;
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

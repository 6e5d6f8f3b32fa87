import { MESSAGE, message } from './rtmp-wire.ts';
import { SENT_TIME_SIZE, writeSentTime } from './sent-time.ts';

const VIDEO_CHUNK_STREAM = 6;
const AUDIO_CHUNK_STREAM = 4;
const STREAM_ID = 1;
const KEYFRAME_SIZE = 6;
const AUDIO_BPS = 64_000;
const AUDIO_SAMPLES = 1024;
const AUDIO_RATE = 48_000;
/** The bytes of an RTMP message before its body: one type 0 chunk header. */
const CHUNK_HEADER_SIZE = 12;
const VIDEO_HEADER_SIZE = 5;

// Recorded from libx264: 1280x720, 30 frames a second, High profile level 3.1.
const AVC_CONFIG = '0164001fffe100176764001facb402802dd080000003008000001e478c195001000468ef3cb0fdf8f800';
const AAC_CONFIG = '1190';
/** OpusHead (RFC 7845 section 5.1): two channels, pre-skip 312. */
const OPUS_HEAD = '4f707573486561640102380180bb0000000000';
const OPUS_FRAME_MS = 20;
/** The TOC byte (RFC 6716 section 3.1) of one 20 ms CELT fullband stereo frame. */
const OPUS_TOC = 0xfc;

/** The sound of a synthetic stream. */
export type SyntheticAudio = 'aac' | 'opus' | 'none';

/**
 * RTMP messages of a 1280x720 H.264 stream with AAC, Opus or no sound of a given bitrate, made once and sent again and again with new timestamps
 * and sent times. Headers and frame structure are real, slice data is filler: servers and packagers are loaded, decoders are not.
 */
export class SyntheticStream {
  readonly frameRate: number;
  /** Milliseconds between two audio frames. */
  readonly audioFrameMs: number;
  readonly hasAudio: boolean;
  private readonly audioCodec: SyntheticAudio;
  private readonly hasSentTime: boolean;
  private readonly gopFrames: number;
  private readonly keyframe: Buffer;
  private readonly frame: Buffer;
  private readonly audio: Buffer;

  constructor(options: {
    readonly bitrateBps: number;
    readonly frameRate: number;
    readonly keyframeIntervalS: number;
    /** Default: AAC. */
    readonly audio?: SyntheticAudio;
    /** Default: true. Without it no time of sending is in the pictures, and each is one NAL unit. */
    readonly hasSentTime?: boolean;
    /** How many times as large as other frames keyframes are; default 6. */
    readonly keyframeSize?: number;
  }) {
    this.audioCodec = options.audio ?? 'aac';
    this.hasSentTime = options.hasSentTime ?? true;
    this.hasAudio = this.audioCodec !== 'none';
    this.audioFrameMs = this.audioCodec === 'opus' ? OPUS_FRAME_MS : (AUDIO_SAMPLES * 1000) / AUDIO_RATE;
    this.frameRate = options.frameRate;
    this.gopFrames = options.frameRate * options.keyframeIntervalS;
    const gopBytes = (Math.max(options.bitrateBps - AUDIO_BPS, 50_000) / 8) * options.keyframeIntervalS;
    const keyframeSize = options.keyframeSize ?? KEYFRAME_SIZE;
    const frameBytes = Math.floor(gopBytes / (this.gopFrames - 1 + keyframeSize));
    this.keyframe = videoMessage(frameBytes * keyframeSize, true, this.hasSentTime);
    this.frame = videoMessage(frameBytes, false, this.hasSentTime);
    const sound = Buffer.alloc(Math.round((AUDIO_BPS / 8) * (this.audioFrameMs / 1000)), 0x21);
    if (this.audioCodec === 'opus') sound[0] = OPUS_TOC;
    this.audio = message(AUDIO_CHUNK_STREAM, MESSAGE.audio, STREAM_ID, Buffer.concat([audioHead(this.audioCodec, 1), sound]));
  }

  /** Sequence headers of the tracks. */
  headers(): Buffer {
    const video = Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), Buffer.from(AVC_CONFIG, 'hex')]);
    const picture = message(VIDEO_CHUNK_STREAM, MESSAGE.video, STREAM_ID, video);
    if (this.audioCodec === 'none') return picture;
    const config = Buffer.from(this.audioCodec === 'aac' ? AAC_CONFIG : OPUS_HEAD, 'hex');
    const audio = Buffer.concat([audioHead(this.audioCodec, 0), config]);
    return Buffer.concat([picture, message(AUDIO_CHUNK_STREAM, MESSAGE.audio, STREAM_ID, audio)]);
  }

  /** Video frame `index` of the stream with the sent time in it, a keyframe if it is its turn or has to be one. A copy, given to the caller. */
  videoFrame(index: number, unixMs: number, mustBeKeyframe = false): Buffer {
    const bytes = Buffer.from(mustBeKeyframe || index % this.gopFrames === 0 ? this.keyframe : this.frame);
    bytes.writeUIntBE(Math.round((index * 1000) / this.frameRate) % 0xffffff, 1, 3);
    if (this.hasSentTime) writeSentTime(bytes, CHUNK_HEADER_SIZE + VIDEO_HEADER_SIZE, unixMs);
    return bytes;
  }

  /** Audio frame `index`. A copy, given to the caller. */
  audioFrame(index: number): Buffer {
    const bytes = Buffer.from(this.audio);
    bytes.writeUIntBE(Math.round(index * this.audioFrameMs) % 0xffffff, 1, 3);
    return bytes;
  }
}

/** AAC as FLV has always carried it, Opus as Enhanced RTMP does. `packetType`: 0 header, 1 frame. */
function audioHead(codec: SyntheticAudio, packetType: 0 | 1): Buffer {
  return codec === 'aac'
    ? Buffer.from([0xaf, packetType])
    : Buffer.concat([Buffer.from([0x90 | packetType]), Buffer.from('Opus', 'latin1')]);
}

function videoMessage(size: number, isKeyframe: boolean, hasSentTime: boolean): Buffer {
  const sliceAt = VIDEO_HEADER_SIZE + (hasSentTime ? SENT_TIME_SIZE : 0);
  const sliceSize = Math.max(size - sliceAt - 4, 64);
  const body = Buffer.alloc(sliceAt + 4 + sliceSize);
  body.set([isKeyframe ? 0x17 : 0x27, 1, 0, 0, 0]);
  if (hasSentTime) writeSentTime(body, VIDEO_HEADER_SIZE, 0);
  body.writeUInt32BE(sliceSize, sliceAt);
  // 1 to 255 in turn: never an emulation prevention pattern, and not compressible to nothing.
  for (let index = sliceAt + 4; index < body.length; index++) body[index] = 1 + (index % 255);
  body[sliceAt + 4] = isKeyframe ? 0x65 : 0x41;
  return message(VIDEO_CHUNK_STREAM, MESSAGE.video, STREAM_ID, body);
}

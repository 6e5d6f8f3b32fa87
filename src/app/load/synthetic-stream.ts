import { MESSAGE, message } from './rtmp-wire.ts';
import { SENT_TIME_SIZE, writeSentTime } from './sent-time.ts';

const VIDEO_CHUNK_STREAM = 6;
const AUDIO_CHUNK_STREAM = 4;
const STREAM_ID = 1;
const KEYFRAME_TIMES_LARGER = 6;
const AUDIO_BPS = 64_000;
const AUDIO_SAMPLES = 1024;
const AUDIO_RATE = 48_000;
/** The bytes of an RTMP message before its body: one type 0 chunk header. */
const CHUNK_HEADER_SIZE = 12;
const VIDEO_HEADER_SIZE = 5;

// Recorded from libx264: 1280x720, 30 frames a second, High profile level 3.1.
const AVC_CONFIG = '0164001fffe100176764001facb402802dd080000003008000001e478c195001000468ef3cb0fdf8f800';
const AAC_CONFIG = '1190';

/** Milliseconds between two audio frames. */
export const AUDIO_FRAME_MS: number = (AUDIO_SAMPLES * 1000) / AUDIO_RATE;

/**
 * RTMP messages of a 1280x720 H.264 and AAC stream of a given bitrate, made once and sent again and again with new timestamps
 * and sent times. Headers and frame structure are real, slice data is filler: servers and packagers are loaded, decoders are not.
 */
export class SyntheticStream {
  readonly frameRate: number;
  private readonly gopFrames: number;
  private readonly keyframe: Buffer;
  private readonly frame: Buffer;
  private readonly audio: Buffer;

  constructor(options: { readonly bitrateBps: number; readonly frameRate: number; readonly keyframeIntervalS: number }) {
    this.frameRate = options.frameRate;
    this.gopFrames = options.frameRate * options.keyframeIntervalS;
    const gopBytes = (Math.max(options.bitrateBps - AUDIO_BPS, 50_000) / 8) * options.keyframeIntervalS;
    const frameBytes = Math.floor(gopBytes / (this.gopFrames - 1 + KEYFRAME_TIMES_LARGER));
    this.keyframe = videoMessage(frameBytes * KEYFRAME_TIMES_LARGER, true);
    this.frame = videoMessage(frameBytes, false);
    const audioBody = Buffer.alloc(2 + Math.round((AUDIO_BPS / 8) * (AUDIO_FRAME_MS / 1000)), 0x21);
    audioBody.set([0xaf, 1]);
    this.audio = message(AUDIO_CHUNK_STREAM, MESSAGE.audio, STREAM_ID, audioBody);
  }

  /** Sequence headers of both tracks. */
  headers(): Buffer {
    const video = Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), Buffer.from(AVC_CONFIG, 'hex')]);
    const audio = Buffer.concat([Buffer.from([0xaf, 0]), Buffer.from(AAC_CONFIG, 'hex')]);
    return Buffer.concat([
      message(VIDEO_CHUNK_STREAM, MESSAGE.video, STREAM_ID, video),
      message(AUDIO_CHUNK_STREAM, MESSAGE.audio, STREAM_ID, audio),
    ]);
  }

  /** Video frame `index` of the stream with the sent time in it. A copy, given to the caller. */
  videoFrame(index: number, unixMs: number): Buffer {
    const bytes = Buffer.from(index % this.gopFrames === 0 ? this.keyframe : this.frame);
    bytes.writeUIntBE(Math.round((index * 1000) / this.frameRate) % 0xffffff, 1, 3);
    writeSentTime(bytes, CHUNK_HEADER_SIZE + VIDEO_HEADER_SIZE, unixMs);
    return bytes;
  }

  /** Audio frame `index`. A copy, given to the caller. */
  audioFrame(index: number): Buffer {
    const bytes = Buffer.from(this.audio);
    bytes.writeUIntBE(Math.round(index * AUDIO_FRAME_MS) % 0xffffff, 1, 3);
    return bytes;
  }
}

function videoMessage(size: number, isKeyframe: boolean): Buffer {
  const sliceSize = Math.max(size - VIDEO_HEADER_SIZE - SENT_TIME_SIZE - 4, 64);
  const body = Buffer.alloc(VIDEO_HEADER_SIZE + SENT_TIME_SIZE + 4 + sliceSize);
  body.set([isKeyframe ? 0x17 : 0x27, 1, 0, 0, 0]);
  writeSentTime(body, VIDEO_HEADER_SIZE, 0);
  const sliceAt = VIDEO_HEADER_SIZE + SENT_TIME_SIZE;
  body.writeUInt32BE(sliceSize, sliceAt);
  // 1 to 255 in turn: never an emulation prevention pattern, and not compressible to nothing.
  for (let index = sliceAt + 4; index < body.length; index++) body[index] = 1 + (index % 255);
  body[sliceAt + 4] = isKeyframe ? 0x65 : 0x41;
  return message(VIDEO_CHUNK_STREAM, MESSAGE.video, STREAM_ID, body);
}

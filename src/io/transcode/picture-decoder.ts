import type { AVCodecID, CodecContext, Frame, Packet } from 'node-av';
import type { VideoCodec, VideoTrack } from '../../media/mod.ts';
import type { NodeAv } from '../ffmpeg/mod.ts';
import { Deinterlacer } from './deinterlacer.ts';
import { errorText } from './native.ts';
import { PictureTimes, type SourceTimes } from './picture-times.ts';

/** Of the frames of one decoder; more brings little and takes memory. */
const THREADS_MAX = 4;

/** A decoded picture with the times under which it goes on. Whoever gets it frees `frame`. */
export interface Picture {
  readonly frame: Frame;
  readonly times: SourceTimes;
}

/** What a decoder is fed with. */
export interface CodedFrame extends SourceTimes {
  readonly payload: Uint8Array;
}

/**
 * Decodes one video track, pictures out in the order of presentation. Threads share the slices of a picture and not pictures, so that none
 * is held back longer than its B-frames need. Interlaced pictures become whole ones, and from the first of them on each is held back for one more.
 */
export class PictureDecoder {
  private readonly av: NodeAv;
  private readonly context: CodecContext;
  private readonly packet: Packet;
  private readonly times = new PictureTimes();
  private readonly timescale: number;
  private deinterlacer: Deinterlacer | undefined = undefined;
  private needsKeyframe = true;
  private corrupt = 0;

  private constructor(av: NodeAv, context: CodecContext, track: VideoTrack) {
    this.av = av;
    this.context = context;
    this.timescale = track.timescale;
    this.packet = new av.Packet();
    this.packet.alloc();
  }

  /** Throws when there is no decoder, or it does not take the track's configuration. */
  static async open(av: NodeAv, track: VideoTrack, threads: number): Promise<PictureDecoder> {
    const codec = av.Codec.findDecoder(codecId(av, track.codec));
    if (codec === null) throw new Error(`this FFmpeg has no decoder for ${track.codec}`);
    const context = new av.CodecContext();
    context.allocContext3(codec);
    // VP8 and VP9 frames tell all; their decoders know no vpcC.
    if (track.codec !== 'vp8' && track.codec !== 'vp9') context.extraData = Buffer.from(track.config);
    context.width = track.width;
    context.height = track.height;
    context.pktTimebase = new av.Rational(1, track.timescale);
    context.threadType = av.FF_THREAD_SLICE;
    context.threadCount = Math.min(threads, THREADS_MAX);
    if (track.codec === 'av1') context.setOption('max_frame_delay', '1');
    const result = await context.open2(codec, null);
    if (result < 0) {
      context.freeContext();
      throw new Error(`the decoder for ${track.codec} does not open: ${errorText(av, result)}`);
    }
    return new PictureDecoder(av, context, track);
  }

  /** Frames of which nothing could be decoded, and pictures that are known to be damaged. */
  get framesCorrupt(): number {
    return this.corrupt;
  }

  /** Decodes the next frame and gives the pictures that are complete now. A corrupt frame is skipped; behind a corrupt keyframe all are, up to the next. */
  async decode(coded: CodedFrame): Promise<Picture[]> {
    if (this.needsKeyframe && !coded.isKeyframe) return [];
    // To FFmpeg nothing at all is the end of the stream.
    if (coded.payload.length === 0) {
      this.corrupt++;
      return [];
    }
    const { packet } = this;
    const { dts, pts, isKeyframe, captureMs } = coded;
    const times = { dts, pts, isKeyframe, captureMs };
    packet.data = Buffer.from(coded.payload.buffer, coded.payload.byteOffset, coded.payload.byteLength);
    packet.pts = BigInt(pts);
    packet.dts = BigInt(dts);
    packet.isKeyframe = isKeyframe;
    this.times.sent(times);
    const result = await this.context.sendPacket(packet);
    packet.unref();
    if (result < 0) {
      this.corrupt++;
      this.times.refused(times);
    }
    this.needsKeyframe = result < 0 && (isKeyframe || this.needsKeyframe);
    return await this.receive();
  }

  /** Gives what is held back; nothing can be decoded afterwards. */
  async finish(): Promise<Picture[]> {
    await this.context.sendPacket(null);
    const pictures = await this.receive();
    const late = (await this.deinterlacer?.finish()) ?? [];
    return [...pictures, ...this.stamped(late)];
  }

  free(): void {
    this.deinterlacer?.free();
    this.packet.free();
    this.context.freeContext();
  }

  private async receive(): Promise<Picture[]> {
    const pictures: Picture[] = [];
    for (;;) {
      const frame = new this.av.Frame();
      frame.alloc();
      // The work was done in sendPacket; this only hands the pictures out.
      if (this.context.receiveFrameSync(frame) < 0) {
        frame.free();
        return pictures;
      }
      if (frame.decodeErrorFlags !== 0) this.corrupt++;
      pictures.push(...this.stamped(await this.progressive(frame)));
    }
  }

  private async progressive(frame: Frame): Promise<Frame[]> {
    if (this.deinterlacer === undefined && frame.hasFlags(this.av.AV_FRAME_FLAG_INTERLACED)) {
      this.deinterlacer = new Deinterlacer(this.av, this.timescale);
    }
    return (await this.deinterlacer?.pass(frame)) ?? [frame];
  }

  private stamped(frames: readonly Frame[]): Picture[] {
    const pictures: Picture[] = [];
    for (const frame of frames) {
      const times = this.times.shown(Number(frame.pts));
      if (times === undefined) frame.free();
      else pictures.push({ frame, times });
    }
    return pictures;
  }
}

function codecId(av: NodeAv, codec: VideoCodec): AVCodecID {
  return {
    h264: av.AV_CODEC_ID_H264,
    hevc: av.AV_CODEC_ID_HEVC,
    av1: av.AV_CODEC_ID_AV1,
    vp8: av.AV_CODEC_ID_VP8,
    vp9: av.AV_CODEC_ID_VP9,
  }[codec];
}

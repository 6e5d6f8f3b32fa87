import type { AVCodecID, CodecContext, Frame } from 'node-av';
import type { VideoCodec } from '../../media/mod.ts';
import type { NodeAv } from '../ffmpeg/mod.ts';
import { thumbnailSize } from './thumbnail-size.ts';

/** One keyframe, as it comes from the hub. */
export interface CodedPicture {
  readonly codec: VideoCodec;
  /** As media's Track has it. */
  readonly config: Uint8Array;
  readonly payload: Uint8Array;
}

/** Above 8K, memory is not worth a small picture. */
const PIXELS_MAX = 8192 * 8192;
/** Of MJPEG, from 2 (best) to 31: artefacts are hardly seen at this size, and a busy picture has some 20 kB. */
const QUANTIZER = 5;

/** A keyframe as a small JPEG. Everything is made anew for each: what one stream sends has no effect on the next one's. Throws when nothing can be made of it. */
export async function makeJpeg(av: NodeAv, picture: CodedPicture): Promise<Uint8Array> {
  const decoded = await decode(av, picture);
  try {
    const small = await shrink(av, decoded);
    try {
      return await encode(av, small);
    } finally {
      small.free();
    }
  } finally {
    decoded.free();
  }
}

async function decode(av: NodeAv, { codec, config, payload }: CodedPicture): Promise<Frame> {
  const decoder = av.Codec.findDecoder(codecId(av, codec));
  if (decoder === null) throw new Error(`this FFmpeg has no decoder for ${codec}`);
  const context = new av.CodecContext();
  context.allocContext3(decoder);
  const packet = new av.Packet();
  packet.alloc();
  try {
    // VP8 and VP9 frames tell all; their decoders know no vpcC.
    if (codec !== 'vp8' && codec !== 'vp9') context.extraData = Buffer.from(config);
    context.threadCount = 1;
    // What a keyframe of a recovery point cannot show yet is better than nothing.
    context.setFlags(av.AV_CODEC_FLAG_OUTPUT_CORRUPT);
    context.setOption('max_pixels', String(PIXELS_MAX));
    // Its work is not seen at a sixth of the size.
    context.setOption('skip_loop_filter', 'all');
    check(av, await context.open2(decoder, null), `the decoder for ${codec} does not open`);
    packet.data = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    packet.isKeyframe = true;
    packet.pts = 0n;
    packet.dts = 0n;
    check(av, await context.sendPacket(packet), 'the keyframe is refused');
    return await firstPicture(av, context);
  } finally {
    packet.free();
    context.freeContext();
  }
}

async function firstPicture(av: NodeAv, context: CodecContext): Promise<Frame> {
  const frame = new av.Frame();
  frame.alloc();
  let result = await context.receiveFrame(frame);
  if (result === av.AVERROR_EAGAIN) {
    // It is held back for what might be shown before it.
    await context.sendPacket(null);
    result = await context.receiveFrame(frame);
  }
  if (result >= 0 && frame.width > 0 && frame.height > 0) return frame;
  frame.free();
  throw new Error(`the keyframe gives no picture${result < 0 ? `: ${av.FFmpegError.strerror(result)}` : ''}`);
}

/** As JFIF has it: full range, with the matrix of BT.601. */
async function shrink(av: NodeAv, source: Frame): Promise<Frame> {
  const { num, den } = source.sampleAspectRatio;
  const { width, height } = thumbnailSize({ width: source.width, height: source.height, pixelAspect: num > 0 && den > 0 ? num / den : 1 });
  const target = new av.Frame();
  target.alloc();
  const context = new av.SoftwareScaleContext();
  context.allocContext();
  try {
    context.setOption('sws_flags', 'bicubic');
    target.width = width;
    target.height = height;
    target.format = av.AV_PIX_FMT_YUV420P;
    target.colorRange = av.AVCOL_RANGE_JPEG;
    target.colorSpace = av.AVCOL_SPC_SMPTE170M;
    check(av, target.getBuffer(), 'no memory for the picture');
    // Two fields become one picture at this size.
    source.clearFlags(av.AV_FRAME_FLAG_INTERLACED, av.AV_FRAME_FLAG_TOP_FIELD_FIRST);
    check(av, await context.scaleFrame(target, source), `a picture of ${source.width}x${source.height} cannot be scaled`);
    return target;
  } catch (error) {
    target.free();
    throw error;
  } finally {
    context.freeContext();
  }
}

async function encode(av: NodeAv, frame: Frame): Promise<Uint8Array> {
  const encoder = av.Codec.findEncoder(av.AV_CODEC_ID_MJPEG);
  if (encoder === null) throw new Error('this FFmpeg has no encoder for JPEG');
  const context = new av.CodecContext();
  context.allocContext3(encoder);
  const packet = new av.Packet();
  packet.alloc();
  try {
    context.width = frame.width;
    context.height = frame.height;
    context.pixelFormat = av.AV_PIX_FMT_YUV420P;
    context.colorRange = av.AVCOL_RANGE_JPEG;
    context.timeBase = new av.Rational(1, 1);
    context.threadCount = 1;
    context.setFlags(av.AV_CODEC_FLAG_QSCALE);
    context.globalQuality = QUANTIZER * av.FF_QP2LAMBDA;
    check(av, await context.open2(encoder, null), 'the encoder for JPEG does not open');
    frame.pts = 0n;
    frame.quality = context.globalQuality;
    check(av, await context.sendFrame(frame), 'the encoder for JPEG takes no picture');
    check(av, await context.receivePacket(packet), 'the encoder for JPEG gives nothing');
    // The packet's memory is FFmpeg's, and goes with it.
    return Uint8Array.from(packet.data ?? []);
  } finally {
    packet.free();
    context.freeContext();
  }
}

function check(av: NodeAv, result: number, what: string): void {
  if (result < 0) throw new Error(`${what}: ${av.FFmpegError.strerror(result)}`);
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

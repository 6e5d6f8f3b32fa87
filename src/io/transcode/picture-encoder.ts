import type { AVPixelFormat, CodecContext, FFEncoderCodec, Frame, HardwareDeviceContext, HardwareFramesContext, Packet } from 'node-av';
import { annexBToLengthPrefixed, buildH264Config, buildHevcConfig, splitAnnexB, toTrackPayload, type VideoCodec } from '../../media/mod.ts';
import { messageOf, type NodeAv } from '../ffmpeg/mod.ts';
import { configureEncoder, type EncoderSettings } from './encoder-settings.ts';
import { errorText, openEncoder } from './native.ts';
import type { SourceTimes } from './picture-times.ts';

/** What comes out of an encoder, in the format of media's Track; given. */
export interface EncodedPicture {
  readonly times: SourceTimes;
  readonly payload: Uint8Array;
}

/** Pictures that an encoder holds back, at most; hardware holds a few. */
const PENDING_MAX = 64;
const SURFACES = 8;
const HEVC_VPS = 32;
const HEVC_SPS = 33;
const HEVC_PPS = 34;
const H264_SPS = 7;
const H264_PPS = 8;

/** One video encoder, set up for live use. */
export class PictureEncoder {
  readonly name: string;
  /** The configuration record for `videoTrack`; empty where the keyframe tells. */
  readonly config: Uint8Array;
  /** What it takes. */
  readonly shape: { readonly width: number; readonly height: number; readonly format: AVPixelFormat };
  private readonly av: NodeAv;
  private readonly context: CodecContext;
  private readonly surfaces: Surfaces | undefined;
  private readonly packet: Packet;
  private readonly codec: VideoCodec;
  private isKeyframeWanted = false;
  private readonly pending = new Map<number, SourceTimes>();

  private constructor(av: NodeAv, name: string, context: CodecContext, surfaces: Surfaces | undefined, settings: EncoderSettings) {
    this.av = av;
    this.name = name;
    this.context = context;
    this.surfaces = surfaces;
    this.codec = settings.codec;
    const { width, height } = settings;
    this.shape = { width, height, format: surfaces === undefined ? context.pixelFormat : av.AV_PIX_FMT_NV12 };
    this.config = configRecord(settings.codec, context.extraData);
    this.packet = new av.Packet();
    this.packet.alloc();
  }

  /** Opens the first of `names` that opens; throws with the reasons of all when none does. */
  static async openFirst(
    av: NodeAv,
    names: readonly string[],
    settings: EncoderSettings,
    like: Frame | undefined,
  ): Promise<PictureEncoder> {
    const reasons: string[] = [];
    for (const name of names) {
      try {
        return await PictureEncoder.open(av, name, settings, like);
      } catch (error) {
        reasons.push(messageOf(error));
      }
    }
    throw new Error(reasons.join('; '));
  }

  /** `like`: a picture whose colours and pixel aspect are announced. */
  static async open(av: NodeAv, name: string, settings: EncoderSettings, like: Frame | undefined): Promise<PictureEncoder> {
    const surfaces = name.endsWith('_vaapi') ? new Surfaces(av, settings) : undefined;
    try {
      const context = await openEncoder(av, name, (fresh) => {
        configureEncoder(av, name, fresh, settings);
        fresh.pixelFormat = surfaces === undefined ? pixelFormat(av, name) : av.AV_PIX_FMT_VAAPI;
        if (surfaces !== undefined) fresh.hwFramesCtx = surfaces.context;
        announceColours(av, fresh, like);
      });
      return new PictureEncoder(av, name, context, surfaces, settings);
    } catch (error) {
      surfaces?.free();
      throw error;
    }
  }

  /** The next picture is a keyframe, whatever it is in the source. */
  requestKeyframe(): void {
    this.isKeyframeWanted = true;
  }

  /** Encodes `frame` (borrowed, of the encoder's shape; its pts and picture type are set) and gives what is complete. Throws when the encoder failed. */
  async encode(frame: Frame, times: SourceTimes): Promise<EncodedPicture[]> {
    const { av } = this;
    if (this.pending.size >= PENDING_MAX) throw new Error(`encoder ${this.name} holds back more than ${PENDING_MAX} pictures`);
    this.pending.set(times.pts, times);
    const uploaded = await this.surfaces?.upload(frame);
    const input = uploaded ?? frame;
    input.pts = BigInt(times.pts);
    input.pictType = times.isKeyframe || this.isKeyframeWanted ? av.AV_PICTURE_TYPE_I : av.AV_PICTURE_TYPE_NONE;
    this.isKeyframeWanted = false;
    const result = await this.context.sendFrame(input);
    uploaded?.free();
    if (result < 0) throw new Error(`encoder ${this.name} took no picture: ${errorText(av, result)}`);
    return this.receive();
  }

  /** Gives what is held back; nothing can be encoded afterwards. */
  async finish(): Promise<EncodedPicture[]> {
    await this.context.sendFrame(null);
    return this.receive();
  }

  free(): void {
    this.packet.free();
    this.context.freeContext();
    this.surfaces?.free();
  }

  private receive(): EncodedPicture[] {
    const { packet } = this;
    const pictures: EncodedPicture[] = [];
    while (this.context.receivePacketSync(packet) >= 0) {
      const pts = Number(packet.pts);
      const times = this.pending.get(pts);
      this.pending.delete(pts);
      const { data, isKeyframe } = packet;
      if (times !== undefined && data !== null) pictures.push({ times: { ...times, isKeyframe }, payload: trackPayload(this.codec, data) });
      packet.unref();
    }
    return pictures;
  }
}

/** Pictures in the memory of a VA-API device. */
class Surfaces {
  readonly context: HardwareFramesContext;
  private readonly av: NodeAv;
  private readonly device: HardwareDeviceContext;

  constructor(av: NodeAv, settings: EncoderSettings) {
    this.av = av;
    this.device = new av.HardwareDeviceContext();
    this.context = new av.HardwareFramesContext();
    try {
      this.open(settings);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  private open({ width, height }: EncoderSettings): void {
    const { av, context, device } = this;
    const created = device.create(av.AV_HWDEVICE_TYPE_VAAPI, null, null);
    if (created < 0) throw new Error(`no VA-API device opens: ${errorText(av, created)}`);
    context.alloc(device);
    context.format = av.AV_PIX_FMT_VAAPI;
    context.swFormat = av.AV_PIX_FMT_NV12;
    context.width = width;
    context.height = height;
    context.initialPoolSize = SURFACES;
    const result = context.init();
    if (result < 0) throw new Error(`the VA-API device has no room for pictures: ${errorText(av, result)}`);
  }

  async upload(frame: Frame): Promise<Frame> {
    const surface = new this.av.Frame();
    surface.alloc();
    const got = this.context.getBuffer(surface);
    const result = got < 0 ? got : await frame.hwframeTransferData(surface);
    if (result >= 0) return surface;
    surface.free();
    throw new Error(`a picture does not get into the VA-API device: ${errorText(this.av, result)}`);
  }

  free(): void {
    this.context.free();
    this.device.free();
  }
}

function pixelFormat(av: NodeAv, name: string): AVPixelFormat {
  const formats = av.Codec.findEncoderByName(name as FFEncoderCodec)?.pixelFormats ?? [];
  return formats.length === 0 || formats.includes(av.AV_PIX_FMT_YUV420P) ? av.AV_PIX_FMT_YUV420P : av.AV_PIX_FMT_NV12;
}

function announceColours(av: NodeAv, context: CodecContext, like: Frame | undefined): void {
  context.colorRange = av.AVCOL_RANGE_MPEG;
  if (like === undefined) return;
  context.colorSpace = like.colorSpace;
  context.colorPrimaries = like.colorPrimaries;
  context.colorTrc = like.colorTrc;
  context.sampleAspectRatio = like.sampleAspectRatio;
}

function configRecord(codec: VideoCodec, extradata: Uint8Array | null): Uint8Array {
  if (extradata === null || (codec !== 'h264' && codec !== 'hevc')) return new Uint8Array();
  const units = splitAnnexB(extradata);
  if (codec === 'h264') {
    const ofType = (type: number): Uint8Array[] => units.filter((unit) => ((unit[0] ?? 0) & 31) === type);
    return buildH264Config(ofType(H264_SPS), ofType(H264_PPS));
  }
  const ofType = (type: number): Uint8Array[] => units.filter((unit) => (((unit[0] ?? 0) >> 1) & 63) === type);
  return buildHevcConfig(ofType(HEVC_VPS), ofType(HEVC_SPS), ofType(HEVC_PPS));
}

/** The packet's memory is FFmpeg's, and goes with it. */
function trackPayload(codec: VideoCodec, data: Uint8Array): Uint8Array {
  if (codec === 'h264' || codec === 'hevc') return annexBToLengthPrefixed(data);
  const copy = Uint8Array.from(data);
  return toTrackPayload(codec, copy, 4);
}

import type { AVPixelFormat, Frame, SoftwareScaleContext } from 'node-av';
import type { NodeAv } from '../ffmpeg/mod.ts';
import { errorText } from './native.ts';

export interface PictureShape {
  readonly width: number;
  readonly height: number;
  readonly format: AVPixelFormat;
}

/** Brings pictures of any size, depth and chroma format to one shape, bicubically and in limited range. */
export class PictureScaler {
  readonly shape: PictureShape;
  private readonly av: NodeAv;
  private readonly context: SoftwareScaleContext;
  private readonly target: Frame;

  constructor(av: NodeAv, shape: PictureShape) {
    this.av = av;
    this.shape = shape;
    // Without a call of `getContext` it takes each picture's own size and format, also when they change.
    this.context = new av.SoftwareScaleContext();
    this.context.allocContext();
    this.context.setOption('sws_flags', 'bicubic');
    this.target = new av.Frame();
    this.target.alloc();
  }

  /** `source` in the scaler's shape: a frame of the scaler's, valid until the next call. */
  async scale(source: Frame): Promise<Frame> {
    const { target } = this;
    this.prepare(source);
    const result = await this.context.scaleFrame(target, source);
    if (result < 0) throw new Error(`a picture of ${source.width}x${source.height} cannot be scaled: ${errorText(this.av, result)}`);
    return target;
  }

  free(): void {
    this.target.free();
    this.context.freeContext();
  }

  private prepare(source: Frame): void {
    const { target, shape } = this;
    if (target.width === 0 || !target.isWritable) {
      target.unref();
      target.width = shape.width;
      target.height = shape.height;
      target.format = shape.format;
      const result = target.getBuffer();
      if (result < 0) throw new Error(`no memory for a picture of ${shape.width}x${shape.height}`);
    }
    target.colorRange = this.av.AVCOL_RANGE_MPEG;
    target.colorSpace = source.colorSpace;
    target.colorPrimaries = source.colorPrimaries;
    target.colorTrc = source.colorTrc;
    target.sampleAspectRatio = source.sampleAspectRatio;
  }
}

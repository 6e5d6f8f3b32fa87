import type { CodecContext, Filter, FilterContext, FilterGraph, Frame } from 'node-av';
import type { NodeAv } from '../ffmpeg/mod.ts';
import { openEncoder } from './open-encoder.ts';
import { drawPictureClock } from './picture-clock.ts';
import type { PublisherVideo } from './publisher-options.ts';

const ENCODERS = { h264: 'libx264', hevc: 'libx265', av1: 'libsvtav1', vp9: 'libvpx-vp9' } as const;

/** FFmpeg's moving test picture with a clock drawn in, encoded. Free it with `free`. */
export class TestPicture {
  readonly encoder: CodecContext;
  private readonly graph: FilterGraph;
  private readonly sink: FilterContext;
  private readonly frame: Frame;
  private readonly undecided: NodeAv['AV_PICTURE_TYPE_NONE'];

  constructor(av: NodeAv, options: PublisherVideo) {
    this.graph = new av.FilterGraph();
    this.graph.alloc();
    this.undecided = av.AV_PICTURE_TYPE_NONE;
    this.sink = pictureGraph(av, this.graph, options);
    this.frame = new av.Frame();
    this.frame.alloc();
    this.encoder = openEncoder(av, ENCODERS[options.codec], (context) => {
      context.width = options.width;
      context.height = options.height;
      context.pixelFormat = av.AV_PIX_FMT_YUV420P;
      context.timeBase = new av.Rational(1, options.frameRate);
      context.framerate = new av.Rational(options.frameRate, 1);
      context.gopSize = options.frameRate * options.keyframeIntervalS;
      context.maxBFrames = options.bFrames;
      context.bitRate = BigInt(options.bitrateBps);
      // Rate control knobs of these two conflict with plain -maxrate.
      if (options.codec !== 'av1') {
        context.rcMaxRate = BigInt(options.bitrateBps);
        context.rcBufferSize = options.bitrateBps;
      }
      setCodecOptions(context, options);
    });
  }

  /** Sends the next picture, showing `unixMs`, to the encoder as frame `index` of its time base. */
  encode(index: number, unixMs: number): void {
    const frame = this.frame;
    const result = this.sink.buffersinkGetFrameSync(frame);
    if (result < 0) throw new Error(`the test picture's filter failed with ${result}`);
    frame.makeWritable();
    const [luma, cb, cr] = frame.data ?? [];
    const [lumaStride = 0, chromaStride = 0] = frame.linesize;
    if (luma !== undefined && cb !== undefined && cr !== undefined) {
      drawPictureClock({ width: frame.width, height: frame.height, luma, lumaStride, chroma: [cb, cr], chromaStride }, unixMs);
    }
    frame.pts = BigInt(index);
    // The filter marks each picture as intra; the encoder is to decide.
    frame.pictType = this.undecided;
    this.encoder.sendFrameSync(frame);
    frame.unref();
  }

  free(): void {
    this.frame.free();
    this.encoder.freeContext();
    this.graph.free();
  }
}

function pictureGraph(av: NodeAv, graph: FilterGraph, options: PublisherVideo): FilterContext {
  const make = (name: string, args: string | null): FilterContext => {
    const filter: Filter | null = av.Filter.getByName(name);
    const context = filter === null ? null : graph.createFilter(filter, name, args);
    if (context === null) throw new Error(`this FFmpeg has no filter ${name}`);
    return context;
  };
  const source = make('testsrc2', `size=${options.width}x${options.height}:rate=${options.frameRate}`);
  const format = make('format', 'pix_fmts=yuv420p');
  const sink = make('buffersink', null);
  source.link(0, format, 0);
  format.link(0, sink, 0);
  const result = graph.configSync();
  if (result < 0) throw new Error(`the test picture's filters do not fit together (${result})`);
  return sink;
}

// Options go in by name, before opening: node-av frees a Dictionary given to open2Sync twice.
function setCodecOptions(context: CodecContext, options: PublisherVideo): void {
  const gop = options.frameRate * options.keyframeIntervalS;
  switch (options.codec) {
    case 'h264':
      context.setOption('preset', 'veryfast');
      if (options.bFrames === 0) context.setOption('tune', 'zerolatency');
      context.setOption('x264-params', `keyint=${gop}:min-keyint=${gop}:scenecut=0`);
      break;
    case 'hevc':
      context.setOption('preset', 'ultrafast');
      if (options.bFrames === 0) context.setOption('tune', 'zerolatency');
      context.setOption('x265-params', `keyint=${gop}:min-keyint=${gop}:scenecut=0:bframes=${options.bFrames}:log-level=error`);
      break;
    case 'av1':
      context.setOption('preset', '12');
      context.setOption('svtav1-params', 'pred-struct=1:rc=2:lp=1');
      break;
    case 'vp9':
      context.setOption('deadline', 'realtime');
      context.setOption('cpu-used', '8');
      context.setOption('lag-in-frames', '0');
      context.rcMinRate = BigInt(options.bitrateBps);
      break;
  }
}

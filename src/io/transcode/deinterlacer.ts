import type { FilterContext, FilterGraph, Frame } from 'node-av';
import type { NodeAv } from '../ffmpeg/mod.ts';
import { errorText } from './native.ts';

/** bwdif counts in fields: its clock is twice as fine as its input's. */
const FIELDS = 2n;

interface Graph {
  readonly graph: FilterGraph;
  readonly source: FilterContext;
  readonly sink: FilterContext;
  readonly width: number;
  readonly height: number;
  readonly format: number;
}

/** Makes whole pictures of interlaced ones by FFmpeg's bwdif, one of each; progressive pictures pass unchanged. One picture is always held back. */
export class Deinterlacer {
  private readonly av: NodeAv;
  private readonly timescale: number;
  private graph: Graph | undefined = undefined;

  /** `timescale`: ticks a second of the pictures' pts. */
  constructor(av: NodeAv, timescale: number) {
    this.av = av;
    this.timescale = timescale;
  }

  /** Takes `frame` over and gives those that are ready. A change of size or format gives what was held back, too. */
  async pass(frame: Frame): Promise<Frame[]> {
    const late: Frame[] = [];
    const { graph } = this;
    if (graph !== undefined && (graph.width !== frame.width || graph.height !== frame.height || graph.format !== frame.format)) {
      late.push(...(await this.finish()));
      this.free();
    }
    this.graph ??= this.open(frame);
    const result = await this.graph.source.buffersrcAddFrame(frame);
    frame.free();
    if (result < 0) throw new Error(`the deinterlacer took no picture: ${errorText(this.av, result)}`);
    return [...late, ...(await this.take(this.graph))];
  }

  /** Gives what is held back. */
  async finish(): Promise<Frame[]> {
    if (this.graph === undefined) return [];
    await this.graph.source.buffersrcAddFrame(null);
    return await this.take(this.graph);
  }

  free(): void {
    this.graph?.graph.free();
    this.graph = undefined;
  }

  private open(frame: Frame): Graph {
    const { av } = this;
    const graph = new av.FilterGraph();
    graph.alloc();
    const { width, height, format } = frame;
    const make = (name: string, args: string | null): FilterContext => {
      const filter = av.Filter.getByName(name);
      const context = filter === null ? null : graph.createFilter(filter, name, args);
      if (context === null) throw new Error(`this FFmpeg has no filter ${name}`);
      return context;
    };
    try {
      const source = make('buffer', `video_size=${width}x${height}:pix_fmt=${format}:time_base=1/${this.timescale}:pixel_aspect=1/1`);
      const bwdif = make('bwdif', 'mode=send_frame:parity=auto:deint=interlaced');
      const sink = make('buffersink', null);
      source.link(0, bwdif, 0);
      bwdif.link(0, sink, 0);
      const result = graph.configSync();
      if (result < 0) throw new Error(`the deinterlacer cannot be set up: ${errorText(av, result)}`);
      return { graph, source, sink, width, height, format };
    } catch (error) {
      graph.free();
      throw error;
    }
  }

  private async take({ sink }: Graph): Promise<Frame[]> {
    const frames: Frame[] = [];
    for (;;) {
      const frame = new this.av.Frame();
      frame.alloc();
      if ((await sink.buffersinkGetFrame(frame)) < 0) {
        frame.free();
        return frames;
      }
      frame.pts /= FIELDS;
      frames.push(frame);
    }
  }
}

import { ticksToMs } from '../../core/mod.ts';
import type { VideoTrack } from '../../media/mod.ts';
import type { NodeAv } from '../ffmpeg/mod.ts';
import type { NumberedRung } from './messages.ts';
import { type CodedFrame, PictureDecoder } from './picture-decoder.ts';
import { type VideoRungOutput, VideoRungs } from './video-rungs.ts';

/** The way of a source's pictures through the child: decoded once, then all rungs. Calls come one after the other, each awaited. */
export class VideoLane {
  private readonly av: NodeAv;
  private readonly cores: number;
  private readonly rungs: VideoRungs;
  private track: VideoTrack | undefined = undefined;
  private decoder: PictureDecoder | undefined = undefined;
  private corruptBefore = 0;
  private lastDoneMs: number | undefined = undefined;

  constructor(av: NodeAv, cores: number, out: VideoRungOutput) {
    this.av = av;
    this.cores = cores;
    this.rungs = new VideoRungs(av, cores, out);
  }

  get framesCorrupt(): number {
    return this.corruptBefore + (this.decoder?.framesCorrupt ?? 0);
  }

  /** The decoding time of the last frame taken. */
  get doneMs(): number | undefined {
    return this.lastDoneMs;
  }

  /** The frames from here on are of another track; what is held back of the old one goes first. */
  async setTrack(track: VideoTrack): Promise<void> {
    await this.closeDecoder(true);
    this.track = track;
    this.rungs.setRate({ timescale: track.timescale, frameRate: track.frameRate });
  }

  async setRungs(rungs: readonly NumberedRung[]): Promise<void> {
    await this.rungs.setRungs(rungs);
    if (!this.rungs.isWanted) await this.closeDecoder(false);
  }

  async requestKeyframe(number: number): Promise<void> {
    await this.rungs.requestKeyframe(number);
  }

  async frame(coded: CodedFrame): Promise<void> {
    const { track } = this;
    if (track === undefined || !this.rungs.isWanted) return;
    this.lastDoneMs = ticksToMs(coded.dts, track.timescale);
    this.decoder ??= await PictureDecoder.open(this.av, track, this.cores);
    for (const picture of await this.decoder.decode(coded)) await this.rungs.push(picture);
  }

  async free(): Promise<void> {
    await this.rungs.free();
    await this.closeDecoder(false);
  }

  private async closeDecoder(isWorthAll: boolean): Promise<void> {
    const { decoder } = this;
    if (decoder === undefined) return;
    this.decoder = undefined;
    for (const picture of await decoder.finish()) {
      if (isWorthAll) await this.rungs.push(picture);
      else picture.frame.free();
    }
    this.corruptBefore += decoder.framesCorrupt;
    decoder.free();
  }
}

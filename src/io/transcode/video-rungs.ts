import type { Frame } from 'node-av';
import { messageOf, type NodeAv } from '../ffmpeg/mod.ts';
import type { EncoderSettings } from './encoder-settings.ts';
import { FrameGrid } from './frame-grid.ts';
import type { NumberedRung } from './messages.ts';
import type { Picture } from './picture-decoder.ts';
import { type EncodedPicture, PictureEncoder } from './picture-encoder.ts';
import { PictureScaler, type PictureShape } from './picture-scaler.ts';
import type { SourceTimes } from './picture-times.ts';
import { rungSize } from './rung-size.ts';

/** Pictures that wait for one size; each of 1080p has 3 MB. More are no use: then the decoder waits. */
const WAITING_MAX = 3;
const ASSUMED_FRAME_RATE = 30;
/** From so many pixels on a picture is cut into slices that are encoded at once. */
const SLICED_PIXELS_MIN = 1280 * 720;
const SLICES_MAX = 4;

export interface VideoRungOutput {
  config(number: number, config: Uint8Array, encoder: string): void;
  encoded(number: number, picture: EncodedPicture): void;
  failed(number: number, code: string, message: string): void;
}

/** What the rungs need to know of their source. */
export interface SourceRate {
  readonly timescale: number;
  readonly frameRate: number | undefined;
}

interface Running {
  readonly numbered: NumberedRung & { readonly rung: { readonly kind: 'video' } };
  readonly encoder: PictureEncoder;
  readonly grid: FrameGrid;
}

/**
 * Encodes each picture for all rungs: scaled once for each size, the sizes side by side. Rungs begin, end and change only between pictures. A new one
 * begins with a keyframe; one that fails ends alone.
 */
export class VideoRungs {
  private readonly av: NodeAv;
  private readonly out: VideoRungOutput;
  private readonly cores: number;
  private wanted: readonly NumberedRung[] = [];
  private running = new Map<number, Running>();
  private readonly failedNumbers = new Set<number>();
  /** Decoding times from which on rungs are to have a keyframe that the source does not have. */
  private readonly keyframesAt = new Map<number, number>();
  private sizes: SizeBranch[] = [];
  private source: PictureShape | undefined = undefined;
  private rate: SourceRate = { timescale: 90_000, frameRate: undefined };

  constructor(av: NodeAv, cores: number, out: VideoRungOutput) {
    this.av = av;
    this.cores = cores;
    this.out = out;
  }

  /** Takes effect for those that go at once, for those that come with the next keyframe, or sooner where they are to. */
  async setRungs(rungs: readonly NumberedRung[]): Promise<void> {
    this.wanted = rungs.filter(({ rung }) => rung.kind === 'video');
    for (const { number, keyframeAtDts } of this.wanted) if (keyframeAtDts !== undefined) this.keyframesAt.set(number, keyframeAtDts);
    const gone = [...this.running.keys()].filter((number) => !this.wanted.some((rung) => rung.number === number));
    if (gone.length === 0) return;
    await this.idle();
    for (const number of gone) this.stop(number);
    this.branch();
  }

  get isWanted(): boolean {
    return this.wanted.length > 0;
  }

  /** The source's next pictures are of another track. */
  setRate(rate: SourceRate): void {
    this.rate = rate;
  }

  /** The rung's next picture is a keyframe. */
  async requestKeyframe(number: number): Promise<void> {
    // What is in flight was there before.
    await this.idle();
    this.running.get(number)?.encoder.requestKeyframe();
  }

  /** Takes `picture` over. Settles when there is room for the next one. */
  async push(picture: Picture): Promise<void> {
    const { frame, times } = picture;
    const due = this.takeDue(times.dts);
    if (times.isKeyframe || due.length > 0) await this.adapt(frame);
    for (const number of due) await this.requestKeyframe(number);
    const shared = new SharedFrame(frame, times);
    for (const branch of this.sizes) branch.push(shared);
    shared.release();
    for (const branch of this.sizes) await branch.room();
  }

  /** Settles when all that was pushed is encoded. */
  async idle(): Promise<void> {
    for (const branch of this.sizes) await branch.idle();
  }

  async free(): Promise<void> {
    await this.idle();
    for (const number of [...this.running.keys()]) this.stop(number);
    this.branch();
  }

  /** The rungs whose keyframe is to be the picture of this decoding time. */
  private takeDue(dts: number): readonly number[] {
    if (this.keyframesAt.size === 0) return [];
    const due = [...this.keyframesAt].flatMap(([number, at]) => (dts >= at ? number : []));
    for (const number of due) this.keyframesAt.delete(number);
    return due;
  }

  /** Starts what is new, and anew what has another size now. */
  private async adapt(frame: Frame): Promise<void> {
    const { source } = this;
    const isSameSource = source?.width === frame.width && source.height === frame.height;
    const missing = this.wanted.filter(({ number }) => !this.running.has(number) && !this.failedNumbers.has(number));
    if (isSameSource && missing.length === 0) return;
    await this.idle();
    this.source = { width: frame.width, height: frame.height, format: frame.format as PictureShape['format'] };
    for (const numbered of this.wanted) await this.start(numbered, frame);
    this.branch();
  }

  private async start(numbered: NumberedRung, frame: Frame): Promise<void> {
    const { number, rung, expected, encoders } = numbered;
    if (rung.kind !== 'video' || this.failedNumbers.has(number)) return;
    const size = rungSize(frame, { width: expected.width ?? 0, height: expected.height ?? rung.height });
    const now = this.running.get(number)?.encoder.shape;
    if (now?.width === size.width && now.height === size.height) return;
    this.stop(number);
    try {
      const settings = this.settings(numbered, size);
      const encoder = await PictureEncoder.openFirst(this.av, encoders, settings, frame);
      const grid = new FrameGrid(rung.frameRateMax === undefined ? 0 : this.rate.timescale / rung.frameRateMax);
      this.running.set(number, { numbered: { ...numbered, rung }, encoder, grid });
      this.out.config(number, encoder.config, encoder.name);
    } catch (error) {
      this.fail(number, 'transcode.no-encoder', error);
    }
  }

  private settings({ rung, expected }: NumberedRung, size: { width: number; height: number }): EncoderSettings {
    if (rung.kind !== 'video') throw new Error(`${rung.name} is no video rung`);
    const { timescale } = this.rate;
    const frameRate = Math.min(
      expected.frameRate ?? this.rate.frameRate ?? ASSUMED_FRAME_RATE,
      rung.frameRateMax ?? Number.POSITIVE_INFINITY,
    );
    const isSliced = size.width * size.height >= SLICED_PIXELS_MIN;
    const threads = isSliced ? Math.max(1, Math.min(SLICES_MAX, this.cores >> 1)) : 1;
    const { codec, bitrateBps, preset } = rung;
    return { codec, ...size, timescale, frameRate, bitrateBps, preset, threads };
  }

  private stop(number: number): void {
    this.running.get(number)?.encoder.free();
    this.running.delete(number);
  }

  private fail(number: number, code: string, error: unknown): void {
    this.failedNumbers.add(number);
    this.out.failed(number, code, messageOf(error));
  }

  /** Makes the branches anew; nothing is in flight. */
  private branch(): void {
    for (const branch of this.sizes) branch.free();
    for (const number of this.failedNumbers) this.stop(number);
    const shapes = new Map<string, Running[]>();
    for (const running of this.running.values()) {
      const { width, height, format } = running.encoder.shape;
      const key = `${width}x${height}:${format}`;
      shapes.set(key, [...(shapes.get(key) ?? []), running]);
    }
    this.sizes = [...shapes.values()].map(
      (rungs) => new SizeBranch(this.av, rungs, this.out, (number, error) => this.fail(number, 'transcode.encoder-failed', error)),
    );
  }
}

/** A decoded picture that several sizes are made of; freed with its last user. */
class SharedFrame {
  readonly frame: Frame;
  readonly times: SourceTimes;
  private users = 1;

  constructor(frame: Frame, times: SourceTimes) {
    this.frame = frame;
    this.times = times;
  }

  retain(): this {
    this.users++;
    return this;
  }

  release(): void {
    this.users--;
    if (this.users === 0) this.frame.free();
  }
}

/** All rungs of one size: their pictures one after the other, for each picture the encoders side by side. */
class SizeBranch {
  private readonly scaler: PictureScaler;
  private readonly rungs: readonly Running[];
  private readonly out: VideoRungOutput;
  private readonly rungFailed: (number: number, error: unknown) => void;
  private readonly failed = new Set<number>();
  private readonly waiting: { readonly shared: SharedFrame; readonly takers: readonly Running[] }[] = [];
  private work: Promise<void> | undefined = undefined;
  private roomMade: (() => void) | undefined = undefined;

  constructor(av: NodeAv, rungs: readonly Running[], out: VideoRungOutput, rungFailed: (number: number, error: unknown) => void) {
    const [first] = rungs;
    if (first === undefined) throw new Error('a size without rungs');
    this.scaler = new PictureScaler(av, first.encoder.shape);
    this.rungs = rungs;
    this.out = out;
    this.rungFailed = rungFailed;
  }

  push(shared: SharedFrame): void {
    const { pts, isKeyframe } = shared.times;
    const takers = this.rungs.filter(({ grid }) => grid.takes(pts, isKeyframe));
    if (takers.length === 0) return;
    this.waiting.push({ shared: shared.retain(), takers });
    this.work ??= this.run();
  }

  /** Settles when not too many pictures wait. */
  async room(): Promise<void> {
    if (this.waiting.length <= WAITING_MAX) return;
    await new Promise<void>((resolve) => {
      this.roomMade = resolve;
    });
  }

  async idle(): Promise<void> {
    await this.work;
  }

  /** Only when idle. */
  free(): void {
    this.scaler.free();
  }

  private async run(): Promise<void> {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (this.waiting.length <= WAITING_MAX) this.roomMade?.();
      await this.encode(next.shared, next.takers);
      next.shared.release();
    }
    this.work = undefined;
  }

  private async encode({ frame, times }: SharedFrame, takers: readonly Running[]): Promise<void> {
    let picture: Frame | null;
    try {
      picture = this.isShaped(frame) ? frame.clone() : await this.scaler.scale(frame);
      if (picture === null) throw new Error('no memory for another reference to a picture');
    } catch (error) {
      for (const running of takers) this.fail(running, error);
      return;
    }
    const shaped = picture;
    await Promise.all(takers.map((running) => this.encodeFor(running, shaped, times)));
    if (this.isShaped(frame)) shaped.free();
  }

  private async encodeFor(running: Running, picture: Frame, times: SourceTimes): Promise<void> {
    const { number } = running.numbered;
    if (this.failed.has(number)) return;
    try {
      for (const encoded of await running.encoder.encode(picture, times)) this.out.encoded(number, encoded);
    } catch (error) {
      this.fail(running, error);
    }
  }

  private fail({ numbered }: Running, error: unknown): void {
    if (this.failed.has(numbered.number)) return;
    this.failed.add(numbered.number);
    this.rungFailed(numbered.number, error);
  }

  private isShaped({ width, height, format }: Frame): boolean {
    const { shape } = this.scaler;
    return width === shape.width && height === shape.height && format === shape.format;
  }
}

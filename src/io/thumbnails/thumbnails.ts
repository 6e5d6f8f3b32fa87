import type pino from 'pino';
import type { Thumbnail, ThumbnailAnswer, ThumbnailFailure } from '../../api/mod.ts';
import type { Hub, LiveStream } from '../../hub/mod.ts';
import type { Frame, VideoTrack } from '../../media/mod.ts';
import type { Clock } from '../clock.ts';
import { PictureMaker, type PictureMakerOptions, type PictureResult } from './picture-maker.ts';
import { startPictureChild } from './thumbnail-child.ts';

export interface ThumbnailsOptions extends Partial<PictureMakerOptions> {
  readonly hub: Pick<Hub, 'stream'>;
  /** Streams whose picture is asked for at a time; further ones are told to come again. */
  readonly waitingMax?: number;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: pino.Logger;
}

/** So long a picture holds, also that none could be made. */
const FRESH_MS = 5_000;
const KEPT_MAX = 200;
const WAITING_MAX = 32;
/** A picture that takes the process with it so often in a row is not tried again for a while. */
const CRASHES_MAX = 2;
const SPARED_MS = 60_000;
const AGAIN_S = 2;

interface Kept {
  readonly answer: ThumbnailAnswer;
  /** Until when it holds. */
  readonly until: number;
  readonly startedWallMs: number;
}

/** Thumbnails of the streams in this node's hub, of their newest keyframes: each made once and kept for some seconds, one after the other, in one process. */
export class Thumbnails {
  private readonly options: ThumbnailsOptions;
  private readonly maker: PictureMaker;
  /** By path, the oldest first. */
  private readonly kept = new Map<string, Kept>();
  private readonly underWay = new Map<string, Promise<ThumbnailAnswer | undefined>>();
  /** How often in a row the picture of a stream crashed, and when last. */
  private readonly crashes = new Map<string, { readonly count: number; readonly at: number }>();
  private last: Promise<unknown> = Promise.resolve();
  private readonly counts = { made: 0, failed: 0, crashed: 0, refused: 0 };

  constructor(options: ThumbnailsOptions) {
    this.options = options;
    this.maker = new PictureMaker({ ...options, start: options.start ?? startPictureChild });
  }

  /** Pictures that were made, of which none could be made, that took their process with them, and that were not tried as too many waited; processes that were started. */
  stats(): { readonly made: number; readonly failed: number; readonly crashed: number; readonly refused: number; readonly starts: number } {
    return { ...this.counts, starts: this.maker.starts };
  }

  /** Undefined where there is no such stream. */
  thumbnail(path: string): Promise<ThumbnailAnswer | undefined> {
    const { hub, waitingMax = WAITING_MAX } = this.options;
    const stream = hub.stream(path);
    if (stream === undefined) return Promise.resolve(undefined);
    const known = this.kept.get(path);
    if (known !== undefined && this.isOf(known, stream) && known.until > this.now()) return Promise.resolve(known.answer);
    const started = this.underWay.get(path);
    if (started !== undefined) return started;
    const ready = this.withoutWork(path, stream);
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.underWay.size >= waitingMax) {
      this.counts.refused++;
      return Promise.resolve(failure('thumbnails.busy', 'many pictures are wanted at the moment: ask again soon', AGAIN_S));
    }
    const made = this.last.then(() => this.work(path)).finally(() => this.underWay.delete(path));
    this.underWay.set(path, made);
    this.last = made.catch(() => undefined);
    return made;
  }

  /** Ends the process. */
  async close(): Promise<void> {
    await this.maker.close();
    this.kept.clear();
  }

  private now(): number {
    return this.options.clock.monotonic();
  }

  private isOf({ startedWallMs }: Kept, stream: LiveStream): boolean {
    return startedWallMs === stream.startedWallMs;
  }

  /** It is this stream's turn. What it shows is looked up now: nothing is held while it waits. */
  private async work(path: string): Promise<ThumbnailAnswer | undefined> {
    const stream = this.options.hub.stream(path);
    if (stream === undefined) return undefined;
    const ready = this.withoutWork(path, stream);
    if (ready !== undefined) return ready;
    const answer = await this.make(path, stream);
    this.keep(path, stream, answer);
    return answer;
  }

  /** What can be answered without making a picture. */
  private withoutWork(path: string, stream: LiveStream): ThumbnailAnswer | undefined {
    const { keyframe, tracks } = stream;
    if (keyframe === undefined) {
      if (tracks.length > 0 && !tracks.some(({ kind }) => kind === 'video'))
        return failure('thumbnails.no-video', `${JSON.stringify(path)} has sound alone`);
      return failure('thumbnails.no-keyframe', `${JSON.stringify(path)} has shown no keyframe yet that is still there`, AGAIN_S);
    }
    const known = this.kept.get(path);
    if (known !== undefined && this.isOf(known, stream) && 'jpeg' in known.answer && known.answer.etag === etagOf(keyframe))
      return known.answer;
    const crashed = this.crashes.get(path);
    const sparedMs = crashed === undefined || crashed.count < CRASHES_MAX ? 0 : crashed.at + SPARED_MS - this.now();
    if (sparedMs <= 0) return undefined;
    return failure('thumbnails.failed', 'the pictures of the stream cannot be decoded', Math.ceil(sparedMs / 1000));
  }

  private async make(path: string, { keyframe }: LiveStream): Promise<ThumbnailAnswer> {
    const frame = keyframe as Frame;
    const { codec, config } = frame.track as VideoTrack;
    const etag = etagOf(frame);
    const result = await this.maker.make({ codec, config, payload: frame.payload });
    if (result.kind === 'jpeg') {
      this.counts.made++;
      this.crashes.delete(path);
      return { jpeg: result.jpeg, etag };
    }
    return this.failed(path, result);
  }

  private failed(path: string, { kind, message }: Exclude<PictureResult, { kind: 'jpeg' }>): ThumbnailFailure {
    const { log } = this.options;
    switch (kind) {
      case 'unavailable':
        return failure('thumbnails.unavailable', message);
      case 'not-started':
        log.warn({ code: 'thumbnails.not-started', reason: message }, 'no process for thumbnails');
        return failure('thumbnails.busy', 'no picture can be made at the moment: ask again soon', AGAIN_S);
      case 'crashed':
        this.crashed(path, message);
        break;
      case 'failed':
        this.counts.failed++;
        log.debug({ code: 'thumbnails.failed', stream: path, reason: message }, 'no thumbnail can be made of a keyframe');
        break;
    }
    return failure('thumbnails.failed', 'no picture could be made of the keyframe', AGAIN_S);
  }

  private crashed(path: string, reason: string): void {
    const now = this.now();
    this.counts.crashed++;
    for (const [other, { at }] of this.crashes) if (now - at >= SPARED_MS) this.crashes.delete(other);
    const count = (this.crashes.get(path)?.count ?? 0) + 1;
    this.crashes.set(path, { count, at: now });
    this.options.log.warn(
      { code: 'thumbnails.crashed', stream: path, count, reason },
      'a keyframe ended the process that makes thumbnails',
    );
  }

  private keep(path: string, { startedWallMs }: LiveStream, answer: ThumbnailAnswer): void {
    const now = this.now();
    this.kept.delete(path);
    this.kept.set(path, { answer, until: now + FRESH_MS, startedWallMs });
    for (const [other, { until }] of this.kept) {
      if (this.kept.size <= KEPT_MAX && until + SPARED_MS > now) return;
      this.kept.delete(other);
    }
  }
}

const failure = (code: ThumbnailFailure['code'], detail: string, retryAfterS?: number): ThumbnailFailure => ({
  code,
  detail,
  ...(retryAfterS === undefined ? {} : { retryAfterS }),
});

/** The keyframe's place on the stream's timeline, which is the same on all nodes and never comes again. */
const etagOf = ({ segment: { sequence, discontinuity, startMs }, dts }: Frame): Thumbnail['etag'] =>
  `"${[sequence, discontinuity, startMs, dts].map((part) => part.toString(36)).join('-')}"`;

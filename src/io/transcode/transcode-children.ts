import { availableParallelism } from 'node:os';
import type pino from 'pino';
import { Transcoder } from './transcoder.ts';

/**
 * Children that load FFmpeg at a time, at most. It is half a second of a core's work each: all streams of a server at once would
 * each take as long as all together, and none would be made in time.
 */
const LOADING_MAX = Math.max(2, availableParallelism());
/** How long a child that nobody needs is kept ready. */
const SPARE_IDLE_MS_MAX = 10 * 60_000;

/** The transcoding children of this process: one is kept warm, so that a first viewer does not wait for FFmpeg to load. */
export class TranscodeChildren {
  private readonly log: pino.Logger;
  private readonly loading = new Set<Transcoder>();
  private spare: Transcoder | undefined = undefined;
  private idle: NodeJS.Timeout | undefined = undefined;
  private isClosed = false;

  constructor(log: pino.Logger) {
    this.log = log;
  }

  /** Whether a child may be taken now; ask again in a moment when not. */
  get mayTake(): boolean {
    for (const child of this.loading) if (child.hasStarted || child.isGone) this.loading.delete(child);
    return this.spare?.hasStarted === true || this.loading.size < LOADING_MAX;
  }

  /** Something may be wanted soon: has a child ready. */
  warm(): void {
    if (this.isClosed) return;
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.dropSpare(), SPARE_IDLE_MS_MAX).unref();
    if (this.spare === undefined || this.spare.isGone) this.spare = this.load();
  }

  /** A child that has not begun; the caller owns it. */
  take(): Transcoder {
    const spare = this.spare !== undefined && !this.spare.isGone ? this.spare : this.load();
    this.spare = undefined;
    this.warm();
    return spare;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.idle);
    const { spare } = this;
    this.spare = undefined;
    await spare?.close();
  }

  private load(): Transcoder {
    const child = Transcoder.warm(this.log);
    this.loading.add(child);
    return child;
  }

  private dropSpare(): void {
    const { spare } = this;
    this.spare = undefined;
    void spare?.close();
  }
}

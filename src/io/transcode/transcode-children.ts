import type pino from 'pino';
import { Transcoder } from './transcoder.ts';

/** How long a child that nobody needs is kept ready. */
const SPARE_IDLE_MS_MAX = 10 * 60_000;

/** The transcoding children of this process: one is kept warm, so that a first viewer does not wait for FFmpeg to load. */
export class TranscodeChildren {
  private readonly log: pino.Logger;
  private spare: Transcoder | undefined = undefined;
  private idle: NodeJS.Timeout | undefined = undefined;
  private isClosed = false;

  constructor(log: pino.Logger) {
    this.log = log;
  }

  /** Something may be wanted soon: has a child ready. */
  warm(): void {
    if (this.isClosed) return;
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.dropSpare(), SPARE_IDLE_MS_MAX).unref();
    if (this.spare === undefined || this.spare.isGone) this.spare = Transcoder.warm(this.log);
  }

  /** A child that has not begun; the caller owns it. */
  take(): Transcoder {
    const spare = this.spare !== undefined && !this.spare.isGone ? this.spare : Transcoder.warm(this.log);
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

  private dropSpare(): void {
    const { spare } = this;
    this.spare = undefined;
    void spare?.close();
  }
}

import type { CodedPicture } from './jpeg-maker.ts';
import type { PictureChild, PictureChildListener } from './thumbnail-child.ts';

/** How it went. `crashed`: the picture took the process with it, or did not get done; `not-started`: there was no process that could have tried. */
export type PictureResult =
  | { readonly kind: 'jpeg'; readonly jpeg: Uint8Array }
  | { readonly kind: 'failed' | 'crashed' | 'not-started' | 'unavailable'; readonly message: string };

export interface PictureMakerOptions {
  readonly start: (listener: PictureChildListener) => PictureChild;
  /** A picture that takes longer ends the process. */
  readonly pictureMsMax?: number;
  /** So long a process may take until it is ready. */
  readonly loadMsMax?: number;
  /** A process that has nothing to do for so long ends. */
  readonly restMs?: number;
}

const DEFAULTS = { pictureMsMax: 2_000, loadMsMax: 20_000, restMs: 60_000 };

interface Running {
  readonly process: PictureChild;
  isReady: boolean;
}

interface Wanted {
  readonly picture: CodedPicture;
  readonly done: (result: PictureResult) => void;
  isSent: boolean;
}

/** Makes pictures by one child process, one at a time: started when it is needed, ended after a rest, replaced when it dies or does not get done. */
export class PictureMaker {
  private readonly options: Required<PictureMakerOptions>;
  private running: Running | undefined = undefined;
  private wanted: Wanted | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private missing: string | undefined = undefined;
  private isClosed = false;
  private startCount = 0;
  /** Those that are on their way out. */
  private readonly ending = new Set<Promise<void>>();

  constructor(options: PictureMakerOptions) {
    this.options = { ...DEFAULTS, ...options };
  }

  /** Processes that were started so far. */
  get starts(): number {
    return this.startCount;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Makes one; not to be called again before it has settled, which it does in any case. */
  make(picture: CodedPicture): Promise<PictureResult> {
    if (this.isClosed) return Promise.resolve({ kind: 'not-started', message: 'the server is shutting down' });
    if (this.missing !== undefined) return Promise.resolve({ kind: 'unavailable', message: this.missing });
    return new Promise((done) => {
      this.wanted = { picture, done, isSent: false };
      this.running ??= this.start();
      if (this.running.isReady) this.send(this.running);
      else this.arm(this.options.loadMsMax, () => this.giveUp(`no process was ready within ${this.options.loadMsMax} ms`));
    });
  }

  /** Settles when no process is left. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.finish({ kind: 'not-started', message: 'the server is shutting down' });
    this.rest();
    await Promise.all(this.ending);
  }

  private start(): Running {
    this.startCount++;
    const whileRunning = (act: () => void): void => {
      if (this.running === running) act();
    };
    const process = this.options.start({
      ready: () =>
        whileRunning(() => {
          running.isReady = true;
          if (this.wanted !== undefined) this.send(running);
        }),
      unavailable: (message) =>
        whileRunning(() => {
          this.missing = message;
          this.finish({ kind: 'unavailable', message });
          this.rest();
        }),
      jpeg: (jpeg) => whileRunning(() => this.finish({ kind: 'jpeg', jpeg })),
      failed: (message) => whileRunning(() => this.finish({ kind: 'failed', message })),
      exited: (reason) =>
        whileRunning(() => {
          this.running = undefined;
          this.lost(reason);
        }),
    });
    const running: Running = { process, isReady: false };
    return running;
  }

  private send(running: Running): void {
    const { wanted } = this;
    if (wanted === undefined) return;
    wanted.isSent = true;
    this.arm(this.options.pictureMsMax, () => this.giveUp(`it took longer than ${this.options.pictureMsMax} ms`));
    running.process.make(wanted.picture);
  }

  private giveUp(reason: string): void {
    const { running } = this;
    this.running = undefined;
    if (running !== undefined) {
      running.process.kill();
      this.leave(running);
    }
    this.lost(reason);
  }

  private lost(message: string): void {
    this.finish({ kind: this.wanted?.isSent === true ? 'crashed' : 'not-started', message });
  }

  private finish(result: PictureResult): void {
    const { wanted } = this;
    this.wanted = undefined;
    clearTimeout(this.timer);
    if (this.running !== undefined) this.arm(this.options.restMs, () => this.rest());
    wanted?.done(result);
  }

  private rest(): void {
    clearTimeout(this.timer);
    const { running } = this;
    this.running = undefined;
    if (running !== undefined) this.leave(running);
  }

  private leave({ process }: Running): void {
    const gone = process.close();
    this.ending.add(gone);
    void gone.finally(() => this.ending.delete(gone));
  }

  private arm(ms: number, act: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(act, ms).unref();
  }
}

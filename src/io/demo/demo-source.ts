import type { Logger } from 'pino';
import type { PublisherOptions } from './publisher-options.ts';
import { PublisherProcess } from './publisher-process.ts';

const RESTART_DELAY_MS_MIN = 500;
const RESTART_DELAY_MS_MAX = 10_000;

export interface DemoSourceOptions {
  /** Where to publish, e.g. `rtmp://127.0.0.1:1935/live/demo`. */
  readonly rtmpUrl: string;
  readonly log: Logger;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly bitrateBps?: number;
}

/**
 * Publishes a moving test picture with a clock and a beep each second through a real RTMP connection, from a child process
 * that is started again (after 0.5 s, then twice as long up to 10 s) whenever it ends.
 */
export class DemoSource {
  private readonly options: DemoSourceOptions;
  private process: PublisherProcess | undefined;
  private timer: NodeJS.Timeout | undefined;
  private delayMs = RESTART_DELAY_MS_MIN;
  private isClosed = false;

  constructor(options: DemoSourceOptions) {
    this.options = options;
  }

  start(): void {
    this.timer = undefined;
    const { log } = this.options;
    this.process = new PublisherProcess(publication(this.options), {
      publishing: () => {
        this.delayMs = RESTART_DELAY_MS_MIN;
        log.info({ code: 'demo.publishing' }, 'the demo source is publishing');
      },
      ended: (reason, message) => {
        this.process = undefined;
        if (this.isClosed) return;
        if (reason === 'unavailable') log.warn({ code: 'demo.unavailable' }, `no demo stream: ${message}`);
        else this.startAgain(message);
      },
    });
  }

  private startAgain(message: string): void {
    const { delayMs } = this;
    this.options.log.warn({ code: 'demo.ended', delayMs }, `the demo source ended and starts again in ${delayMs} ms: ${message}`);
    this.timer = setTimeout(() => this.start(), delayMs);
    this.delayMs = Math.min(delayMs * 2, RESTART_DELAY_MS_MAX);
  }

  /** Ends the publication politely and the child process with it. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.process?.close();
  }
}

function publication(options: DemoSourceOptions): PublisherOptions {
  return {
    url: options.rtmpUrl,
    video: {
      codec: 'h264',
      width: options.width ?? 1280,
      height: options.height ?? 720,
      frameRate: options.frameRate ?? 30,
      bitrateBps: options.bitrateBps ?? 2_500_000,
      keyframeIntervalS: 2,
      bFrames: 0,
    },
    audio: { codec: 'aac', bitrateBps: 128_000 },
  };
}

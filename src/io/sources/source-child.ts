import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChildListener, FramedChild } from '../ffmpeg/mod.ts';
import type { PreparedInput } from './prepare-input.ts';
import type { FromSource, ToSource } from './source-messages.ts';

/** No HTTP but through the gate, whatever this process's own environment says. */
const ENVIRONMENT = { http_proxy: 'http://127.0.0.1:1', no_proxy: undefined, NO_PROXY: undefined };

/** The child process of one opening of a source; it loads FFmpeg and waits for what it is to open. */
export class SourceChild {
  private readonly child: FramedChild<ToSource, FromSource>;
  private listener: ChildListener<FromSource> | undefined = undefined;
  private exitReason: string | undefined = undefined;

  constructor() {
    const script = fileURLToPath(new URL(`./source-worker${extname(import.meta.url)}`, import.meta.url));
    this.child = new FramedChild<ToSource, FromSource>(script, ENVIRONMENT, {
      control: (message) => this.listener?.control(message),
      frame: (frame) => this.listener?.frame(frame),
      exited: (reason) => {
        this.exitReason = reason;
        this.listener?.exited(reason);
      },
    });
  }

  get isGone(): boolean {
    return this.exitReason !== undefined;
  }

  /** Opens the input, once. Nothing is told before the caller returned to the event loop. */
  open({ input, environment }: PreparedInput, listener: ChildListener<FromSource>): void {
    this.listener = listener;
    this.child.send({ kind: 'open', input, environment });
    const { exitReason } = this;
    if (exitReason !== undefined) queueMicrotask(() => listener.exited(exitReason));
  }

  kill(): void {
    this.child.kill();
  }

  /** Settles when it is gone. */
  async close(): Promise<void> {
    await this.child.close({ kind: 'stop' });
  }
}

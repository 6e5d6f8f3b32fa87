import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a JPEG shows. */
export interface SeenJpeg {
  readonly width: number;
  readonly height: number;
  /** Mean of red, green and blue, 0 to 255. */
  readonly mean: readonly [red: number, green: number, blue: number];
}

/** Decodes JPEGs by FFmpeg in a process of its own. */
export class JpegLooker {
  private readonly child: ChildProcess;
  private readonly waiting: ((said: SeenJpeg | string) => void)[] = [];

  constructor() {
    this.child = fork(fileURLToPath(new URL('./jpeg-look-worker.fixture.ts', import.meta.url)), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      execArgv: [],
    });
    this.child.on('message', (said) => this.waiting.shift()?.(said as SeenJpeg | string));
    this.child.once('close', () => {
      for (const answer of this.waiting.splice(0)) answer('the process is gone');
    });
  }

  /** Rejects when it is none. */
  look(jpeg: Uint8Array): Promise<SeenJpeg> {
    return new Promise((resolve, reject) => {
      this.waiting.push((said) => (typeof said === 'string' ? reject(new Error(`the JPEG cannot be looked at: ${said}`)) : resolve(said)));
      this.child.send(jpeg);
    });
  }

  close(): void {
    this.child.kill('SIGKILL');
  }
}

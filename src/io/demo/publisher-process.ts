import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PublisherCommand, PublisherOptions, PublisherReport } from './publisher-options.ts';

const STOP_MS_MAX = 2000;
const ERROR_TEXT_LENGTH_MAX = 2000;

export interface PublisherListener {
  /** The server has taken the publication. */
  publishing(): void;
  /** The process is gone; called once. `unavailable` will not change by another try. */
  ended(reason: 'finished' | 'failed' | 'unavailable', message: string): void;
}

/** One test publisher in a child process, which dies with this one. */
export class PublisherProcess {
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private last: PublisherReport = { kind: 'failed', message: '' };
  private errorText = '';

  constructor(options: PublisherOptions, listener: PublisherListener) {
    // From dist it is JavaScript; from the sources, as in tests, TypeScript that Node runs as it is.
    const script = fileURLToPath(new URL(`./demo-worker${extname(import.meta.url)}`, import.meta.url));
    this.child = fork(script, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errorText = (this.errorText + text).slice(-ERROR_TEXT_LENGTH_MAX);
    });
    this.child.on('message', (report: PublisherReport) => {
      if (report.kind === 'publishing') listener.publishing();
      else this.last = report;
    });
    this.exited = new Promise((resolve) => {
      let isOver = false;
      const over = (message: string): void => {
        if (isOver) return;
        isOver = true;
        if (this.last.kind === 'finished') listener.ended('finished', '');
        else if (this.last.kind !== 'publishing')
          listener.ended(this.last.kind, [this.last.message || message, this.errorText.trim()].filter(Boolean).join('; '));
        resolve();
      };
      this.child.once('error', (error) => over(error.message));
      this.child.once('close', (code, signal) => over(`the publisher's process ended with ${signal ?? `code ${code}`}`));
    });
    this.send({ kind: 'publish', options });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  private send(command: PublisherCommand): void {
    // A child that is already gone is reported by its exit.
    if (this.child.connected) this.child.send(command, () => undefined);
  }

  /** Ends the publication politely, or by force after 2 s. Settles when the process is gone. */
  async close(): Promise<void> {
    this.send({ kind: 'stop' });
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX);
    await this.exited;
    clearTimeout(timer);
  }

  /** Kills the process, as a publisher does whose machine loses power. Settles when it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

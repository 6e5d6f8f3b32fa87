import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadResult } from '../src/app/load/mod.ts';

const MAIN = fileURLToPath(new URL('../dist/app/main.js', import.meta.url));

/** `sluice load …` in a process of its own, pinned to `cpu`. */
export class LoadProcess {
  /** What it measured; rejects when it printed nothing usable. */
  readonly result: Promise<LoadResult>;
  private readonly child: ChildProcess;

  constructor(cpu: number, args: readonly string[]) {
    this.child = spawn('taskset', ['-c', String(cpu), process.execPath, MAIN, 'load', ...args, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.result = this.read(args);
    // Whoever stops it early is not interested in its result.
    this.result.catch(() => undefined);
  }

  private read(args: readonly string[]): Promise<LoadResult> {
    let output = '';
    let errors = '';
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    return new Promise((resolve, reject) => {
      this.child.once('close', (code) => {
        try {
          resolve(JSON.parse(output) as LoadResult);
        } catch {
          reject(new Error(`sluice load ${args.join(' ')} ended with code ${code}: ${errors || output}`));
        }
      });
    });
  }

  /** Ends it early and settles with what it measured until then. */
  async stop(): Promise<void> {
    this.child.kill('SIGINT');
    await this.result.catch(() => undefined);
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { messageOf } from './node-av.ts';
import { controlMessage, type PipedFrame, WireReader, writeFrame } from './wire.ts';

const STOP_MS_MAX = 2000;
const ERROR_TEXT_LENGTH_MAX = 2000;
const PIPE_FD = 3;

export interface ChildListener<FromChild> {
  control(message: FromChild): void;
  frame(frame: PipedFrame): void;
  /** The process is gone; called once, also when it did not start. */
  exited(reason: string): void;
}

/** A child process that loads FFmpeg, and the pipe to it. It dies with this process. */
export class FramedChild<ToChild extends object, FromChild> {
  private readonly child: ChildProcess;
  private readonly pipe: Socket;
  private readonly exited: Promise<void>;
  private errorText = '';
  private isGone = false;

  /** `script`: the program of the child, as a path. `environment`: what differs from this process's; undefined takes a variable away. */
  constructor(script: string, environment: Readonly<Record<string, string | undefined>>, listener: ChildListener<FromChild>) {
    this.child = spawn(process.execPath, [script], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errorText = (this.errorText + text).slice(-ERROR_TEXT_LENGTH_MAX);
    });
    this.pipe = this.child.stdio[PIPE_FD] as Socket;
    const reader = new WireReader({
      control: (message) => listener.control(message as FromChild),
      frame: (frame) => listener.frame(frame),
    });
    this.pipe.on('data', (chunk) => this.read(reader, chunk));
    // A broken pipe is told by the exit that caused it.
    this.pipe.on('error', () => undefined);
    this.exited = new Promise((resolve) => {
      const over = (reason: string): void => {
        if (this.isGone) return;
        this.isGone = true;
        this.pipe.destroy();
        listener.exited([reason, this.errorText.trim()].filter(Boolean).join('; '));
        resolve();
      };
      this.child.once('error', (error) => over(`the process did not start: ${error.message}`));
      this.child.once('close', (code, signal) => over(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Bytes that were written and that the pipe has not taken yet. */
  get backlogBytes(): number {
    return this.pipe.writableLength;
  }

  send(message: ToChild): void {
    if (!this.isGone) this.pipe.write(controlMessage(message));
  }

  /** Writes a frame; its payload must not change any more. */
  sendFrame(frame: PipedFrame): void {
    if (!this.isGone) writeFrame(this.pipe, frame);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Ends the process politely, or by force after 2 s. `goodbye` asks it to end. Settles when it is gone. */
  async close(goodbye: ToChild): Promise<void> {
    this.send(goodbye);
    const timer = setTimeout(() => this.kill(), STOP_MS_MAX);
    await this.exited;
    clearTimeout(timer);
  }

  private read(reader: WireReader, chunk: Uint8Array): void {
    try {
      reader.receive(chunk);
    } catch (error) {
      this.errorText = messageOf(error);
      this.kill();
    }
  }
}

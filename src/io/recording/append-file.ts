import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What is told of a file that is written. */
export interface AppendListener {
  /** So much more was taken by the system, and the file is as large now. */
  written(bytes: number, sizeBytes: number): void;
  /** Nothing more can be written; the file ends behind the last whole piece. Told at most once. */
  failed(error: NodeJS.ErrnoException): void;
}

/** The part of a file handle that is used; tests bring disks that are full. */
export type AppendHandle = Pick<FileHandle, 'appendFile' | 'truncate' | 'datasync' | 'close'>;
export type OpenToAppend = (path: string) => Promise<AppendHandle>;

/** Makes the file, which must not be there, and its folder; readable by its owner alone. */
export const openToAppend: OpenToAppend = async (path) => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return open(path, 'wx', 0o600);
};

/** A new file that pieces are appended to in the background, each whole or not at all: also of a process that is killed, only the last one can be torn. */
export class AppendFile {
  private readonly listener: AppendListener;
  private readonly opening: Promise<AppendHandle>;
  private last: Promise<void>;
  private hasFailed = false;
  private isClosing = false;
  private queued = 0;
  private size = 0;
  private flushedSize = 0;

  constructor(path: string, listener: AppendListener, openFile: OpenToAppend = openToAppend) {
    this.listener = listener;
    this.opening = openFile(path);
    this.last = this.opening.then(
      () => undefined,
      (error: unknown) => this.fail(error),
    );
  }

  /** Bytes that wait to be written. */
  get queuedBytes(): number {
    return this.queued;
  }

  /** The piece is given to the file. */
  append(piece: Uint8Array): void {
    if (this.hasFailed) return;
    this.queued += piece.length;
    this.last = this.last.then(() => this.write(piece));
  }

  /** Settles when what is written by now is on the disk, or has failed. Pieces are appended meanwhile. */
  async flush(): Promise<void> {
    const { size } = this;
    if (size === this.flushedSize) return;
    const handle = await this.opening.catch(() => undefined);
    if (handle === undefined || this.hasFailed || this.isClosing) return;
    await handle.datasync().then(
      () => {
        this.flushedSize = size;
      },
      (error: unknown) => this.fail(error),
    );
  }

  /** Settles when what was appended is written, or has failed, and the file is closed. */
  async close(): Promise<void> {
    await this.last;
    this.isClosing = true;
    await this.opening.then(
      async (handle) => {
        if (!this.hasFailed) await handle.datasync().catch((error: unknown) => this.fail(error));
        await handle.close().catch((error: unknown) => this.fail(error));
      },
      () => undefined,
    );
  }

  private async write(piece: Uint8Array): Promise<void> {
    if (!this.hasFailed) {
      const handle = await this.opening;
      try {
        await handle.appendFile(piece);
        this.size += piece.length;
      } catch (error) {
        // Best effort: a torn piece at the end does not keep players from the rest.
        await handle.truncate(this.size).catch(() => undefined);
        this.fail(error);
      }
    }
    this.queued -= piece.length;
    if (!this.hasFailed) this.listener.written(piece.length, this.size);
  }

  private fail(error: unknown): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.listener.failed(error as NodeJS.ErrnoException);
  }
}

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SluiceError } from '../../core/mod.ts';

/** Writes a file of mode 0600, in a folder of mode 0700 that is made where needed; after a crash the old or the new content is there, never a half. */
export function writePrivateFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}.${process.hrtime.bigint()}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unwritable(file, cause);
  }
  try {
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw unwritable(file, cause);
  }
}

const unwritable = (file: string, cause: unknown): SluiceError =>
  new SluiceError('cluster.identity-unwritable', `${file} cannot be written: ${(cause as Error).message}`, { cause });

/** Undefined when there is no such file; throws `SluiceError` with `cluster.identity-unreadable` when there is, but it cannot be read. */
export function readPrivateFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new SluiceError('cluster.identity-unreadable', `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

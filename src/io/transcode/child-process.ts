import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChildListener, FramedChild } from '../ffmpeg/mod.ts';
import type { FromChild, ToChild } from './messages.ts';

/** Native calls run on libuv's threads: decoder, scalers and encoders at the same time. */
const THREADS_MIN = 4;
const THREADS_MAX = 32;

/** The pipe to a child process that transcodes. */
export type TranscodePipe = FramedChild<ToChild, FromChild>;

// From dist it is JavaScript; from the sources, as in tests, TypeScript that Node runs as it is.
const WORKER = fileURLToPath(new URL(`./transcode-worker${extname(import.meta.url)}`, import.meta.url));

/** Starts a child process for transcoding. `script`: its program, as a path. */
export function startTranscodeChild(listener: ChildListener<FromChild>, script: string = WORKER): TranscodePipe {
  const threads = Math.min(THREADS_MAX, Math.max(THREADS_MIN, 2 * availableParallelism()));
  return new FramedChild<ToChild, FromChild>(script, { UV_THREADPOOL_SIZE: String(threads) }, listener);
}

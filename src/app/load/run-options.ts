import { type Command, InvalidArgumentError } from 'commander';
import { resultTable } from './load-result.ts';
import { runLoad } from './load-run.ts';
import type { LoadClient } from './viewer-record.ts';

const VIEWERS_PER_SECOND = 200;

export interface RunOptions {
  readonly duration: number;
  readonly ramp?: number;
  readonly json?: boolean;
}

/** `--duration`, `--ramp`, `--json`. */
export function withRunOptions(command: Command): Command {
  return command
    .option('--duration <s>', 'seconds to go on after all are started', positive, 10)
    .option('--ramp <s>', `seconds over which clients are started (default: ${VIEWERS_PER_SECOND} a second)`, notNegative)
    .option('--json', 'print the result as JSON');
}

/** Runs the load until it is over or Ctrl-C, and prints its result. */
export async function runAndPrint(
  kind: string,
  url: string,
  count: number,
  options: RunOptions,
  makeClient: (index: number) => LoadClient,
): Promise<void> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const isInteractive = options.json !== true && process.stderr.isTTY;
  const result = await runLoad(
    {
      kind,
      url,
      count,
      durationS: options.duration,
      rampS: options.ramp ?? count / VIEWERS_PER_SECOND,
      progress: (text) => {
        if (isInteractive) process.stderr.write(`\r${text}\x1b[K`);
      },
      signal: abort.signal,
    },
    makeClient,
  );
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  if (isInteractive) process.stderr.write('\r\x1b[K');
  process.stdout.write(`${options.json === true ? JSON.stringify(result) : resultTable(result)}\n`);
  if (result.joined < count || result.failed > 0) process.exitCode = 1;
}

/** An option's value above 0; throws what commander shows. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError(`${text} is not a number above 0.`);
  return value;
}

/** As positive, or 0. */
export function notNegative(text: string): number {
  return text === '0' ? 0 : positive(text);
}

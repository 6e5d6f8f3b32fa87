import type { Command } from 'commander';
import type { ProblemResource, StreamPage, StreamResource } from '../../api/mod.ts';
import { EXIT_FAILED } from './exit-code.ts';
import { textTable } from './text-table.ts';

interface StreamsOptions {
  readonly json?: boolean;
  readonly url: string;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** `sluice streams`: asks a running server's API. */
export function registerStreams(program: Command): void {
  program
    .command('streams')
    .description('list the streams of a running server')
    .option('--json', "print the API's answer as JSON")
    .option('--url <url>', 'the server (environment: SLUICE_URL; its API key: SLUICE_API_KEY)', process.env['SLUICE_URL'] ?? DEFAULT_URL)
    .addHelpText('after', '\nExamples:\n  sluice streams\n  sluice streams --json --url https://media.example.org')
    .action(async (options: StreamsOptions) => {
      try {
        const streams = await fetchStreams(options.url);
        console.log(options.json === true ? JSON.stringify(streams, null, 2) : table(streams));
      } catch (error) {
        console.error(`sluice: ${explain(error, options.url)}`);
        process.exitCode = EXIT_FAILED;
      }
    });
}

async function fetchStreams(url: string): Promise<StreamResource[]> {
  const key = process.env['SLUICE_API_KEY'];
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const streams: StreamResource[] = [];
  let cursor: string | undefined;
  do {
    const address = new URL('/api/v1/streams?limit=200', url);
    if (cursor !== undefined) address.searchParams.set('cursor', cursor);
    const response = await fetch(address, { headers, signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`the server answered: ${((await response.json()) as ProblemResource).detail}`);
    const page = (await response.json()) as StreamPage;
    streams.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return streams;
}

function table(streams: readonly StreamResource[]): string {
  if (streams.length === 0) return 'No streams are live.';
  const rows = streams.map((stream) => [
    stream.path,
    stream.state,
    stream.tracks.map((track) => (track.kind === 'video' ? `${track.codec} ${track.width}x${track.height}` : track.codec)).join(' + '),
    `${(stream.bitrateBps / 1e6).toFixed(2)} Mbit/s`,
    String(stream.viewers.total),
    `${stream.uptimeSeconds} s`,
  ]);
  return textTable(['STREAM', 'STATE', 'TRACKS', 'BITRATE', 'VIEWERS', 'UPTIME'], rows);
}

function explain(error: unknown, url: string): string {
  const { name, message } = error as Error;
  if (name === 'TimeoutError') return `${url} does not answer`;
  return message === 'fetch failed' ? `no server answers at ${url}; start one with "sluice start", or name another with --url` : message;
}

import { type Command, InvalidArgumentError } from 'commander';
import { FlvViewer } from './flv-viewer.ts';
import { HlsViewer } from './hls-viewer.ts';
import { resultTable } from './load-result.ts';
import { runLoad } from './load-run.ts';
import { SyntheticPublisher } from './publisher.ts';
import { rtmpTarget } from './rtmp-client.ts';
import { RtmpViewer } from './rtmp-viewer.ts';
import { SyntheticStream } from './synthetic-stream.ts';
import type { LoadClient } from './viewer-record.ts';

const PROBES = 20;
const SEND_INTERVAL_MS = 4;
const VIEWERS_PER_SECOND = 200;

interface CommonOptions {
  readonly duration: number;
  readonly ramp?: number;
  readonly json?: boolean;
}

/** Adds `sluice load flv|hls|rtmp|publish` to the program. */
export function registerLoad(program: Command): void {
  const load = program.command('load').description('plays or publishes as many clients at once and measures what they get');
  viewerCommand(load, 'flv', 'http://HOST:8080/live/show.flv', (url, count) => {
    const target = httpUrl(url);
    return (index) => new FlvViewer(target, isProbe(index, count));
  });
  viewerCommand(load, 'hls', 'http://HOST:8080/live/show/index.m3u8', (url) => {
    const target = httpUrl(url);
    return () => new HlsViewer(target);
  });
  viewerCommand(load, 'rtmp', 'rtmp://HOST/live/show', (url, count) => {
    const target = rtmpTarget(url);
    return (index) => new RtmpViewer(target, isProbe(index, count));
  });
  publishCommand(load);
}

function viewerCommand(
  load: Command,
  kind: string,
  example: string,
  prepare: (url: string, count: number) => (index: number) => LoadClient,
): void {
  withCommonOptions(load.command(kind).argument('<url>', `e.g. ${example}`).option('--viewers <n>', 'how many viewers', positive, 1))
    .description(`plays over ${kind.toUpperCase()}`)
    .action(async (url: string, options: CommonOptions & { readonly viewers: number }) => {
      await runAndPrint(kind, url, options.viewers, options, prepare(url, options.viewers));
    });
}

function publishCommand(load: Command): void {
  withCommonOptions(
    load
      .command('publish')
      .argument('<url>', 'e.g. rtmp://HOST/live/load; with more than one publisher, -0, -1 … is added to the name')
      .option('--publishers <n>', 'how many publishers', positive, 1)
      .option('--bitrate <bps>', 'bits a second of each stream', positive, 600_000)
      .option('--frame-rate <fps>', 'frames a second', positive, 30)
      .option('--keyframe-interval <s>', 'seconds between keyframes', positive, 2),
  )
    .description('publishes synthetic H.264 and AAC over RTMP, with the time of sending in each picture')
    .action(
      async (
        url: string,
        options: CommonOptions & { publishers: number; bitrate: number; frameRate: number; keyframeInterval: number },
      ) => {
        const stream = new SyntheticStream({
          bitrateBps: options.bitrate,
          frameRate: options.frameRate,
          keyframeIntervalS: options.keyframeInterval,
        });
        const target = rtmpTarget(url);
        const [name = '', query] = target.stream.split('?');
        const publishers: SyntheticPublisher[] = [];
        const timer = setInterval(() => {
          const nowMs = performance.now();
          for (const publisher of publishers) publisher.send(nowMs);
        }, SEND_INTERVAL_MS);
        await runAndPrint('publish', url, options.publishers, options, (index) => {
          const ownName = options.publishers === 1 ? name : `${name}-${index}`;
          const publisher = new SyntheticPublisher({ ...target, stream: query === undefined ? ownName : `${ownName}?${query}` }, stream);
          publishers.push(publisher);
          return publisher;
        });
        clearInterval(timer);
      },
    );
}

function withCommonOptions(command: Command): Command {
  return command
    .option('--duration <s>', 'seconds to go on after all are started', positive, 10)
    .option('--ramp <s>', `seconds over which clients are started (default: ${VIEWERS_PER_SECOND} a second)`, notNegative)
    .option('--json', 'print the result as JSON');
}

async function runAndPrint(
  kind: string,
  url: string,
  count: number,
  options: CommonOptions,
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

// A few viewers that measure latency speak for all: every frame goes to all of them at once.
const isProbe = (index: number, count: number): boolean => index % Math.max(1, Math.floor(count / PROBES)) === 0;

function httpUrl(text: string): URL {
  const url = new URL(text);
  if (url.protocol !== 'http:') throw new InvalidArgumentError(`${text} is not an http:// URL; the load generator speaks no TLS`);
  return url;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError(`${text} is not a number above 0.`);
  return value;
}

function notNegative(text: string): number {
  return text === '0' ? 0 : positive(text);
}

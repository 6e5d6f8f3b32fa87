import { type Command, InvalidArgumentError, Option } from 'commander';
import { FlvViewer } from './flv-viewer.ts';
import { HlsViewer } from './hls-viewer.ts';
import { SyntheticPublisher } from './publisher.ts';
import { rtmpTarget } from './rtmp-client.ts';
import { RtmpViewer } from './rtmp-viewer.ts';
import { positive, type RunOptions, runAndPrint, withRunOptions } from './run-options.ts';
import { type SyntheticAudio, SyntheticStream } from './synthetic-stream.ts';
import type { LoadClient } from './viewer-record.ts';
import { registerWhep } from './whep-command.ts';

const PROBES = 20;
const SEND_INTERVAL_MS = 4;

/** Adds `sluice load flv|hls|rtmp|whep|publish` to the program. */
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
  registerWhep(load);
  publishCommand(load);
}

function viewerCommand(
  load: Command,
  kind: string,
  example: string,
  prepare: (url: string, count: number) => (index: number) => LoadClient,
): void {
  withRunOptions(load.command(kind).argument('<url>', `e.g. ${example}`).option('--viewers <n>', 'how many viewers', positive, 1))
    .description(`plays over ${kind.toUpperCase()}`)
    .action(async (url: string, options: RunOptions & { readonly viewers: number }) => {
      await runAndPrint(kind, url, options.viewers, options, prepare(url, options.viewers));
    });
}

function publishCommand(load: Command): void {
  withRunOptions(
    load
      .command('publish')
      .argument('<url>', 'e.g. rtmp://HOST/live/load; with more than one publisher, -0, -1 … is added to the name')
      .option('--publishers <n>', 'how many publishers', positive, 1)
      .option('--bitrate <bps>', 'bits a second of each stream', positive, 600_000)
      .option('--frame-rate <fps>', 'frames a second', positive, 30)
      .option('--keyframe-interval <s>', 'seconds between keyframes', positive, 2)
      .addOption(
        new Option('--audio <codec>', 'codec of the sound; WebRTC plays only Opus').choices(['aac', 'opus', 'none']).default('aac'),
      )
      .option('--keyframe-size <n>', 'how many times as large as other frames keyframes are', positive, 6)
      .option('--no-sent-time', 'leave the time of sending out of the pictures'),
  )
    .description('publishes synthetic H.264 and AAC or Opus over RTMP, with the time of sending in each picture')
    .action(
      async (
        url: string,
        options: RunOptions & {
          publishers: number;
          bitrate: number;
          frameRate: number;
          keyframeInterval: number;
          audio: SyntheticAudio;
          sentTime: boolean;
          keyframeSize: number;
        },
      ) => {
        const stream = new SyntheticStream({
          bitrateBps: options.bitrate,
          frameRate: options.frameRate,
          keyframeIntervalS: options.keyframeInterval,
          audio: options.audio,
          hasSentTime: options.sentTime,
          keyframeSize: options.keyframeSize,
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

// A few viewers that measure latency speak for all: every frame goes to all of them at once.
const isProbe = (index: number, count: number): boolean => index % Math.max(1, Math.floor(count / PROBES)) === 0;

function httpUrl(text: string): URL {
  const url = new URL(text);
  if (url.protocol !== 'http:') throw new InvalidArgumentError(`${text} is not an http:// URL; the load generator speaks no TLS`);
  return url;
}

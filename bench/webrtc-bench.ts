// What the WebRTC cases share: a server with one stream that WebRTC can play, and its counters.
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadResult, WebrtcResult } from '../src/app/load/mod.ts';
import type { ServerProcess } from '../test/fixtures/server-process.ts';
import { LOAD_CPU, untilPlayable, withServer } from './bench-server.ts';
import { LoadProcess } from './load-process.ts';

/** With RTP header, extensions and tag its packets have about 1,180 bytes each. */
export const BITRATE_BPS = 2_500_000;

export interface SourceOptions {
  readonly bitrateBps?: number;
  readonly frameRate?: number;
  /** In each picture the time of sending. It makes a small packet of its own, so it is left out where packets are counted. */
  readonly hasSentTime?: boolean;
  /** How many times as large as other frames keyframes are; default 6. */
  readonly keyframeSize?: number;
}

/** A server that gets one stream, `live/bench`, without B-frames and without sound. */
export function withSource<T>(
  options: SourceOptions,
  work: (server: ServerProcess, whepUrl: string) => Promise<T>,
  environment: Readonly<Record<string, string>> = {},
): Promise<T> {
  return withServer(async (server) => {
    const source = new LoadProcess(LOAD_CPU, [
      ...['publish', `${server.rtmpUrl}/live/bench`, '--duration', '3600', '--audio', 'none'],
      ...['--bitrate', String(options.bitrateBps ?? BITRATE_BPS), '--frame-rate', String(options.frameRate ?? 30)],
      ...['--keyframe-size', String(options.keyframeSize ?? 6)],
      ...(options.hasSentTime === true ? [] : ['--no-sent-time']),
    ]);
    try {
      await untilPlayable(`${server.httpUrl}/live/bench/index.m3u8`);
      return await work(server, `${server.httpUrl}/live/bench/whep`);
    } finally {
      await source.stop();
    }
  }, environment);
}

export interface WhepLoad {
  readonly viewers: number;
  readonly durationS: number;
  readonly rampS: number;
  readonly more?: readonly string[];
}

export const whepLoad = (url: string, { viewers, durationS, rampS, more = [] }: WhepLoad): LoadProcess =>
  new LoadProcess(LOAD_CPU, [
    ...['whep', url, '--viewers', String(viewers), '--duration', String(durationS), '--ramp', String(rampS)],
    ...more,
  ]);

/** The part of a result that a WHEP load always has. */
export function webrtcOf(result: LoadResult): WebrtcResult {
  if (result.webrtc === undefined) throw new Error('no result of a WHEP load');
  return result.webrtc;
}

export interface Sent {
  readonly packets: number;
  readonly bytes: number;
  readonly cpuS: number;
  readonly seconds: number;
}

/** What the server sent by WebRTC in `durationS` from now, and the CPU time that it took. */
export async function sentIn(server: ServerProcess, durationS: number): Promise<Sent> {
  // All from one answer: a loaded server takes its time to give it.
  const read = async (): Promise<Sent> => {
    const text = await metricsOf(server);
    return {
      packets: metricIn(text, 'sluice_webrtc_sent_packets_total'),
      bytes: metricIn(text, 'sluice_webrtc_sent_bytes_total'),
      cpuS: metricIn(text, 'process_cpu_seconds_total'),
      seconds: performance.now() / 1000,
    };
  };
  const before = await read();
  await sleep(durationS * 1000);
  const after = await read();
  return {
    packets: after.packets - before.packets,
    bytes: after.bytes - before.bytes,
    cpuS: after.cpuS - before.cpuS,
    seconds: after.seconds - before.seconds,
  };
}

/** A metric without labels. */
export async function metric(server: ServerProcess, name: string): Promise<number> {
  return metricIn(await metricsOf(server), name);
}

async function metricsOf(server: ServerProcess): Promise<string> {
  return (await fetch(`${server.httpUrl}/metrics`)).text();
}

function metricIn(text: string, name: string): number {
  const value = new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`the server has no metric ${name}`);
  return Number(value);
}

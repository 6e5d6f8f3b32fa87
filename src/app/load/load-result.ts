import { type Percentiles, percentiles, timesText } from './percentiles.ts';
import type { ViewerRecord } from './viewer-record.ts';
import { summariseWebrtc, type WebrtcResult, webrtcRows } from './webrtc-result.ts';

/** What `--json` prints. Times in ms unless the name says otherwise. */
export interface LoadResult {
  readonly kind: string;
  readonly url: string;
  readonly count: number;
  /** How many got their first keyframe; WHEP: their first media packet. */
  readonly joined: number;
  /** How many ended early. */
  readonly failed: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Seconds measured after the ramp. */
  readonly steadyS: number;
  readonly bytesPerSecond: number;
  readonly joinFirstByteMs: Percentiles | null;
  readonly joinFirstKeyframeMs: Percentiles | null;
  readonly stalls: number;
  readonly stalledClients: number;
  readonly lostFrames: number;
  /** How often publishers were asked to go on at another server, and did. */
  readonly reconnects: number;
  /** FLV and RTMP: from sent to received, only known for streams of `sluice load publish`. HLS: behind live by PROGRAM-DATE-TIME. */
  readonly latencyMs: Percentiles | null;
  /** CPU seconds of this generator per second: near 1 means that it, not the server, is the limit. */
  readonly generatorCpuShare: number;
  /** Only of WHEP. */
  readonly webrtc?: WebrtcResult;
}

interface Measured {
  readonly kind: string;
  readonly url: string;
  readonly count: number;
  readonly steadyS: number;
  readonly steadyBytes: number;
  readonly steadyPackets: number;
  readonly cpuS: number;
}

export function summarise(measured: Measured, records: readonly ViewerRecord[]): LoadResult {
  const errors: Record<string, number> = {};
  for (const { error } of records) if (error !== undefined) errors[error] = (errors[error] ?? 0) + 1;
  const joinTimes = (key: 'firstByteAtMs' | 'firstKeyframeAtMs'): number[] =>
    records.flatMap((record) => (record[key] === undefined ? [] : [record[key] - record.startedAtMs]));
  const sum = (key: 'stalls' | 'lostFrames' | 'reconnects'): number => records.reduce((total, record) => total + record[key], 0);
  const webrtc = summariseWebrtc(records, measured.steadyPackets / measured.steadyS);
  return {
    kind: measured.kind,
    url: measured.url.replace(/\?.*$/, ''),
    count: measured.count,
    joined: joinTimes(webrtc === undefined ? 'firstKeyframeAtMs' : 'firstByteAtMs').length,
    failed: records.filter(({ error }) => error !== undefined).length,
    errors,
    steadyS: Math.round(measured.steadyS * 10) / 10,
    bytesPerSecond: Math.round(measured.steadyBytes / measured.steadyS),
    joinFirstByteMs: percentiles(joinTimes('firstByteAtMs')),
    joinFirstKeyframeMs: percentiles(joinTimes('firstKeyframeAtMs')),
    stalls: sum('stalls'),
    stalledClients: records.filter(({ stalls }) => stalls > 0).length,
    lostFrames: sum('lostFrames'),
    reconnects: sum('reconnects'),
    latencyMs: percentiles(records.flatMap(({ latenciesMs }) => latenciesMs)),
    generatorCpuShare: Math.round((measured.cpuS / measured.steadyS) * 100) / 100,
    ...(webrtc === undefined ? {} : { webrtc }),
  };
}

/** The result as lines of a table for people. */
export function resultTable(result: LoadResult): string {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['clients', `${result.count} (${result.joined} joined, ${result.failed} failed)`],
    ['first media byte', timesText(result.joinFirstByteMs)],
    ['first keyframe', timesText(result.joinFirstKeyframeMs)],
    ['throughput', `${((result.bytesPerSecond * 8) / 1e6).toFixed(1)} Mbit/s over ${result.steadyS} s`],
    ['stalls', `${result.stalls} (of ${result.stalledClients} clients)`],
    ['lost frames', String(result.lostFrames)],
    ...(result.reconnects === 0 ? [] : ([['reconnects', String(result.reconnects)]] as const)),
    ['latency', timesText(result.latencyMs)],
    ...(result.webrtc === undefined ? [] : webrtcRows(result.webrtc)),
    [
      'generator',
      `${Math.round(result.generatorCpuShare * 100)} % of a core${result.generatorCpuShare > 0.9 ? ': it is the limit, not the server' : ''}`,
    ],
    ...Object.entries(result.errors).map(([error, count]) => [`error (${count}x)`, error] as const),
  ];
  return rows.map(([name, value]) => `${name.padEnd(18)}${value}`).join('\n');
}

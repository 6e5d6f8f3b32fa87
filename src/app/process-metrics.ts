import { X509Certificate } from 'node:crypto';
import { readFileSync, statfsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { MetricSource, Sample } from '../io/mod.ts';
import type { Config } from './config/mod.ts';

export interface ProcessNeeds {
  readonly config: Config;
  readonly version: string;
  readonly isReady: () => boolean;
  /** When the node's certificate in its cluster expires; undefined: it is in none. */
  readonly clusterCertificateExpiresMs: () => number | undefined;
}

/** What a node tells of itself: version, event loop, disk, certificates. CPU and memory are among the metrics of every Node.js process. */
export function processMetrics({ config, version, isReady, clusterCertificateExpiresMs }: ProcessNeeds): readonly MetricSource[] {
  const files = certificateFiles(config);
  const loop = (): number => performance.eventLoopUtilization().active / 1000;
  return [
    { name: 'sluice_build_info', kind: 'gauge', help: 'Always 1', labels: ['version'], read: () => [{ labels: { version }, value: 1 }] },
    { name: 'sluice_ready', kind: 'gauge', help: 'Whether all listeners are up', read: () => [{ value: Number(isReady()) }] },
    {
      name: 'sluice_event_loop_busy_seconds_total',
      kind: 'counter',
      help: 'Time in which the event loop was at work; at 1 a second, there is no more to be had',
      read: () => [{ value: loop() }],
    },
    {
      name: 'sluice_data_folder_free_bytes',
      kind: 'gauge',
      help: 'Free bytes of the disk that the data folder is on',
      read: () => freeBytes(config.dataFolder),
    },
    {
      name: 'sluice_certificate_expiry_timestamp_seconds',
      kind: 'gauge',
      help: "When certificates expire, as Unix time; cluster: the node's own, which is renewed by itself",
      labels: ['use'],
      read: () => {
        const clusterMs = clusterCertificateExpiresMs();
        const cluster = clusterMs === undefined ? [] : [{ labels: { use: 'cluster' }, value: clusterMs / 1000 }];
        return [...files, ...cluster];
      },
    },
  ];
}

/** As they were at the start: a new file is read when the server starts again. */
function certificateFiles({ http, rtmp }: Config): readonly Sample[] {
  return [
    { use: 'http', file: http.tls.certFile },
    { use: 'rtmp', file: rtmp.tls.certFile },
  ].flatMap(({ use, file }) => {
    const expiresMs = file === '' ? Number.NaN : expiryOf(file);
    return Number.isNaN(expiresMs) ? [] : [{ labels: { use }, value: expiresMs / 1000 }];
  });
}

/** In ms; NaN when the file cannot be read, which whoever listens with it says. */
function expiryOf(file: string): number {
  try {
    return Date.parse(new X509Certificate(readFileSync(file)).validTo);
  } catch {
    return Number.NaN;
  }
}

function freeBytes(folder: string): readonly Sample[] {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return [{ value: bavail * bsize }];
  } catch {
    // A folder that is not there (yet) has nothing to tell.
    return [];
  }
}

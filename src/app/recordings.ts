import type pino from 'pino';
import { type Operation, recordingOperations } from '../api/mod.ts';
import type { Hub } from '../hub/mod.ts';
import { type Clock, type MetricSource, RecordingAnswers, Recordings } from '../io/mod.ts';
import type { Access } from './access.ts';
import type { ClusterMember } from './cluster-member.ts';

export interface RecordingNeeds {
  readonly hub: Hub;
  readonly access: Pick<Access, 'store' | 'control' | 'usage'>;
  readonly nodeId: string;
  readonly dataFolder: string;
  /** Absent: a node on its own. */
  readonly cluster: ClusterMember | undefined;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** Records what is published at this node, as its apps say. */
export function createRecordings({
  hub,
  access: { store, control, usage },
  nodeId,
  dataFolder,
  cluster,
  clock,
  log,
}: RecordingNeeds): Recordings {
  return new Recordings({
    hub,
    store,
    nodeId,
    dataFolder,
    settingsOf: (app) => control.recordingOf(app),
    isExhausted: (app) => usage.meter.isExhausted(app, 'recordingMinutes'),
    standsBy: (path) => cluster?.standsBy(path) ?? false,
    clock,
    log,
  });
}

/** `cluster`: undefined of a node on its own. */
export function recordingApi(recordings: Recordings, ownId: string, cluster: ClusterMember | undefined): readonly Operation[] {
  const urlOf = (node: string): string | undefined => {
    if (cluster?.console.isAlive(node) !== true) return undefined;
    return [...cluster.console.nodes()].find(({ id }) => id === node)?.endpoints.http;
  };
  return recordingOperations(new RecordingAnswers(recordings, ownId, urlOf));
}

/** How recording goes on this node. */
export function recordingMetrics(recordings: Recordings): readonly MetricSource[] {
  const source = (name: string, kind: 'counter' | 'gauge', help: string, read: () => number): MetricSource => ({
    name: `sluice_recordings${name}`,
    kind,
    help,
    read: () => [{ value: read() }],
  });
  return [
    source('', 'gauge', 'Streams that are being recorded', () => recordings.stats().running),
    source('_ended_total', 'counter', 'Recordings that have ended', () => recordings.stats().ended),
    source('_failures_total', 'counter', 'Recordings that ended as the disk did not take them', () => recordings.stats().failures),
    source('_written_bytes_total', 'counter', 'Bytes written to recordings', () => recordings.stats().bytes),
  ];
}

import type pino from 'pino';
import { type Operation, RecordingLinks, recordingOperations, type ServerEvent } from '../api/mod.ts';
import type { Hub } from '../hub/mod.ts';
import { type Clock, type MetricSource, RecordingAnswers, Recordings } from '../io/mod.ts';
import { isFailure, type RecordingRecord } from '../recording/mod.ts';
import type { Access } from './access.ts';
import type { ClusterMember } from './cluster-member.ts';

export interface RecordingNeeds {
  readonly hub: Hub;
  readonly access: Pick<Access, 'store' | 'control' | 'usage'>;
  readonly nodeId: string;
  readonly dataFolder: string;
  /** Absent: a node on its own. */
  readonly cluster: ClusterMember | undefined;
  /** Told what happens to the recordings of this node. */
  readonly happened: (event: ServerEvent) => void;
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
  happened,
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
    told: (record) => happened(eventOf(record)),
    clock,
    log,
  });
}

/** A recording begins, or it has ended: as a failure where the disk did not take it. */
function eventOf({ id, app, stream, node, startedAtMs, endedAtMs, durationMs, sizeBytes, end }: RecordingRecord): ServerEvent {
  const data = { path: `${app}/${stream}`, node, recording: id, file: `/api/v1/recordings/${id}/file`, startedAt: isoTime(startedAtMs) };
  if (end === undefined) return { type: 'recording.started', data };
  const endedAt = isoTime(endedAtMs ?? startedAtMs + durationMs);
  return {
    type: isFailure(end) ? 'recording.failed' : 'recording.ended',
    data: { ...data, endedAt, durationSeconds: durationMs / 1000, sizeBytes, reason: end },
  };
}

const isoTime = (ms: number): string => new Date(ms).toISOString();

export interface RecordingApiNeeds {
  readonly recordings: Recordings;
  readonly ownId: string;
  /** Undefined of a node on its own. */
  readonly cluster: ClusterMember | undefined;
  /** What links from node to node are signed with. */
  readonly secrets: () => readonly Uint8Array[];
  readonly wall: () => number;
}

export function recordingApi({ recordings, ownId, cluster, secrets, wall }: RecordingApiNeeds): readonly Operation[] {
  const urlOf = (node: string): string | undefined => {
    if (cluster?.console.isAlive(node) !== true) return undefined;
    return [...cluster.console.nodes()].find(({ id }) => id === node)?.endpoints.http;
  };
  return recordingOperations(new RecordingAnswers(recordings, ownId, urlOf, new RecordingLinks({ secrets, wall })));
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

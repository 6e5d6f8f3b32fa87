import { decodeVersioned, encodeVersioned, isName, readCount, readText, type UnknownFields } from '../core/mod.ts';

/** What an app has used in a month. */
export interface MonthCounters {
  /** Of rungs that were made, all together. */
  readonly transcodeMs: number;
  /** Of files that were written, all together. */
  readonly recordingMs: number;
  /** From publishers. */
  readonly bytesIn: number;
  /** To viewers. */
  readonly bytesOut: number;
  readonly viewerMs: number;
}

export const NO_COUNTERS: MonthCounters = { transcodeMs: 0, recordingMs: 0, bytesIn: 0, bytesOut: 0, viewerMs: 0 };

export const addCounters = (a: MonthCounters, b: MonthCounters): MonthCounters => ({
  transcodeMs: a.transcodeMs + b.transcodeMs,
  recordingMs: a.recordingMs + b.recordingMs,
  bytesIn: a.bytesIn + b.bytesIn,
  bytesOut: a.bytesOut + b.bytesOut,
  viewerMs: a.viewerMs + b.viewerMs,
});

export type CountersByApp = ReadonlyMap<string, MonthCounters>;

/** What one run of a node's process has counted. */
interface RunCounters {
  readonly id: string;
  readonly apps: CountersByApp;
}

/**
 * What one node has counted in a month, of some of the apps: under `usage/YYYY-MM/NODE/SHARD`. Each run of its process has a total of its own, which it
 * writes again and again: so a write that may or may not have happened is just made again.
 */
export interface MonthRecord {
  readonly v: 1;
  /** Of runs that are long over. */
  readonly base: CountersByApp;
  /** The oldest first. */
  readonly runs: readonly RunCounters[];
}

/** The process that is ending, the one that begins, and one more. */
const RUNS_MAX = 3;
const APPS_MAX = 10_000;
export const NO_MONTH_RECORD: MonthRecord = { v: 1, base: new Map(), runs: [] };

/** The record with what a run has counted until now, instead of what it had said before. */
export function withRun(record: MonthRecord, id: string, apps: CountersByApp): MonthRecord {
  const isKnown = record.runs.some((run) => run.id === id);
  const runs = isKnown ? record.runs.map((run) => (run.id === id ? { id, apps } : run)) : [...record.runs, { id, apps }];
  let { base } = record;
  for (const over of runs.slice(0, -RUNS_MAX)) base = merged(base, over.apps);
  return { v: 1, base, runs: runs.slice(-RUNS_MAX) };
}

/** What all its runs have counted of an app; `butRun` is left out. */
export function countersOf({ base, runs }: MonthRecord, app: string, butRun?: string): MonthCounters {
  let sum = base.get(app) ?? NO_COUNTERS;
  for (const { id, apps } of runs) if (id !== butRun) sum = addCounters(sum, apps.get(app) ?? NO_COUNTERS);
  return sum;
}

export function encodeMonthRecord({ base, runs }: MonthRecord): Uint8Array {
  return encodeVersioned({ v: 1, base: rowsOf(base), runs: runs.map(({ id, apps }) => ({ id, apps: rowsOf(apps) })) });
}

/** Reads borrowed bytes; undefined for what is none. */
export function decodeMonthRecord(bytes: Uint8Array): MonthRecord | undefined {
  const fields = decodeVersioned(bytes);
  const runs = fields?.['runs'];
  if (fields === undefined || !Array.isArray(runs)) return undefined;
  const read = runs.slice(0, RUNS_MAX).map(readRun);
  return { v: 1, base: readRows(fields['base']), runs: read.filter((run) => run !== undefined) };
}

function merged(a: CountersByApp, b: CountersByApp): CountersByApp {
  const sum = new Map(a);
  for (const [app, counters] of b) sum.set(app, addCounters(sum.get(app) ?? NO_COUNTERS, counters));
  return sum;
}

const rowsOf = (apps: CountersByApp): readonly unknown[] =>
  Array.from(apps, ([app, { transcodeMs, bytesIn, bytesOut, viewerMs, recordingMs }]) => [
    app,
    Math.round(transcodeMs),
    Math.round(bytesIn),
    Math.round(bytesOut),
    Math.round(viewerMs),
    Math.round(recordingMs),
  ]);

function readRun(value: unknown): RunCounters | undefined {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as UnknownFields;
  const id = readText(fields['id'], 64);
  return id === undefined ? undefined : { id, apps: readRows(fields['apps']) };
}

function readRows(value: unknown): CountersByApp {
  const apps = new Map<string, MonthCounters>();
  for (const row of Array.isArray(value) ? value.slice(0, APPS_MAX) : []) {
    if (!Array.isArray(row)) continue;
    const [name, ...rest] = row as readonly unknown[];
    const app = readText(name, 64);
    const [transcodeMs = 0, bytesIn = 0, bytesOut = 0, viewerMs = 0, recordingMs = 0] = rest.map((amount) => readCount(amount) ?? 0);
    if (app === undefined || !isName(app)) continue;
    apps.set(app, { transcodeMs, recordingMs, bytesIn, bytesOut, viewerMs });
  }
  return apps;
}

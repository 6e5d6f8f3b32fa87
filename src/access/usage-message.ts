import { decodeVersioned, encodeVersioned, isName, readAmount, readCount, readText } from '../core/mod.ts';
import type { AppFigures } from './app-figures.ts';

/** A part of what a node says of the apps that have anything on it, under `usage/NODE`. All parts of one `count` are the whole. */
export interface UsageMessage {
  readonly v: 1;
  readonly node: string;
  /** Of its first part; each part is one more. Grows with each round. */
  readonly count: number;
  readonly part: number;
  readonly parts: number;
  /** After how long the next round comes. */
  readonly everyMs: number;
  readonly apps: readonly (readonly [app: string, figures: AppFigures])[];
}

export const USAGE_SUBJECTS = 'usage/*';
export const usageSubject = (node: string): string => `usage/${node}`;

/** At most 150 bytes each: far from what a message of the bus may have. */
const APPS_A_PART_MAX = 1_000;
export const USAGE_PARTS_MAX = 16;
const EVERY_MS_MAX = 600_000;

type Row = readonly [app: string, streams: number, viewers: number, inBps: number, outBps: number, newestMs: number];

/** One round in as many messages as it takes; of more than 16,000 apps the rest is left out. */
export function usageMessages(
  node: string,
  count: number,
  everyMs: number,
  apps: readonly (readonly [string, AppFigures])[],
): readonly Uint8Array[] {
  const parts = Math.min(USAGE_PARTS_MAX, Math.max(1, Math.ceil(apps.length / APPS_A_PART_MAX)));
  return Array.from({ length: parts }, (_, part) => {
    const rows = apps.slice(part * APPS_A_PART_MAX, (part + 1) * APPS_A_PART_MAX).map(rowOf);
    return encodeVersioned({ v: 1, node, count, part, parts, everyMs, apps: rows });
  });
}

const rowOf = ([app, { streams, viewers, bitrateInBps, bitrateOutBps, newestStreamMs }]: readonly [string, AppFigures]): Row => [
  app,
  streams,
  viewers,
  Math.round(bitrateInBps),
  Math.round(bitrateOutBps),
  newestStreamMs,
];

/** Reads borrowed bytes; undefined for what is none. */
export function decodeUsageMessage(bytes: Uint8Array): UsageMessage | undefined {
  const fields = decodeVersioned(bytes);
  const node = readText(fields?.['node'], 64);
  const [count, part, parts] = [readCount(fields?.['count']), readCount(fields?.['part']), readCount(fields?.['parts'])];
  const everyMs = readAmount(fields?.['everyMs']);
  const apps = fields?.['apps'];
  if (node === undefined || !isName(node) || everyMs === undefined || everyMs > EVERY_MS_MAX || !Array.isArray(apps)) return undefined;
  if (count === undefined || part === undefined || parts === undefined || part >= parts || parts > USAGE_PARTS_MAX) return undefined;
  const rows = apps.slice(0, APPS_A_PART_MAX).map(readRow);
  return { v: 1, node, count, part, parts, everyMs, apps: rows.filter((row) => row !== undefined) };
}

function readRow(row: unknown): readonly [string, AppFigures] | undefined {
  if (!Array.isArray(row)) return undefined;
  const [name, ...rest] = row as readonly unknown[];
  const app = readText(name, 64);
  const [streams, viewers, bitrateInBps, bitrateOutBps, newestStreamMs] = rest.map(readCount);
  if (app === undefined || !isName(app) || streams === undefined || viewers === undefined) return undefined;
  if (bitrateInBps === undefined || bitrateOutBps === undefined || newestStreamMs === undefined) return undefined;
  return [app, { streams, viewers, bitrateInBps, bitrateOutBps, newestStreamMs }];
}

import { isName } from '../core/mod.ts';
import { decodeVersioned, encodeVersioned, readAmount, readCount, readText, type UnknownFields } from './versioned-json.ts';

/** Prefix of the claim of the manager that allocates transcoding. */
export const ALLOCATION_PREFIX = 'allocation/';
export const ALLOCATION_LEADER = 'leader';
export const ALLOCATION_REPORTS = 'allocation/reports/*';
export const allocationReport = (node: string): string => `allocation/reports/${node}`;
export const allocationOrders = (node: string): string => `allocation/orders/${node}`;
/** To all nodes: who allocates, what it decided anew, and how the pool stands. */
export const ALLOCATION_NEWS = 'allocation/news';
/** To all nodes: whoever allocates knows nothing yet. */
export const ALLOCATION_ASK = 'allocation/ask';

/** A rung that is watched on a node. */
export interface WatchedRung {
  /** `app/name`. */
  readonly stream: string;
  readonly rung: string;
  /** Counted on that node alone. */
  readonly viewers: number;
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** 0: not known. */
  readonly frameRate: number;
}

/** Who watches a stream on a node: its source, and all its rungs. */
export interface StreamAudience {
  /** `app/name`. */
  readonly stream: string;
  /** Counted on that node alone. */
  readonly viewers: number;
}

/** What a node can make for others. */
export interface TranscodeOffer {
  readonly tasksMax: number;
  /** CPU seconds a second. */
  readonly cpuMax: number;
  /** By shape of rung. */
  readonly costs: Readonly<Record<string, number>>;
  readonly hardwareCodecs: readonly string[];
}

/** What a node says each second, and when it changes. */
export interface AllocationReport {
  readonly v: 1;
  readonly node: string;
  readonly incarnation: number;
  readonly offer: TranscodeOffer | undefined;
  readonly watched: readonly WatchedRung[];
  /** Of streams that have rungs, also where nobody watches one; none while no rule asks for them. */
  readonly audiences: readonly StreamAudience[];
}

/** What was decided about a rung. */
export interface RungOrder {
  readonly stream: string;
  readonly rung: string;
  /** Undefined: it is not made. */
  readonly node: string | undefined;
  readonly reason: string;
  readonly message: string;
}

/** What a node is told: where the rungs of its streams are made, and which rungs it makes itself. */
export interface AllocationOrders {
  readonly v: 1;
  /** Of the claim by which this was decided: older ones are void. */
  readonly epoch: number;
  readonly rungs: readonly RungOrder[];
}

/** A decision as it is kept for operators. */
export interface AllocationNote extends RungOrder {
  readonly atWallMs: number;
  readonly epoch: number;
  readonly viewers: number;
  /** Viewers times weight. */
  readonly score: number;
}

/** A transcode node as the allocation sees it. */
export interface AllocationNodeNote {
  readonly node: string;
  readonly state: string;
  readonly tasks: number;
  readonly tasksMax: number;
}

export interface AllocationNews {
  readonly v: 1;
  readonly epoch: number;
  readonly leader: string;
  readonly decided: readonly AllocationNote[];
  /** Undefined in messages that only say that somebody allocates. */
  readonly pool: { readonly nodes: readonly AllocationNodeNote[]; readonly waiting: number } | undefined;
}

/** Messages stay below what the bus takes; what is left out is placed by its origin. */
const BYTES_MAX = 200_000;
/** Some thousand streams. Those with the most viewers come first: rules are for these. */
const AUDIENCE_BYTES_MAX = 40_000;
const ENTRY_OVERHEAD = 16;
const TEXT_LENGTH_MAX = 512;
const COSTS_MAX = 64;
const CODECS_MAX = 16;
const NODES_MAX = 1_000;

export const encodeAllocationReport = (report: AllocationReport): Uint8Array =>
  encodeVersioned({
    ...report,
    watched: bounded(report.watched.map((w) => [w.stream, w.rung, w.viewers, w.kind, w.codec, w.width, w.height, w.frameRate])),
    audiences: bounded(
      report.audiences.toSorted((left, right) => right.viewers - left.viewers).map(({ stream, viewers }) => [stream, viewers]),
      AUDIENCE_BYTES_MAX,
    ),
  });
export const encodeAllocationOrders = (orders: AllocationOrders): Uint8Array =>
  encodeVersioned({ ...orders, rungs: bounded(orders.rungs.map(orderRow)) });
export const encodeAllocationNews = (news: AllocationNews): Uint8Array =>
  encodeVersioned({
    ...news,
    decided: bounded(news.decided.map((note) => [...orderRow(note), note.atWallMs, note.epoch, note.viewers, note.score])),
  });

const orderRow = ({ stream, rung, node, reason, message }: RungOrder): readonly (string | number)[] => [
  stream,
  rung,
  node ?? '',
  reason,
  message,
];

function bounded<Row extends readonly (string | number)[]>(rows: readonly Row[], bytesMax: number = BYTES_MAX): readonly Row[] {
  let bytes = 0;
  const end = rows.findIndex((row) => {
    for (const cell of row) bytes += typeof cell === 'string' ? cell.length + 3 : ENTRY_OVERHEAD;
    return bytes > bytesMax;
  });
  return end < 0 ? rows : rows.slice(0, end);
}

/** Reads borrowed bytes; undefined for what is no report. */
export function decodeAllocationReport(bytes: Uint8Array): AllocationReport | undefined {
  const fields = decodeVersioned(bytes);
  const node = readText(fields?.['node'], TEXT_LENGTH_MAX);
  const incarnation = readCount(fields?.['incarnation']);
  if (fields === undefined || node === undefined || !isName(node) || incarnation === undefined) return undefined;
  return {
    v: 1,
    node,
    incarnation,
    offer: readOffer(fields['offer']),
    watched: rows(fields['watched']).flatMap((row) => readWatched(row) ?? []),
    audiences: rows(fields['audiences']).flatMap((row) => readAudience(row) ?? []),
  };
}

/** Reads borrowed bytes; undefined for what are no orders. */
export function decodeAllocationOrders(bytes: Uint8Array): AllocationOrders | undefined {
  const fields = decodeVersioned(bytes);
  const epoch = readCount(fields?.['epoch']);
  if (fields === undefined || epoch === undefined) return undefined;
  return { v: 1, epoch, rungs: rows(fields['rungs']).flatMap((row) => readOrder(row) ?? []) };
}

/** Reads borrowed bytes; undefined for what is no news. */
export function decodeAllocationNews(bytes: Uint8Array): AllocationNews | undefined {
  const fields = decodeVersioned(bytes);
  const epoch = readCount(fields?.['epoch']);
  const leader = readText(fields?.['leader'], TEXT_LENGTH_MAX);
  if (fields === undefined || epoch === undefined || leader === undefined) return undefined;
  return { v: 1, epoch, leader, decided: rows(fields['decided']).flatMap((row) => readNote(row) ?? []), pool: readPool(fields['pool']) };
}

const rows = (value: unknown): readonly (readonly unknown[])[] => (Array.isArray(value) ? value.filter((row) => Array.isArray(row)) : []);
const objectOf = (value: unknown): UnknownFields => (typeof value === 'object' && value !== null ? (value as UnknownFields) : {});

function readOffer(value: unknown): TranscodeOffer | undefined {
  const fields = objectOf(value);
  const tasksMax = readCount(fields['tasksMax']);
  if (tasksMax === undefined) return undefined;
  const codecs: readonly unknown[] = Array.isArray(fields['hardwareCodecs']) ? fields['hardwareCodecs'] : [];
  const costs = Object.entries(objectOf(fields['costs'])).slice(0, COSTS_MAX);
  return {
    tasksMax,
    cpuMax: readAmount(fields['cpuMax']) ?? tasksMax,
    costs: Object.fromEntries(costs.filter((cost): cost is [string, number] => readAmount(cost[1]) !== undefined)),
    hardwareCodecs: codecs.slice(0, CODECS_MAX).flatMap((codec) => readText(codec, TEXT_LENGTH_MAX) ?? []),
  };
}

function readWatched([stream, rung, viewers, kind, codec, width, height, frameRate]: readonly unknown[]): WatchedRung | undefined {
  const key = readKey(stream, rung);
  const codecRead = readText(codec, TEXT_LENGTH_MAX);
  const figures = [viewers, width, height, frameRate].map(readAmount);
  const [count, w, h, rate] = figures;
  if (key === undefined || codecRead === undefined || count === undefined || w === undefined || h === undefined || rate === undefined) {
    return undefined;
  }
  return { ...key, viewers: count, kind: kind === 'audio' ? 'audio' : 'video', codec: codecRead, width: w, height: h, frameRate: rate };
}

function readAudience([stream, viewers]: readonly unknown[]): StreamAudience | undefined {
  const path = readText(stream, TEXT_LENGTH_MAX);
  const count = readAmount(viewers);
  return path === undefined || !path.includes('/') || count === undefined ? undefined : { stream: path, viewers: count };
}

function readOrder([stream, rung, node, reason, message]: readonly unknown[]): RungOrder | undefined {
  const key = readKey(stream, rung);
  const at = readText(node, TEXT_LENGTH_MAX);
  const why = readText(reason, TEXT_LENGTH_MAX);
  if (key === undefined || at === undefined || why === undefined) return undefined;
  return { ...key, node: at === '' ? undefined : at, reason: why, message: readText(message, TEXT_LENGTH_MAX) ?? '' };
}

function readNote(row: readonly unknown[]): AllocationNote | undefined {
  const order = readOrder(row);
  const [atWallMs, epoch, viewers, score] = row.slice(5).map(readAmount);
  if (order === undefined || atWallMs === undefined || epoch === undefined) return undefined;
  return { ...order, atWallMs, epoch, viewers: viewers ?? 0, score: score ?? 0 };
}

function readPool(value: unknown): AllocationNews['pool'] {
  const fields = objectOf(value);
  const nodes: readonly unknown[] | undefined = Array.isArray(fields['nodes']) ? fields['nodes'] : undefined;
  if (nodes === undefined) return undefined;
  return {
    nodes: nodes.slice(0, NODES_MAX).flatMap((each) => {
      const { node, state, tasks, tasksMax } = objectOf(each);
      const id = readText(node, TEXT_LENGTH_MAX);
      if (id === undefined) return [];
      return { node: id, state: readText(state, TEXT_LENGTH_MAX) ?? '', tasks: readCount(tasks) ?? 0, tasksMax: readCount(tasksMax) ?? 0 };
    }),
    waiting: readCount(fields['waiting']) ?? 0,
  };
}

function readKey(stream: unknown, rung: unknown): { readonly stream: string; readonly rung: string } | undefined {
  const path = readText(stream, TEXT_LENGTH_MAX);
  const name = readText(rung, TEXT_LENGTH_MAX);
  return path === undefined || name === undefined || !path.includes('/') ? undefined : { stream: path, rung: name };
}

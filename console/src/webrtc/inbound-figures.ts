import { codecOf, growth, numberIn, roundTripMs, type StatsEntry } from './stats-entry.ts';

/** What a viewer's connection measures; whatever is not known is left out. Times in milliseconds, ratios in [0, 1]. */
export interface InboundFigures {
  readonly roundTripMs?: number;
  /** Packets that never came, out of those that should have, over the last interval. */
  readonly lossRatio?: number;
  /** Of the picture; of the sound where there is no picture. */
  readonly jitterMs?: number;
  /** How long media waited in the jitter buffer, on average over the last interval. */
  readonly jitterBufferMs?: number;
  readonly bitrateBps?: number;
  readonly framesPerSecond?: number;
  /** Times the picture stood still noticeably, as the browser counts them. */
  readonly freezes?: number;
  /** `H264, opus`. */
  readonly codecs?: string;
  /** Grows as long as anything arrives that can be shown or heard. */
  readonly received: number;
}

/** Counters at one moment, for the next moment's rates. */
export interface InboundSample {
  readonly atMs: number;
  readonly entries: readonly StatsEntry[];
}

/** Figures of `now`, with rates since `before`. */
export function inboundFigures(now: InboundSample, before: InboundSample | undefined): InboundFigures {
  const { entries } = now;
  const streams = inbound(entries);
  const video = streams.find(({ kind }) => kind === 'video');
  const audio = streams.find(({ kind }) => kind === 'audio');
  const lead = video ?? audio;
  const leadBefore = before && lead ? before.entries.find(({ id }) => id === lead['id']) : undefined;
  const codecs = [video, audio].map((stream) => codecOf(entries, stream)).filter((codec) => codec !== undefined);
  return defined({
    roundTripMs: roundTripMs(entries),
    lossRatio: lossRatio(streams, before),
    jitterMs: thousandfold(numberIn(lead, 'jitter')),
    jitterBufferMs: waitMs(lead, leadBefore),
    bitrateBps: bitrateBps(now, before),
    framesPerSecond: numberIn(video, 'framesPerSecond'),
    freezes: numberIn(video, 'freezeCount'),
    codecs: codecs.length > 0 ? codecs.join(', ') : undefined,
    received: (video ? numberIn(video, 'framesDecoded') : numberIn(audio, 'packetsReceived')) ?? 0,
  });
}

const inbound = (entries: readonly StatsEntry[]): readonly StatsEntry[] => entries.filter(({ type }) => type === 'inbound-rtp');

const thousandfold = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1000);

function sum(streams: readonly StatsEntry[], name: string): number {
  return streams.reduce((total, stream) => total + (numberIn(stream, name) ?? 0), 0);
}

function lossRatio(streams: readonly StatsEntry[], before: InboundSample | undefined): number | undefined {
  if (!before || streams.length === 0) return undefined;
  const earlier = inbound(before.entries);
  const received = sum(streams, 'packetsReceived') - sum(earlier, 'packetsReceived');
  // The count goes down when a packet given up as lost arrives after all.
  const lost = Math.max(0, sum(streams, 'packetsLost') - sum(earlier, 'packetsLost'));
  return received + lost > 0 ? Math.min(1, lost / (received + lost)) : undefined;
}

function bitrateBps(now: InboundSample, before: InboundSample | undefined): number | undefined {
  if (!before || now.atMs <= before.atMs) return undefined;
  const bytes = growth(sum(inbound(now.entries), 'bytesReceived'), sum(inbound(before.entries), 'bytesReceived'));
  return bytes === undefined ? undefined : (bytes * 8000) / (now.atMs - before.atMs);
}

function waitMs(now: StatsEntry | undefined, before: StatsEntry | undefined): number | undefined {
  const delay = growth(numberIn(now, 'jitterBufferDelay'), numberIn(before, 'jitterBufferDelay'));
  const emitted = growth(numberIn(now, 'jitterBufferEmittedCount'), numberIn(before, 'jitterBufferEmittedCount'));
  return delay === undefined || !emitted ? undefined : (delay / emitted) * 1000;
}

type Undefinable<T> = { [K in keyof T]: T[K] | undefined };

function defined<T extends object>(value: Undefinable<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}

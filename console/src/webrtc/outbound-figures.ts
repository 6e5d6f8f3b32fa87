import { codecOf, growth, numberIn, roundTripMs, type StatsEntry, textIn } from './stats-entry.ts';

/** One encoding that is sent; a publisher without simulcast has one, with no name. */
export interface LayerFigures {
  readonly rid: string;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly framesPerSecond: number | undefined;
  readonly bitrateBps: number | undefined;
}

/** What a publisher's connection measures; times in milliseconds, ratios in [0, 1]. */
export interface OutboundFigures {
  /** Of everything that is sent, sound included. */
  readonly bitrateBps: number | undefined;
  readonly framesPerSecond: number | undefined;
  readonly framesSent: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly rttMs: number | undefined;
  /** As the server last reported it. */
  readonly lossRatio: number | undefined;
  /** What keeps the picture below what was asked for: `none`, `cpu`, `bandwidth`, `other`. */
  readonly limitation: string | undefined;
  readonly codecs: string | undefined;
  /** Largest picture first. */
  readonly layers: readonly LayerFigures[];
}

/** Before anything is sent. */
export const NO_OUTBOUND: OutboundFigures = {
  bitrateBps: undefined,
  framesPerSecond: undefined,
  framesSent: 0,
  width: undefined,
  height: undefined,
  rttMs: undefined,
  lossRatio: undefined,
  limitation: undefined,
  codecs: undefined,
  layers: [],
};

/** Counters at one moment, for the next moment's rates. */
export interface OutboundSample {
  readonly atMs: number;
  readonly entries: readonly StatsEntry[];
}

/** Figures of `now`, with rates since `before`. */
export function outboundFigures(now: OutboundSample, before: OutboundSample | undefined): OutboundFigures {
  const { entries } = now;
  const sent = outbound(entries);
  const video = sent.filter(({ kind }) => kind === 'video').toSorted((left, right) => widthOf(right) - widthOf(left));
  const audio = sent.find(({ kind }) => kind === 'audio');
  // A layer that the encoder has switched off says nothing about the picture.
  const [largest] = [...video.filter((entry) => (numberIn(entry, 'framesPerSecond') ?? 0) > 0), ...video];
  const codecs = [largest, audio].map((entry) => codecOf(entries, entry)).filter((codec) => codec !== undefined);
  return {
    bitrateBps: bitrateBps(sent, now, before),
    framesPerSecond: numberIn(largest, 'framesPerSecond'),
    framesSent: numberIn(largest, 'framesSent') ?? 0,
    width: numberIn(largest, 'frameWidth'),
    height: numberIn(largest, 'frameHeight'),
    rttMs: roundTripMs(entries),
    lossRatio: lossRatio(entries),
    limitation: textIn(largest, 'qualityLimitationReason'),
    codecs: codecs.length > 0 ? codecs.join(', ') : undefined,
    layers: video.map((entry) => ({
      rid: textIn(entry, 'rid') ?? '',
      width: numberIn(entry, 'frameWidth'),
      height: numberIn(entry, 'frameHeight'),
      framesPerSecond: numberIn(entry, 'framesPerSecond'),
      bitrateBps: bitrateBps([entry], now, before),
    })),
  };
}

const outbound = (entries: readonly StatsEntry[]): readonly StatsEntry[] => entries.filter(({ type }) => type === 'outbound-rtp');

const widthOf = (entry: StatsEntry): number => numberIn(entry, 'frameWidth') ?? 0;

function bitrateBps(sent: readonly StatsEntry[], now: OutboundSample, before: OutboundSample | undefined): number | undefined {
  if (!before || now.atMs <= before.atMs) return undefined;
  const bytes = sent.map((entry) => {
    const earlier = before.entries.find(({ id }) => id === entry['id']);
    return growth(numberIn(entry, 'bytesSent'), numberIn(earlier, 'bytesSent') ?? 0) ?? 0;
  });
  return (bytes.reduce((total, each) => total + each, 0) * 8000) / (now.atMs - before.atMs);
}

function lossRatio(entries: readonly StatsEntry[]): number | undefined {
  const told = entries.filter(({ type }) => type === 'remote-inbound-rtp').map((entry) => numberIn(entry, 'fractionLost'));
  const known = told.filter((ratio) => ratio !== undefined);
  return known.length > 0 ? Math.max(...known) : undefined;
}

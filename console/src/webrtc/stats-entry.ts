/** One entry of an RTCStatsReport, read with care: browsers differ in what they tell (https://w3c.github.io/webrtc-stats). */
export type StatsEntry = Readonly<Record<string, unknown>>;

/** The number of that name, or `undefined`. */
export function numberIn(entry: StatsEntry | undefined, name: string): number | undefined {
  const value = entry?.[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The text of that name, or `undefined`. */
export function textIn(entry: StatsEntry | undefined, name: string): string | undefined {
  const value = entry?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The entries of a report, in no particular order. */
export function entriesOf(report: RTCStatsReport): readonly StatsEntry[] {
  const entries: StatsEntry[] = [];
  report.forEach((entry: StatsEntry) => {
    entries.push(entry);
  });
  return entries;
}

/** Round trip on the path in use, from the checks of ICE; seconds become milliseconds. */
export function roundTripMs(entries: readonly StatsEntry[]): number | undefined {
  const transport = entries.find((entry) => entry['type'] === 'transport');
  const chosen = textIn(transport, 'selectedCandidatePairId');
  const pairs = entries.filter((entry) => entry['type'] === 'candidate-pair');
  const pair = pairs.find(({ id, selected }) => id === chosen || selected === true) ?? pairs.find(({ nominated }) => nominated === true);
  const seconds = numberIn(pair, 'currentRoundTripTime');
  return seconds === undefined ? undefined : seconds * 1000;
}

/** `H264`, `opus`: the codec that `entry` refers to, without its kind. */
export function codecOf(entries: readonly StatsEntry[], entry: StatsEntry | undefined): string | undefined {
  const codec = entries.find(({ id, type }) => type === 'codec' && id === entry?.['codecId']);
  return textIn(codec, 'mimeType')?.replace(/^(audio|video)\//, '');
}

/** Growth of a counter since `before`, never below zero; `undefined` where either is missing. */
export function growth(now: number | undefined, before: number | undefined): number | undefined {
  return now === undefined || before === undefined ? undefined : Math.max(0, now - before);
}

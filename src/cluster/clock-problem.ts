import type { MemberView, RegionRoster } from './region-roster.ts';

const CLOCK_OFF_MS_MAX = 60_000;

/** What an operator should know of a machine's wall clock, by how much those of others are ahead of it: most of them say whose is wrong. */
export function clockProblem(offsetsMs: readonly number[]): string | undefined {
  const sorted = offsetsMs.toSorted((left, right) => left - right);
  const median = sorted[(sorted.length - 1) >> 1] ?? 0;
  if (Math.abs(median) <= CLOCK_OFF_MS_MAX) return undefined;
  const by = `${Math.round(Math.abs(median) / 1000)} s ${median > 0 ? 'behind' : 'ahead of'}`;
  return `the clock of this machine is ${by} that of most nodes: run an NTP client; certificates and tokens go by the clock`;
}

/** By how much others' clocks are ahead: of the nodes whose heartbeats are heard, by id, and of those who speak for the others of these regions. */
export function clockOffsets(views: ReadonlyMap<string, MemberView>, rosters: readonly RegionRoster[]): readonly number[] {
  const offsets: number[] = [];
  for (const { heardOffsetMs, isStale } of views.values()) if (heardOffsetMs !== undefined && !isStale) offsets.push(heardOffsetMs);
  for (const { clockOffsetMs, speaker = '' } of rosters)
    if (clockOffsetMs !== undefined && views.get(speaker)?.isStale !== true) offsets.push(clockOffsetMs);
  return offsets;
}

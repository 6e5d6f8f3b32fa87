const CLOCK_OFF_MS_MAX = 60_000;

/** What an operator should know of a machine's wall clock, by how much those of others are ahead of it: most of them say whose is wrong. */
export function clockProblem(offsetsMs: readonly number[]): string | undefined {
  const sorted = offsetsMs.toSorted((left, right) => left - right);
  const median = sorted[(sorted.length - 1) >> 1] ?? 0;
  if (Math.abs(median) <= CLOCK_OFF_MS_MAX) return undefined;
  const by = `${Math.round(Math.abs(median) / 1000)} s ${median > 0 ? 'behind' : 'ahead of'}`;
  return `the clock of this machine is ${by} that of most nodes: run an NTP client; certificates and tokens go by the clock`;
}

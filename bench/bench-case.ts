/** One row of the table. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The bar, and on which side of it is good; absent: for information. */
  readonly bar?: { readonly atLeast: number } | { readonly atMost: number } | undefined;
  /** Everything needed to judge the value: load, CPU share, percentiles. */
  readonly note: string;
}

export interface BenchCase {
  readonly name: string;
  run(): Promise<readonly BenchRow[]>;
}

/** Undefined where there is no bar. */
export function isMet({ value, bar }: BenchRow): boolean | undefined {
  if (bar === undefined) return undefined;
  return 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost;
}

export function barText({ bar }: BenchRow): string {
  if (bar === undefined) return '–';
  return 'atLeast' in bar ? `≥ ${bar.atLeast.toLocaleString('en')}` : `≤ ${bar.atMost.toLocaleString('en')}`;
}

/** Of an even number of values the upper one of the two in the middle. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** One row of the table. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The bar, and on which side of it is good. */
  readonly bar: { readonly atLeast: number } | { readonly atMost: number };
  /** Everything needed to judge the value: load, CPU share, percentiles. */
  readonly note: string;
}

export interface BenchCase {
  readonly name: string;
  run(): Promise<readonly BenchRow[]>;
}

export const isMet = ({ value, bar }: BenchRow): boolean => ('atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost);
export const barText = ({ bar }: BenchRow): string =>
  'atLeast' in bar ? `≥ ${bar.atLeast.toLocaleString('en')}` : `≤ ${bar.atMost.toLocaleString('en')}`;

/** Of an even number of values the upper one of the two in the middle. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

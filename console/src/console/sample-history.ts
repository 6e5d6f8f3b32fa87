import type { HistoryColumns } from './overview-history.ts';

/** Figures over the last minutes, kept while a page is open; the oldest go. */
export class SampleHistory<Name extends string> {
  private readonly spanS: number;
  private readonly times: number[] = [];
  private readonly lines: ReadonlyMap<Name, number[]>;

  constructor(names: readonly Name[], spanS: number) {
    this.spanS = spanS;
    this.lines = new Map(names.map((name) => [name, []]));
  }

  /** `atS`: Unix seconds. What is not newer than the last sample is left out. */
  add(atS: number, sample: Readonly<Record<Name, number>>): void {
    const last = this.times.at(-1);
    if (last !== undefined && atS <= last) return;
    this.times.push(atS);
    for (const [name, line] of this.lines) line.push(sample[name]);
    while ((this.times[0] ?? atS) < atS - this.spanS) {
      this.times.shift();
      for (const line of this.lines.values()) line.shift();
    }
  }

  /** Of one chart with these lines. */
  columns(...names: readonly Name[]): HistoryColumns {
    return [[...this.times], ...names.map((name) => [...(this.lines.get(name) ?? [])])];
  }
}

import { type HistogramValue, LATENCY_BOUNDS_S } from './latency-histogram.ts';

/** So many lines are written to the buffer at a time: strings live for so long, and no longer. */
const LINES_A_TIME = 64;
/** A line in UTF-8 has at most so many bytes for each unit of the string. */
const BYTES_A_UNIT = 3;
/** Beyond what the text before was long. */
const SPARE_BYTES = 64 * 1024;

/**
 * Samples as text in one buffer, which becomes the body of the answer as it is: as strings, thousands of lines would be garbage that V8 moves about, and
 * be copied twice. The format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format.
 */
export class MetricsText {
  private bytes: Buffer;
  private size = 0;
  private lines = '';
  private count = 0;

  /** `expectedBytes`: as much as the last one was; it may become more. */
  constructor(expectedBytes: number) {
    this.bytes = Buffer.allocUnsafe(expectedBytes + SPARE_BYTES);
  }

  head(name: string, kind: string, help: string): void {
    this.add(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${kind}\n`);
  }

  /** `labels` as of {@link labelText}. */
  sample(name: string, labels: string, value: number): void {
    this.add(labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`);
  }

  histogram(name: string, labels: string, { counts, count, sumS }: HistogramValue): void {
    const before = labels === '' ? '' : `${labels},`;
    for (const [at, bound] of LATENCY_BOUNDS_S.entries()) this.sample(`${name}_bucket`, `${before}le="${bound}"`, counts[at] ?? 0);
    this.sample(`${name}_bucket`, `${before}le="+Inf"`, count);
    this.sample(`${name}_sum`, labels, sumS);
    this.sample(`${name}_count`, labels, count);
  }

  /** Lines that are text already, each with its end. */
  add(lines: string): void {
    this.lines += lines;
    if (++this.count >= LINES_A_TIME) this.write();
  }

  /** Whether the last lines went to the buffer, so that this is a good moment to look at the clock. */
  get isWritten(): boolean {
    return this.count === 0;
  }

  /** All of it; nothing may be added any more. */
  end(): Buffer {
    this.write();
    return this.bytes.subarray(0, this.size);
  }

  private write(): void {
    const room = this.lines.length * BYTES_A_UNIT;
    if (this.bytes.length - this.size < room) {
      const larger = Buffer.allocUnsafe(2 * this.bytes.length + room);
      this.bytes.copy(larger, 0, 0, this.size);
      this.bytes = larger;
    }
    this.size += this.bytes.write(this.lines, this.size);
    this.lines = '';
    this.count = 0;
  }
}

/** `name="value"` of each label, escaped. Joined: a string in one piece, other than one that is put together, is copied fast. */
export const labelText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');

const escaped = (value: string): string =>
  /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;

import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';
import { type MetricSource, Metrics, oncePerScrape } from './metrics.ts';

const textOf = (...sources: MetricSource[]): Promise<string> => new Metrics(sources).text();

describe('Metrics', () => {
  it('writes counters and gauges as Prometheus reads them', async () => {
    const text = await textOf(
      { name: 'sluice_a_total', kind: 'counter', help: 'A \\ and\nmore', read: () => [{ value: 3 }] },
      { name: 'sluice_b', kind: 'gauge', help: 'B', labels: ['x'], read: () => [{ labels: { x: 'a"b\\c\nd' }, value: 0.5 }] },
    );
    expect(text).toContain('# HELP sluice_a_total A \\\\ and\\nmore\n# TYPE sluice_a_total counter\nsluice_a_total 3\n');
    expect(text).toContain('# TYPE sluice_b gauge\nsluice_b{x="a\\"b\\\\c\\nd"} 0.5\n');
    expect(text.endsWith('\n')).toBe(true);
  });

  it('writes histograms with their buckets, sum and count', async () => {
    const histogram = new LatencyHistogram();
    histogram.add(40);
    const text = await textOf({
      name: 'sluice_c_seconds',
      kind: 'histogram',
      help: 'C',
      labels: ['to'],
      read: () => [{ labels: { to: 'n2' }, value: histogram.value() }],
    });
    expect(text).toContain('# TYPE sluice_c_seconds histogram\nsluice_c_seconds_bucket{to="n2",le="0.001"} 0\n');
    expect(text).toContain('sluice_c_seconds_bucket{to="n2",le="0.03"} 0\nsluice_c_seconds_bucket{to="n2",le="0.05"} 1\n');
    expect(text).toContain(
      'sluice_c_seconds_bucket{to="n2",le="+Inf"} 1\nsluice_c_seconds_sum{to="n2"} 0.04\nsluice_c_seconds_count{to="n2"} 1\n',
    );
  });

  it('has the metrics of the process, without gauges that are named like counters, and none twice', async () => {
    const text = await textOf();
    expect(text).toContain('# TYPE nodejs_eventloop_lag_p99_seconds gauge');
    expect(text).not.toMatch(/^# TYPE \S+_total gauge/m);
    expect(text).toContain('# TYPE nodejs_active_resources gauge');
    expect(text).not.toContain('nodejs_active_handles');
  });

  it('takes no two metrics of one name', () => {
    const source: MetricSource = { name: 'sluice_a', kind: 'gauge', help: 'A', read: () => [] };
    expect(() => new Metrics([source, source])).toThrow('sluice_a');
  });

  it('reads what several metrics have in common once a scrape', async () => {
    let reads = 0;
    const shared = oncePerScrape(() => ++reads);
    const source = (name: string): MetricSource => ({ name, kind: 'gauge', help: 'X', read: () => [{ value: shared() }] });
    const metrics = new Metrics([source('sluice_a'), source('sluice_b')]);
    expect(await metrics.text()).toContain('sluice_b 1\n');
    expect(await metrics.text()).toContain('sluice_a 2\n');
  });
});

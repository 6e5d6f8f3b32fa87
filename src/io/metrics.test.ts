import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';
import { type MetricSource, Metrics, oncePerScrape, sharedLabels } from './metrics.ts';

const scraped = async (metrics: Metrics): Promise<string> => String(await metrics.text());
const textOf = (...sources: MetricSource[]): Promise<string> => scraped(new Metrics(sources));

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
    expect(text.match(/^# TYPE process_open_fds gauge$/gm)).toHaveLength(1);
    expect(text).not.toContain('nodejs_active_handles');
  });

  it('writes labels of any script, those that many samples share like others', async () => {
    const labels = { place: 'Zürich "Ost"', name: '日本 🎥' };
    const read = () => [{ labels, value: 1 }];
    const text = await textOf(
      { name: 'sluice_a', kind: 'gauge', help: 'Für alle', read },
      { name: 'sluice_b', kind: 'gauge', help: 'B', read: () => [{ labels: sharedLabels(labels), value: 1e21 }] },
    );
    expect(text).toContain('# HELP sluice_a Für alle\n# TYPE sluice_a gauge\nsluice_a{place="Zürich \\"Ost\\"",name="日本 🎥"} 1\n');
    expect(text).toContain('# HELP sluice_b B\n# TYPE sluice_b gauge\nsluice_b{place="Zürich \\"Ost\\"",name="日本 🎥"} 1e+21\n');
  });

  it('is whole when there is more of it than at the scrape before', async () => {
    let count = 1;
    const long = 'ü'.repeat(500);
    const read = () => Array.from({ length: count }, (_, at) => ({ labels: { long, at: String(at) }, value: at }));
    const metrics = new Metrics([{ name: 'sluice_a', kind: 'gauge', help: 'A', read }]);
    for (count of [1, 1_000, 3]) {
      const lines = (await scraped(metrics)).split('\n').filter((line) => line.startsWith('sluice_a{'));
      expect(lines).toEqual(Array.from({ length: count }, (_, at) => `sluice_a{long="${long}",at="${at}"} ${at}`));
    }
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
    expect(await scraped(metrics)).toContain('sluice_b 1\n');
    expect(await scraped(metrics)).toContain('sluice_a 2\n');
  });

  it('walks its surveys before it reads, and keeps what they found for this scrape alone', async () => {
    const found = oncePerScrape(() => ({ things: 0 }));
    const survey = function* (): Iterable<void> {
      for (let i = 0; i < 5; i++) yield void found().things++;
    };
    const source: MetricSource = { name: 'sluice_things', kind: 'gauge', help: 'X', read: () => [{ value: found().things }] };
    const metrics = new Metrics([source], [survey]);
    for (let scrape = 0; scrape < 2; scrape++) expect(await scraped(metrics)).toContain('sluice_things 5\n');
    expect(found().things).toBe(0);
  });

  it('lets the event loop go on while it reads thousands of series, and gives the same scrape to all who ask meanwhile', async () => {
    let reads = 0;
    const source: MetricSource = {
      name: 'sluice_many',
      kind: 'gauge',
      help: 'X',
      labels: ['x'],
      *read() {
        reads++;
        for (let x = 0; x < 100_000; x++) yield { labels: { x: String(x) }, value: x };
      },
    };
    const metrics = new Metrics([source]);
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    const [first, second] = await Promise.all([metrics.text(), metrics.text()]);
    isOver = true;
    expect(turns).toBeGreaterThan(5);
    expect([reads, first === second]).toEqual([1, true]);
    expect(String(first)).toContain('sluice_many{x="99999"} 99999\n');
  });

  it('is ready for the next scrape when one has failed', async () => {
    let isBroken = true;
    const source: MetricSource = {
      name: 'sluice_a',
      kind: 'gauge',
      help: 'A',
      read: () => {
        if (isBroken) throw new Error('broken');
        return [{ value: 1 }];
      },
    };
    const metrics = new Metrics([source]);
    await expect(metrics.text()).rejects.toThrow('broken');
    isBroken = false;
    expect(await scraped(metrics)).toContain('sluice_a 1\n');
  });
});

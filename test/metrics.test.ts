import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FfmpegPublisher, publish } from './fixtures/ffmpeg-publisher.ts';
import { promtool, runPromtool } from './fixtures/promtool.ts';
import { ServerProcess } from './fixtures/server-process.ts';

const ROOT = join(import.meta.dirname, '..');
const PROMETHEUS = join(ROOT, 'deploy', 'prometheus');
const GRAFANA = join(ROOT, 'deploy', 'grafana');

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

/** The rows of the table in docs/metrics.md: name, type, meaning. */
const documented = [...read(ROOT, 'docs', 'metrics.md').matchAll(/^\| `(sluice_\w+)` \| (\w+) \| .* \| (.*) \|$/gm)].map(
  ([, name = '', type = '', help = '']) => ({ name, type, help }),
);
/** What is looked at of the process, which the library tells. */
const OF_PROCESS = [
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_gc_duration_seconds',
  'nodejs_heap_size_used_bytes',
];
const known = new Set([...documented.map(({ name }) => name), ...OF_PROCESS]);

/** The metrics that an expression of Prometheus names; of a histogram, the histogram. */
const metricsIn = (text: string): string[] =>
  [...text.matchAll(/\b(?:sluice|nodejs|process)_[a-z0-9_]+/g)].map(([name]) =>
    known.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''),
  );

const dashboards = readdirSync(GRAFANA).filter((file) => file.endsWith('.json'));

describe('dashboards and rules', () => {
  it('are there for what an operator looks at', () => {
    expect(dashboards.sort()).toEqual(['node.json', 'overview.json', 'stream.json', 'transcoding.json', 'webrtc.json']);
  });

  it.each([
    ...dashboards.map((file) => [file, GRAFANA]),
    ['alerts.yml', PROMETHEUS],
    ['rules.yml', PROMETHEUS],
    ['alerts.test.yml', PROMETHEUS],
  ])('%s names only metrics that docs/metrics.md has', (file, folder) => {
    const named = metricsIn(read(folder as string, file as string));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('have a panel that fits and a query for each thing they show', () => {
    for (const file of dashboards) {
      const { panels, uid } = JSON.parse(read(GRAFANA, file)) as Dashboard;
      expect(uid).toBe(`sluice-${file.replace('.json', '')}`);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const { gridPos, targets } of panels) {
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
        expect(targets.every(({ expr }) => expr !== '')).toBe(true);
      }
    }
  });

  it('have a test for each alert', () => {
    const alerts = [...read(PROMETHEUS, 'alerts.yml').matchAll(/- alert: (\w+)/g)].map(([, name]) => name as string);
    const tests = read(PROMETHEUS, 'alerts.test.yml');
    expect(alerts.length).toBeGreaterThan(15);
    expect(alerts.filter((name) => !tests.includes(`name: ${name} fires`))).toEqual([]);
  });
});

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly id: number;
    readonly gridPos: { readonly x: number; readonly w: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

vi.setConfig({ testTimeout: 60_000 });

// Without promtool (from Debian's package prometheus) nothing can be said about these.
describe.skipIf(promtool === undefined)('promtool', () => {
  it('finds rules and alerts right', () => {
    const { status, text } = runPromtool(['check', 'rules', join(PROMETHEUS, 'alerts.yml'), join(PROMETHEUS, 'rules.yml')]);
    expect(text).not.toMatch(/FAILED/);
    expect(status).toBe(0);
  });

  it('finds the configuration right', () => {
    const { status, text } = runPromtool(['check', 'config', join(PROMETHEUS, 'prometheus.yml')]);
    expect({ status, text }).toMatchObject({ status: 0 });
  });

  it('sees each alert fire when it should, and none when all is well', () => {
    const { status, text } = runPromtool(['test', 'rules', join(PROMETHEUS, 'alerts.test.yml')]);
    expect({ status, text }).toMatchObject({ status: 0 });
  });
});

describe('/metrics of a node with all roles, in a cluster', () => {
  let server: ServerProcess;
  let publisher: FfmpegPublisher | undefined;
  let text = '';

  beforeAll(async () => {
    server = await ServerProcess.start({
      environment: {
        SLUICE_CLUSTER_FOUND: 'true',
        SLUICE_CLUSTER_COORDINATION: 'embedded',
        SLUICE_CLUSTER_RELAY_HOST: '127.0.0.1',
        SLUICE_CLUSTER_RELAY_PORT: '0',
        SLUICE_METRICS_STREAMS_MAX: '1',
      },
    });
    publisher = await publish({ url: `${server.rtmpUrl}/live/one`, videoCodec: 'h264' });
    const labels = 'app="live",stream="one"';
    await vi.waitFor(
      async () => {
        text = await (await fetch(`${server.httpUrl}/metrics`)).text();
        expect(text).toContain(`sluice_stream_live{${labels}} 1`);
        expect(seriesIn(text, `sluice_stream_received_frames_total{${labels}}`)).toBeGreaterThan(0);
        expect(text).toContain('sluice_store_watches{state="lost"} 0');
        expect(text).toContain('sluice_bus_connected 1');
        expect(text).toContain('sluice_cluster_node_state{state="active"} 1');
      },
      { timeout: 60_000, interval: 250 },
    );
  });

  afterAll(async () => {
    await publisher?.close();
    await server?.close();
  });

  it('is what the table in docs/metrics.md says, and the table has all of it', () => {
    const help = new Map([...text.matchAll(/^# HELP (\w+) (.*)$/gm)].map(([, name = '', words = '']) => [name, words]));
    const answered = [...text.matchAll(/^# TYPE (sluice_\w+) (\w+)$/gm)].map(([, name = '', type = '']) => ({
      name,
      type,
      help: help.get(name),
    }));
    const inOrder = (rows: readonly { name: string }[]): unknown[] => rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(inOrder(answered)).toEqual(inOrder(documented));
  });

  it('has what dashboards look at of the process', () => {
    expect(OF_PROCESS.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
  });

  it('tells the stream that is published, and no more than it may', async () => {
    const second = await publish({ url: `${server.rtmpUrl}/live/two`, videoCodec: 'h264' });
    try {
      await vi.waitFor(
        async () => {
          const more = await (await fetch(`${server.httpUrl}/metrics`)).text();
          expect(seriesIn(more, 'sluice_publishers{protocol="rtmp"}')).toBe(2);
          expect(seriesIn(more, 'sluice_streams_untold')).toBe(1);
          expect(more).toContain('stream="one"');
          expect(more).not.toContain('stream="two"');
        },
        { timeout: 30_000, interval: 250 },
      );
    } finally {
      await second.close();
    }
  });

  it.skipIf(promtool === undefined)('is text that promtool has nothing to say against', () => {
    expect(runPromtool(['check', 'metrics'], text)).toEqual({ status: 0, text: '' });
  });
});

/** The value of a series; undefined when there is none. */
function seriesIn(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

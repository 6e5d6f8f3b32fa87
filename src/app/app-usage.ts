import { randomBytes } from 'node:crypto';
import type pino from 'pino';
import { type AccessControl, type AccessGate, LIMIT_NAMES, LimitedGate, type LimitName, monthOf } from '../access/mod.ts';
import { appUsageOperations, type Operation } from '../api/mod.ts';
import type { Bus, Store } from '../cluster/mod.ts';
import type { StreamRef } from '../core/mod.ts';
import type { Hub } from '../hub/mod.ts';
import { type Clock, type MetricSource, MonthlyUsage, oncePerScrape, type SentBytes, UsageMeter, usageResource } from '../io/mod.ts';

/** What of the node measures what apps use. */
export interface AppUsageParts {
  readonly hub: Hub;
  /** Absent: a node on its own. */
  readonly bus: Bus | undefined;
  readonly outputs: () => readonly SentBytes[];
  readonly tasksByApp: () => ReadonlyMap<string, number>;
  readonly recordingsByApp: () => ReadonlyMap<string, number>;
  /** Whether any node of the cluster has the stream. */
  readonly isKnown: (path: string) => boolean;
}

export interface AppUsageNeeds extends AppUsageParts {
  readonly control: AccessControl;
  readonly store: Store;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: pino.Logger;
}

/** What the apps use on all nodes, and what follows from it. */
export interface AppUsage {
  readonly meter: UsageMeter;
  /** Lets nobody in over the limits. */
  readonly gate: AccessGate;
  readonly operations: readonly Operation[];
  readonly metrics: readonly MetricSource[];
  /** Why nothing may be transcoded for an app now. */
  refusal(app: string): string | undefined;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

export function createAppUsage(needs: AppUsageNeeds): AppUsage {
  const { control, store, bus, nodeId, hub, outputs, tasksByApp, recordingsByApp, isKnown, clock, log } = needs;
  const monthly = new MonthlyUsage({ store, nodeId, run: randomBytes(8).toString('hex'), log });
  const meter = new UsageMeter({
    nodeId,
    hub,
    bus,
    limitsOf: (app) => control.limitsOf(app),
    outputs,
    tasksByApp,
    recordingsByApp,
    tooMuch: (path) => {
      log.warn(
        { code: 'access.limit-bitrate-in', stream: path },
        'the publishers of the app send more than they may: the newest one was ended',
      );
      hub.remove(path, 'over-limit');
    },
    monthly,
    clock,
  });
  const gate = new LimitedGate(control, {
    limitsOf: (app) => control.limitsOf(app),
    usageOf: (app) => meter.usageOf(app),
    isPublished: ({ path }: StreamRef) => hub.stream(path) !== undefined || isKnown(path),
    wasTooMuch: (path) => meter.wasTooMuch(path),
  });
  const month = (): string => monthOf(clock.wall());
  const operations = appUsageOperations({
    usageOf: (app) =>
      control.app(app) === undefined
        ? undefined
        : usageResource(app, meter.usageOf(app), month(), meter.monthOf(app), control.limitsOf(app)),
  });
  return {
    meter,
    gate,
    operations,
    metrics: appUsageMetrics(meter, control),
    refusal: (app) =>
      meter.isExhausted(app, 'transcodeMinutes') ? `the app ${app} has used the transcode minutes that it may have this month` : undefined,
    close: async () => {
      meter.close();
      await monthly.close();
    },
  };
}

/** The most apps that are told by name. */
const APPS_TOLD_MAX = 200;

/** What apps use on all nodes, and may: every node tells the same, so that these are not to be summed over nodes. */
export function appUsageMetrics(
  meter: Pick<UsageMeter, 'apps' | 'lastUsageOf' | 'monthOf'>,
  control: Pick<AccessControl, 'apps'>,
): readonly MetricSource[] {
  const sorted = oncePerScrape(() => {
    const using = meter.apps();
    const known = control.apps().filter(({ name, limits }) => using.has(name) || LIMIT_NAMES.some((limit) => limits[limit] !== undefined));
    return known.sort((a, b) => (a.name < b.name ? -1 : 1));
  });
  const apps = oncePerScrape(() =>
    sorted()
      .slice(0, APPS_TOLD_MAX)
      .map(({ name, limits }) => ({ app: name, limits, now: meter.lastUsageOf(name), month: meter.monthOf(name) })),
  );
  type Told = ReturnType<typeof apps>[number];
  const each = (name: string, kind: 'counter' | 'gauge', help: string, read: (of: Told) => number): MetricSource => ({
    name: `sluice_app_${name}`,
    kind,
    help,
    labels: ['app'],
    read: () => apps().map((told) => ({ labels: { app: told.app }, value: read(told) })),
  });
  /** `unit` is what one of the limit's is in the base unit of the metric. */
  const limit = (name: string, of: LimitName, help: string, unit = 1): MetricSource => ({
    name: `sluice_app_${name}_limit`,
    kind: 'gauge',
    help,
    labels: ['app'],
    read: () => apps().flatMap(({ app, limits }) => (limits[of] === undefined ? [] : [{ labels: { app }, value: limits[of] * unit }])),
  });
  return [
    each('streams', 'gauge', 'Streams of the app on all nodes', ({ now }) => now.streams),
    each('viewers', 'gauge', 'Viewers of the app on all nodes', ({ now }) => now.viewers),
    each('input_bytes_per_second', 'gauge', 'From the publishers of the app on all nodes', ({ now }) => Math.round(now.bitrateInBps / 8)),
    each('output_bytes_per_second', 'gauge', 'To the viewers of the app on all nodes', ({ now }) => Math.round(now.bitrateOutBps / 8)),
    each('month_transcode_seconds', 'gauge', 'Time of rungs of the app on all nodes this month', ({ month }) => month.transcodeMs / 1000),
    each(
      'month_recording_seconds',
      'gauge',
      'Time of recordings of the app on all nodes this month',
      ({ month }) => month.recordingMs / 1000,
    ),
    each('month_viewer_seconds', 'gauge', 'Time of viewers of the app on all nodes this month', ({ month }) => month.viewerMs / 1000),
    each('month_received_bytes', 'gauge', 'Bytes from publishers of the app on all nodes this month', ({ month }) => month.bytesIn),
    each('month_sent_bytes', 'gauge', 'Bytes to viewers of the app on all nodes this month', ({ month }) => month.bytesOut),
    limit('streams', 'streams', 'The most streams that the app may have'),
    limit('viewers', 'viewers', 'The most viewers that the app may have'),
    limit('input_bytes_per_second', 'bitrateInBps', 'The most that the publishers of the app may send', 1 / 8),
    limit('output_bytes_per_second', 'bitrateOutBps', 'The most that the viewers of the app may get', 1 / 8),
    limit('month_transcode_seconds', 'transcodeMinutes', 'The most time of rungs that the app may have in a month', 60),
    limit('month_recording_seconds', 'recordingMinutes', 'The most time of recordings that the app may have in a month', 60),
    {
      name: 'sluice_apps_untold',
      kind: 'gauge',
      help: `Apps that are not told by name, there being more than ${APPS_TOLD_MAX}`,
      read: () => [{ value: Math.max(0, sorted().length - APPS_TOLD_MAX) }],
    },
  ];
}

import { expect, it } from 'vitest';
import { type EffectiveApp, NO_COUNTERS, NO_FIGURES, NO_LIMITS } from '../access/mod.ts';
import { appUsageMetrics } from './app-usage.ts';

it.each([
  [150, 150, 0],
  [230, 200, 30],
])('of %i apps with limits %i are told by name, and of %i how many they are', (count, told, untold) => {
  const apps = Array.from(
    { length: count },
    (_, n) => ({ name: `app-${String(n).padStart(3, '0')}`, limits: { ...NO_LIMITS, viewers: 1 } }) as unknown as EffectiveApp,
  );
  const idle = { name: 'idle', limits: NO_LIMITS } as unknown as EffectiveApp;
  const meter = { apps: () => new Set<string>(), lastUsageOf: () => NO_FIGURES, monthOf: () => NO_COUNTERS };
  const metrics = appUsageMetrics(meter, { apps: () => [idle, ...apps.toReversed()] });
  const samples = (name: string) => [...(metrics.find((metric) => metric.name === name)?.read() ?? [])];
  expect(samples('sluice_app_viewers').map(({ labels }) => labels?.['app'])).toEqual(apps.slice(0, told).map(({ name }) => name));
  expect(samples('sluice_apps_untold')).toEqual([{ value: untold }]);
});

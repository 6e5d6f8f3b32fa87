import { expect, it } from 'vitest';
import type { RelayPull } from './relay-pull.ts';
import { Service } from './service.ts';

it('knows which streams are fed twice into a region', () => {
  const service = new Service();
  const pull = (path: string, region: string): RelayPull => ({ path, owner: { region } }) as RelayPull;
  const [first, second] = [pull('live/show', 'eu'), pull('live/show', 'eu')];
  for (const one of [first, pull('live/show', 'us'), pull('live/other', 'eu')]) service.fed(one);
  expect([...service.doubled.keys()]).toEqual([]);
  service.fed(second);
  expect([...(service.doubled.get('live/show into eu') ?? [])]).toEqual([first, second]);
  service.fedNoMore(first);
  service.fedNoMore(first);
  expect(service.doubled.size).toBe(0);
});

import { expect, it } from 'vitest';
import type { RelayPull } from './relay-pull.ts';
import { run } from './run.ts';
import { Service } from './service.ts';
import type { World } from './world.ts';

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

it.each([1, 2, 3, 4])("knows which streams may be another node's: all others are their nodes', by store and node (seed %i)", (seed) => {
  const seen = { owned: 0, contested: 0 };
  const progress = ({ nodes, engine, service: { contested } }: World): void => {
    for (const { process } of nodes) {
      for (const stream of process?.streams.hub.values() ?? []) {
        if (stream.publication === undefined) continue;
        const isContested = contested.has(stream);
        seen[isContested ? 'contested' : 'owned'] += 1;
        if (isContested) continue;
        const { directory, holder } = stream.owner;
        expect(directory?.stream(stream.path)?.holder).toEqual(holder);
        const stored = new TextDecoder().decode(engine.read(`streams/${stream.path}`)?.value);
        if (stored !== '') expect(JSON.parse(stored)).toMatchObject({ holder });
      }
    }
  };
  run({ seed, nodes: 12, seconds: 40, progress });
  expect(seen.owned).toBeGreaterThan(500);
  expect(seen.contested).toBeGreaterThan(5);
});

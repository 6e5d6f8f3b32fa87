import { expect, it } from 'vitest';
import { boundReached } from './app-share.ts';

it.each([
  [['a'], undefined],
  [['a', 'a'], 'perApp'],
  [['b', 'b', 'c'], undefined],
  [['b', 'b', 'c', 'd'], 'all'],
  [['a', 'a', 'c', 'd'], 'perApp'],
] as const)('an app has room by what it has itself, and by what all have (%j: %s)', (apps, bound) => {
  expect(
    boundReached(
      apps.map((app) => ({ app })),
      'a',
      { perApp: 2, all: 4 },
    ),
  ).toBe(bound);
});

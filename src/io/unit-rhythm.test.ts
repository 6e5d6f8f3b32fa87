import { expect, it } from 'vitest';
import { UnitRhythm } from './unit-rhythm.ts';

it.each([
  ['pictures alone', [0, 33, 66, 100, 133, 166, 200, 233, 266, 300, 333, 366, 400, 433, 466, 500], 17, false],
  ['pictures alone, just after one', [0, 33, 66, 100, 133, 166, 200, 233, 266, 300, 333, 366, 400, 433, 466, 500], 50, true],
  ['units that come together', [0, 0.5, 33, 33.4, 66, 66.1, 100, 100.2, 133, 133.9, 166, 200, 233, 266, 300], 17, true],
  ['a single unit', [0], 50, true],
  ['a pause, which is no rhythm', [0, 10, 20, 30, 40, 50, 5050, 5060], 10, true],
])('knows whether it is worth waiting: %s', (_title, times, waitMs, isExpected) => {
  const rhythm = new UnitRhythm();
  for (const time of times) rhythm.note(time);
  expect(rhythm.expectsWithin(waitMs)).toBe(isExpected);
});

import { expect, it } from 'vitest';
import { sumOfLanes } from './child-report.ts';
import type { StreamLane } from './stream-lane.ts';

const lane = (restarts: number, stats?: Partial<ReturnType<StreamLane['stats']>>): StreamLane =>
  ({ supervisor: { restarts }, stats: () => stats }) as unknown as StreamLane;

it('sums what the children of all streams do, restarts also of those that have none now', () => {
  const busy = lane(1, { framesDropped: 2, framesCorrupt: 3, cpuS: 4.5, queuedMs: 60 });
  const slow = lane(0, { framesDropped: 10, framesCorrupt: 0, cpuS: 0.5, queuedMs: 700 });
  expect(sumOfLanes([{ everyLane: [busy, lane(5)] }, { everyLane: [lane(0), slow] }])).toEqual({
    restarts: 6,
    framesDropped: 12,
    framesCorrupt: 3,
    cpuS: 5,
    queuedMsMax: 700,
  });
  expect(sumOfLanes([])).toEqual({ restarts: 0, framesDropped: 0, framesCorrupt: 0, cpuS: 0, queuedMsMax: 0 });
});

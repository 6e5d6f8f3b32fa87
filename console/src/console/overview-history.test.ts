import { describe, expect, it } from 'vitest';
import { OverviewHistory } from './overview-history.ts';

const sample = (atS: number): Parameters<OverviewHistory['add']>[0] => ({ atS, viewers: atS, inBps: 1, outBps: 2 });

describe('history of the overview', () => {
  it('keeps its span and no more', () => {
    const history = new OverviewHistory(10);
    for (let atS = 0; atS < 100; atS += 2) history.add(sample(atS));
    expect(history.viewers[0]).toEqual([88, 90, 92, 94, 96, 98]);
    expect(history.media).toEqual([history.viewers[0], [1, 1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2]]);
  });
  it('leaves out what is not newer, for an answer may be shown twice', () => {
    const history = new OverviewHistory(10);
    for (const atS of [5, 5, 4, 6]) history.add(sample(atS));
    expect(history.viewers[0]).toEqual([5, 6]);
  });
});

import { describe, expect, it } from 'vitest';
import { SampleHistory } from './sample-history.ts';

describe('figures over the last minutes', () => {
  it('lets the oldest go, takes nothing twice, and gives the lines of a chart', () => {
    const history = new SampleHistory(['cpu', 'memory'], 10);
    for (const atS of [1, 5, 5, 12]) history.add(atS, { cpu: atS, memory: -atS });
    expect(history.columns('memory', 'cpu')).toEqual([
      [5, 12],
      [-5, -12],
      [5, 12],
    ]);
    expect(history.columns('cpu')).not.toBe(history.columns('cpu'));
  });
});

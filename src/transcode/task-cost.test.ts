import { describe, expect, it } from 'vitest';
import { estimatedCost, MeasuredCosts, shapeKey } from './task-cost.ts';

const hd = { kind: 'video', codec: 'h264', width: 1280, height: 720, frameRate: 30 } as const;
const sound = { kind: 'audio', codec: 'opus', width: 0, height: 0, frameRate: 0 } as const;

describe('what a rung costs', () => {
  it('is more for more pixels, more frames and newer codecs', () => {
    const cost = estimatedCost(hd);
    expect(estimatedCost({ ...hd, width: 1920, height: 1080 })).toBeGreaterThan(cost);
    expect(estimatedCost({ ...hd, frameRate: 60 })).toBeGreaterThan(cost);
    expect(estimatedCost({ ...hd, codec: 'av1' })).toBeGreaterThan(cost);
    expect(estimatedCost(sound)).toBeLessThan(cost);
  });

  it('is shared out by the estimates where several are made together, and follows slowly', () => {
    const costs = new MeasuredCosts();
    costs.took([hd, { ...hd, width: 640, height: 360 }], 1);
    expect(costs.byShape.get(shapeKey(hd))).toBeCloseTo(0.8);
    expect(costs.byShape.get('h264-640x360-30')).toBeCloseTo(0.2);
    costs.took([hd], 1.8);
    expect(costs.byShape.get(shapeKey(hd))).toBeCloseTo(1);
  });

  it('keeps so many shapes and no more, and takes no nonsense', () => {
    const costs = new MeasuredCosts();
    for (let width = 2; width < 400; width += 2) costs.took([{ ...hd, width }], 1);
    expect(costs.byShape.size).toBe(64);
    costs.took([hd], Number.NaN);
    costs.took([], 1);
    expect([...costs.byShape.values()].every((cost) => cost === 1)).toBe(true);
  });
});
